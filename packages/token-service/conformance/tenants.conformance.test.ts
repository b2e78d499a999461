import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callback, codeOf, createBrowser } from './browser.ts'
import { type Call, claimsOf, headerOf, ids, type RunningService, secrets, startService, tenantHosts } from './running-service.ts'

const technical = { grant_type: 'client_credentials', client_id: ids.app, client_secret: secrets.app }
const uaa = 'authentication.example.test'

describe('tenants', () => {
  let running: RunningService
  beforeAll(async () => {
    running = await startService({ address: tenantHosts })
  })
  afterAll(async () => running.service.close())

  const tenantOf = async (call: Partial<Call>, more: Readonly<Record<string, string>> = {}): Promise<unknown> =>
    claimsOf((await running.token({ ...technical, ...more }, call)).json()['access_token'])['zid']

  it('CL-020 come from x-zid, then from the first label of the host, else from the client', async () => {
    expect(await tenantOf({ host: `acme.${uaa}`, headers: { 'x-zid': ids.subscriber } })).toBe(ids.subscriber)
    expect(await tenantOf({ host: `buyer.${uaa}` })).toBe(ids.subscriber)
    expect(await tenantOf({ host: `BUYER.${uaa}:443` })).toBe(ids.subscriber)
    expect(await tenantOf({ host: `buyer.authentication.cert.example.test` })).toBe(ids.subscriber)
    expect(await tenantOf({ host: uaa })).toBe(ids.tenant)
    expect(await tenantOf({ host: uaa, headers: { 'x-zid': '' } })).toBe(ids.tenant)
    expect(await tenantOf({ host: 'localhost' })).toBe(ids.tenant)
    expect(await tenantOf({ host: uaa }, { app_tid: ids.subscriber })).toBe(ids.subscriber)
    expect(await tenantOf({ host: uaa }, { zid: ids.subscriber })).toBe(ids.subscriber)
  })

  it('are left open by an app_tid that says "undefined", as @sap/xssec 3 sends it', async () => {
    expect(await tenantOf({ host: uaa }, { app_tid: 'undefined' })).toBe(ids.tenant)
    expect(await tenantOf({ host: `buyer.${uaa}` }, { app_tid: 'undefined' })).toBe(ids.subscriber)
  })

  it.each([
    ['x-zid', { host: `acme.${uaa}`, headers: { 'x-zid': 'unknown' } }],
    ['x-zid with the subdomain in place of the id', { host: uaa, headers: { 'x-zid': 'buyer' } }],
    ['two values of x-zid', { host: uaa, headers: { 'x-zid': [ids.tenant, ids.subscriber] } }],
    ['subdomain', { host: `unknown.${uaa}` }],
    ['subdomain of a subdomain', { host: `x.buyer.${uaa}`, plain: true }],
    ['host name', { host: 'buyer.elsewhere.test', plain: true }],
    ['app_tid', { host: uaa, more: { app_tid: 'unknown' } }],
  ] as const)(
    'CL-021 an unknown %s gives 404 with JSON and never a token',
    async (_, { more, ...call }: Partial<Call> & { more?: Record<string, string> }) => {
      const answer = await running.token({ ...technical, ...more }, call)
      expect(answer.status).toBe(404)
      expect(answer.json()).toEqual({ error: 'tenant_not_found', error_description: expect.any(String) })
    },
  )

  it('CL-022 a client gets tokens for its own tenant and subscribed ones, not for others', async () => {
    expect(await tenantOf({ host: `buyer.${uaa}` })).toBe(ids.subscriber)
    for (const call of [{ host: `stranger.${uaa}` }, { host: uaa, headers: { 'x-zid': ids.stranger } }]) {
      const answer = await running.token(technical, call)
      expect([answer.status, answer.json()['error']]).toEqual([401, 'unauthorized_client'])
    }
  })

  it('have the same client, but other users', async () => {
    const assertion = (await running.service.issueUserToken({ tenant: ids.subscriber, user: 'jane@acme.test', clientId: ids.app }))
      .access_token
    const answer = await running.token(
      { ...technical, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: String(assertion) },
      { host: uaa, headers: { 'x-zid': ids.subscriber } },
    )
    expect(claimsOf(answer.json()['access_token'])).toMatchObject({ zid: ids.subscriber, iss: `https://buyer.${uaa}/oauth/token` })
    expect(claimsOf(answer.json()['access_token'])['user_id']).not.toBe(claimsOf(await running.userToken())['user_id'])
  })

  it('CL-161 user tokens are exchanged by the destination client at every form of host', async () => {
    const host = `acme.${uaa}`
    const code = codeOf(await createBrowser(running, { host }).logOn())
    const login = { client_id: ids.app, client_secret: secrets.app, grant_type: 'authorization_code', code, redirect_uri: callback }
    const assertion = String((await running.token(login, { host })).json()['access_token'])
    expect(claimsOf(assertion)['grant_type']).toBe('authorization_code')
    const exchange = {
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      client_id: ids.destination,
      client_secret: secrets.destination,
      assertion,
    }
    for (const call of [
      { host: uaa },
      { host: uaa, headers: { 'x-zid': ids.tenant } },
      { host: `acme.${uaa}` },
      { host: 'acme.authentication.cert.example.test' },
    ]) {
      const answer = await running.token(exchange, call)
      expect(answer.status).toBe(200)
      expect(claimsOf(answer.json()['access_token'])).toMatchObject({ user_name: 'Jane@acme.test', cid: ids.destination })
    }
  })

  it('CL-024 token and key calls are never redirected', async () => {
    const calls: Call[] = [`acme.${uaa}`, uaa, `unknown.${uaa}`].flatMap((host) =>
      [false, true].flatMap((plain) => [
        { method: 'POST', path: '/oauth/token', body: technical, host, plain },
        { method: 'POST', path: '/oauth/token/', body: technical, host, plain },
        { path: '/oauth/token', host, plain },
        { path: '/token_keys', host, plain },
        { path: '/token_keys/', host, plain },
        { path: '//token_keys', host, plain },
      ]),
    )
    const statuses = (await Promise.all(calls.map((call) => running.call(call)))).map(({ status }) => status)
    expect(statuses.filter((status) => status >= 300 && status < 400)).toEqual([])
    expect(statuses.filter((status) => status === 200)).toHaveLength(8)
  })

  it('CL-080 the discovery document names the endpoints, the key set and the grants', async () => {
    const answer = await running.call({ path: '/.well-known/openid-configuration', host: `acme.${uaa}` })
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({
      issuer: `https://acme.${uaa}/oauth/token`,
      authorization_endpoint: `https://acme.${uaa}/oauth/authorize`,
      token_endpoint: `https://acme.${uaa}/oauth/token`,
      jwks_uri: `https://acme.${uaa}/token_keys`,
      response_types_supported: ['code'],
      code_challenge_methods_supported: ['S256'],
      grant_types_supported: expect.arrayContaining([
        'client_credentials',
        'password',
        'authorization_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ]),
    })
    const token = (await running.token(technical, { host: `acme.${uaa}` })).json()['access_token']
    expect(claimsOf(token)['iss']).toBe(answer.json()['issuer'])
    const path = new URL(answer.json()['jwks_uri']).pathname
    const keys = (await running.call({ path, host: `acme.${uaa}` })).json()['keys'] as { kid: string }[]
    expect(keys.map(({ kid }) => kid)).toContain(headerOf(token)['kid'])
    expect((await running.call({ path: '/.well-known/openid-configuration', host: `unknown.${uaa}` })).status).toBe(404)
  })
})
