import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOutgoing } from '../src/index.ts'
import { entryOf, failed, failedBecause, find, store } from './look-up.ts'
import { type RunningService, startService } from './running-service.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

let running: RunningService
let tokenServer: TokenServer
const outgoing = createOutgoing({ privateAddresses: 'allow', resolve: async () => [{ address: '127.0.0.1', family: 4 }] })

beforeEach(async () => {
  tokenServer = await startTokenServer()
  running = await startService({ outgoing })
})
afterEach(async () => {
  await running.close()
  await tokenServer.close()
})

const destination = (Authentication: string, more: Record<string, string> = {}): Record<string, string> => ({
  Name: 'd',
  Type: 'HTTP',
  URL: 'http://x',
  ProxyType: 'Internet',
  Authentication,
  clientId: 'orders',
  clientSecret: 's&cret',
  tokenServiceURL: tokenServer.url,
  ...more,
})
const formOf = (index = 0): Record<string, string> => Object.fromEntries(tokenServer.calls[index]?.form ?? [])
const hostOf = (index = 0): string => tokenServer.calls[index]?.host ?? ''
const own = { client_id: 'orders', client_secret: 's&cret' }
const common = (): Record<string, string> => ({
  tokenServiceURLType: 'Common',
  tokenServiceURL: `http://auth.example.test:${tokenServer.port}/token`,
})

describe('OAuth2Password', () => {
  const user = { User: 'jane', Password: 'p&ss wörd' }

  it('DS-105 sends user and password, and never resolves the URL by tenant', async () => {
    await store(running, destination('OAuth2Password', { ...user, ...common() }))
    expect(await entryOf(running)).toMatchObject({
      type: 'Bearer',
      value: 'token-1',
      http_header: { key: 'Authorization', value: 'Bearer token-1' },
    })
    expect(formOf()).toEqual({ grant_type: 'password', username: 'jane', password: 'p&ss wörd', ...own })
    expect(hostOf()).toBe(`auth.example.test:${tokenServer.port}`)
  })

  it.each(['User', 'Password', 'clientId', 'tokenServiceURL'])('says that %s is missing', async (name) => {
    await store(running, destination('OAuth2Password', { ...user, [name]: '' }))
    expect(await entryOf(running)).toEqual(failed(`${failedBecause}The property ${name} is missing`))
    expect(tokenServer.calls).toEqual([])
  })

  it('is asked for again when the password has changed', async () => {
    await store(running, destination('OAuth2Password', user))
    await find(running)
    await find(running)
    expect(tokenServer.calls).toHaveLength(1)
    await store(running, destination('OAuth2Password', { ...user, Password: 'new' }))
    await find(running)
    expect(formOf(1)['password']).toBe('new')
  })
})

describe('OAuth2RefreshToken', () => {
  it('DS-106 forwards the refresh token, says when it is missing, and remembers no answer', async () => {
    tokenServer.answerJson(200, { access_token: 'a', token_type: 'bearer', expires_in: 600, refresh_token: 'next' })
    await store(running, destination('OAuth2RefreshToken'))
    expect(await entryOf(running)).toEqual(failed(`${failedBecause}The header X-refresh-token is missing`))
    expect(tokenServer.calls).toEqual([])
    for (let round = 0; round < 2; round++) {
      expect(await entryOf(running, { 'x-refresh-token': 'r&1' })).toMatchObject({ type: 'Bearer', value: 'a', refresh_token: 'next' })
      expect(formOf(round)).toEqual({ grant_type: 'refresh_token', refresh_token: 'r&1', ...own })
    }
    expect(tokenServer.calls).toHaveLength(2)
  })

  it('takes the tenant of a Common URL from the token of the call', async () => {
    await store(running, destination('OAuth2RefreshToken', common()))
    const token = running.token({
      claims: { ext_attr: { enhancer: 'XSUAA', zdn: 'acme', subaccountid: '11111111-2222-3333-4444-555555555555' } },
    })
    await find(running, { 'x-refresh-token': 'r' }, { token })
    expect(hostOf()).toBe(`acme.auth.example.test:${tokenServer.port}`)
  })
})

describe('OAuth2AuthorizationCode', () => {
  it('DS-107 sends code, redirect URI and verifier of the headers, the last two only when they came', async () => {
    await store(running, destination('OAuth2AuthorizationCode'))
    expect(await entryOf(running)).toEqual(failed(`${failedBecause}The header X-code is missing`))
    await find(running, { 'x-code': 'c1' })
    expect(formOf(0)).toEqual({ grant_type: 'authorization_code', code: 'c1', ...own })
    await find(running, { 'x-code': 'c1', 'x-redirect-uri': 'https%3A%2F%2Fapp%2Fcb%3Fa%3Db%2526', 'x-code-verifier': 'v~._-' })
    expect(formOf(1)).toEqual({
      grant_type: 'authorization_code',
      code: 'c1',
      redirect_uri: 'https://app/cb?a=b%26',
      code_verifier: 'v~._-',
      ...own,
    })
    expect(tokenServer.calls).toHaveLength(2)
  })

  it('refuses a redirect URI that cannot be decoded', async () => {
    await store(running, destination('OAuth2AuthorizationCode'))
    expect((await running.call('GET', '/v1/destinations/d', { headers: { 'x-code': 'c', 'x-redirect-uri': '%zz' } })).status).toBe(400)
  })
})

describe('OAuth2TechnicalUserPropagation', () => {
  it('DS-108 has a header of its own, and its token service is called directly although the target is on premise', async () => {
    await store(running, destination('OAuth2TechnicalUserPropagation', { ProxyType: 'OnPremise' }))
    expect(await entryOf(running)).toMatchObject({
      type: 'Bearer',
      value: 'token-1',
      http_header: { key: 'SAP-Connectivity-Technical-Authentication', value: 'Bearer token-1' },
    })
    expect(formOf()).toEqual({ grant_type: 'client_credentials', ...own })
    await find(running)
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('takes the tenant of a Common URL from X-tenant', async () => {
    await store(running, destination('OAuth2TechnicalUserPropagation', { ProxyType: 'OnPremise', ...common() }))
    await find(running, { 'x-tenant': 'acme' })
    expect(hostOf()).toBe(`acme.auth.example.test:${tokenServer.port}`)
  })
})

describe('OAuth2TokenExchange', () => {
  const subject = { 'x-subject-token': 'st', 'x-subject-token-type': 'urn:ietf:params:oauth:token-type:id_token' }
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'st',
    subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
  }

  it('DS-109 needs the subject’s token, sends the actor’s where there is one, says what was issued and leaves the URL as it is', async () => {
    tokenServer.answerJson(200, { access_token: 'a', token_type: 'Bearer', expires_in: 60, issued_token_type: 'urn:x' })
    await store(running, destination('OAuth2TokenExchange', common()))
    for (const headers of [{}, { 'x-subject-token': 'st' }, { 'x-subject-token-type': 't' }]) {
      expect((await running.call('GET', '/v1/destinations/d', { headers })).status).toBe(400)
    }
    expect(tokenServer.calls).toEqual([])
    expect(await entryOf(running, subject)).toMatchObject({ type: 'Bearer', value: 'a', issued_token_type: 'urn:x' })
    expect(formOf(0)).toEqual({ ...grant, ...own })
    await find(running, { ...subject, 'x-actor-token': 'at', 'x-actor-token-type': 'urn:jwt' })
    expect(formOf(1)).toEqual({ ...grant, actor_token: 'at', actor_token_type: 'urn:jwt', ...own })
    expect(hostOf(1)).toBe(`auth.example.test:${tokenServer.port}`)
    expect((await running.call('GET', '/v1/destinations/d', { headers: { ...subject, 'x-actor-token': 'at' } })).status).toBe(400)
  })

  it('asks for the wanted kind by query and body, keeps the scheme that is answered, and remembers nothing', async () => {
    tokenServer.answerJson(200, { access_token: 'PHNhbWw-', token_type: 'N_A', expires_in: 60, issued_token_type: 'urn:saml2' })
    const more = { 'tokenServiceURL.queries.requested_token_type': 'urn:saml2', 'tokenService.body.audience': 'a', scope: 'x y' }
    await store(running, destination('OAuth2TokenExchange', more))
    for (let round = 0; round < 2; round++)
      expect(await entryOf(running, subject)).toMatchObject({ type: 'N_A', value: 'PHNhbWw-', issued_token_type: 'urn:saml2' })
    expect(tokenServer.calls).toHaveLength(2)
    expect(tokenServer.calls[0]?.url).toContain('requested_token_type=urn%3Asaml2')
    expect(formOf()).toMatchObject({ audience: 'a', scope: 'x y' })
  })
})

describe('OAuth types of mail destinations', () => {
  it('DS-110 CL-150 CL-151 fetch tokens as for HTTP, and those of other types never do', async () => {
    const mail = {
      Name: 'd',
      Type: 'MAIL',
      ProxyType: 'Internet',
      'mail.user': 'u',
      'mail.password': 'p',
      'mail.smtp.host': 'smtp.example',
    }
    await store(running, { ...destination('OAuth2Password', { User: 'jane', Password: 'pw' }), ...mail, URL: '' })
    const found = await find(running)
    expect(found.authTokens).toMatchObject([{ type: 'Bearer', value: 'token-1' }])
    expect(found.destinationConfiguration).toMatchObject({ 'mail.user': 'u', 'mail.password': 'p' })
    await store(running, { ...mail, Authentication: 'BasicAuthentication' })
    const basic = await find(running)
    expect(basic).not.toHaveProperty('authTokens')
    expect(basic.destinationConfiguration).not.toHaveProperty('URL')
    for (const Type of ['RFC', 'LDAP', 'TCP']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that calls can be told apart
      await store(running, destination('OAuth2ClientCredentials', { Type }))
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await find(running)).not.toHaveProperty('authTokens')
    }
    expect(tokenServer.calls).toHaveLength(1)
  })
})

describe('whose tenant a technical token is for', () => {
  it('is the caller’s where the operator wants that', async () => {
    await running.close()
    running = await startService({ outgoing, authentication: { tenantOfTechnicalTokens: 'caller' } })
    await store(running, destination('OAuth2ClientCredentials', common()))
    const ext = { enhancer: 'XSUAA', zdn: 'acme', subaccountid: '11111111-2222-3333-4444-555555555555' }
    await find(running, {}, { token: running.token({ claims: { ext_attr: ext } }) })
    await find(running, { 'x-tenant': 'other' })
    expect([hostOf(0), hostOf(1)]).toEqual([`acme.auth.example.test:${tokenServer.port}`, `other.auth.example.test:${tokenServer.port}`])
  })
})
