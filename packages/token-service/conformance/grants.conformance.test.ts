import { createSecret } from '@sallyport/core'
import type { TrustedIssuer } from '@sallyport/token-service'
import { createTokenVerifier, createFixedKeySource, type TokenVerifier } from '@sallyport/token-verifier'
import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryGrantStore, defaultLimits } from '../src/index.ts'
import { callback, codeOf, createBrowser } from './browser.ts'
import { claimsOf, headerOf, ids, type RunningService, secrets, startService, tenantHosts } from './running-service.ts'

const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const app = { client_id: ids.app, client_secret: secrets.app }
const destination = { client_id: ids.destination, client_secret: secrets.destination }
const connectivity = { client_id: ids.connectivity, client_secret: secrets.connectivity }

let running: RunningService
beforeAll(async () => {
  running = await startService()
})
afterAll(async () => running.service.close())

describe('client_credentials', () => {
  it('CP-010 answers with access_token, token_type and expires_in', async () => {
    const answer = await running.token({ grant_type: 'client_credentials', ...connectivity })
    expect(answer.status).toBe(200)
    expect(answer.headers['content-type']).toMatch(/^application\/json/)
    expect(answer.json()).toMatchObject({
      token_type: 'bearer',
      expires_in: 3599,
      access_token: expect.stringMatching(/^ey[\w-]+\.[\w-]+\.[\w-]+$/),
    })
  })

  it('speaks for the client alone', async () => {
    const answer = await running.token({ grant_type: 'client_credentials', ...connectivity })
    const claims = claimsOf(answer.json()['access_token'])
    expect(claims).toMatchObject({
      sub: ids.connectivity,
      cid: ids.connectivity,
      grant_type: 'client_credentials',
      scope: ['uaa.resource'],
      ext_attr: { enhancer: 'XSUAA', subaccountid: ids.tenant, serviceinstanceid: 'connectivity-instance' },
    })
    expect(answer.json()).not.toHaveProperty('refresh_token')
  })

  it('CL-034 returns authorities as claim az_attr', async () => {
    const authorities = JSON.stringify({ az_attr: { tenant: 'x', level: '3' } })
    const answer = await running.token({ grant_type: 'client_credentials', ...app, authorities })
    expect(claimsOf(answer.json()['access_token'])['az_attr']).toEqual({ tenant: 'x', level: '3' })
  })

  it.each(['{', '[]', '{"az_attr":[]}', '{"az_attr":"x"}', `{"az_attr":{"a":"${'x'.repeat(1100)}"}}`])(
    'refuses authorities that are not an object of az_attr, %.20s',
    async (authorities) => {
      const answer = await running.token({ grant_type: 'client_credentials', ...app, authorities })
      expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_request'])
    },
  )

  it('narrows scopes to those asked for, and refuses when none is left', async () => {
    const narrowed = await running.token({ grant_type: 'client_credentials', ...app, scope: 'app!t1.Job nothing.else' })
    expect(narrowed.json()['scope']).toBe('app!t1.Job')
    expect(claimsOf(narrowed.json()['access_token'])['scope']).toEqual(['app!t1.Job'])
    const refused = await running.token({ grant_type: 'client_credentials', ...app, scope: 'app!t1.Admin' })
    expect([refused.status, refused.json()['error']]).toEqual([400, 'invalid_scope'])
  })
})

describe('jwt-bearer', () => {
  it('CP-011 exchanges a user token for one that holds the user and the connectivity client', async () => {
    const assertion = await running.userToken()
    const answer = await running.token({ grant_type: jwtBearer, ...connectivity, assertion, token_format: 'jwt', response_type: 'token' })
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ token_type: 'bearer', scope: 'openid', jti: expect.any(String) })
    expect(claimsOf(answer.json()['access_token'])).toMatchObject({
      user_name: 'Jane@acme.test',
      cid: ids.connectivity,
      aud: expect.arrayContaining([ids.connectivity, 'openid', 'clone2!b1|connectivity!b1']),
    })
  })

  it('CL-033 takes user tokens of any client of the tenant, keeps the user and its attributes, names the calling client, and checks signature and expiry', async () => {
    const assertion = await running.userToken()
    const before = claimsOf(assertion)
    const answer = await running.token({ grant_type: jwtBearer, ...destination, assertion })
    const after = claimsOf(answer.json()['access_token'])
    const kept = [
      'user_name',
      'email',
      'user_id',
      'user_uuid',
      'origin',
      'given_name',
      'family_name',
      'zid',
      'xs.user.attributes',
      'xs.system.attributes',
    ]
    expect(Object.fromEntries(kept.map((claim) => [claim, after[claim]]))).toEqual(
      Object.fromEntries(kept.map((claim) => [claim, before[claim]])),
    )
    expect(after).toMatchObject({
      user_name: 'Jane@acme.test',
      'xs.user.attributes': { country: ['DE'], costcenter: ['1', '2'] },
      cid: ids.destination,
      azp: ids.destination,
      client_id: ids.destination,
      grant_type: jwtBearer,
    })
    // Again, with the token that came of it, for a third client.
    const third = await running.token({ grant_type: jwtBearer, ...connectivity, assertion: String(answer.json()['access_token']) })
    expect(claimsOf(third.json()['access_token'])).toMatchObject({ user_name: 'Jane@acme.test', cid: ids.connectivity })

    const [header, payload, signature = ''] = assertion.split('.')
    const forgedPayload = Buffer.from(JSON.stringify({ ...before, user_name: 'root' })).toString('base64url')
    const otherSignature = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
    const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${forgedPayload}.`
    for (const forged of [
      `${header}.${forgedPayload}.${signature}`,
      `${header}.${payload}.${otherSignature}`,
      unsigned,
      'x',
      `${header}.${payload}`,
    ]) {
      const refused = await running.token({ grant_type: jwtBearer, ...destination, assertion: forged })
      expect([refused.status, refused.json()['error']]).toEqual([401, 'invalid_token'])
    }
    await using late = await startService()
    const old = await late.userToken()
    late.clock.advance(3_606_000)
    const expired = await late.token({ grant_type: jwtBearer, ...destination, assertion: old })
    expect([expired.status, expired.json()['error_description']]).toEqual([401, 'The assertion has expired'])
  })

  it('takes no technical token for a user token', async () => {
    const technical = await running.token({ grant_type: 'client_credentials', ...app })
    const refused = await running.token({ grant_type: jwtBearer, ...destination, assertion: String(technical.json()['access_token']) })
    expect([refused.status, refused.json()['error_description']]).toEqual([401, 'The assertion is not a user token'])
  })

  it('takes no token of another tenant', async () => {
    const assertion = await running.userToken()
    const answer = await running.token({ grant_type: jwtBearer, ...destination, assertion }, { headers: { 'x-zid': ids.subscriber } })
    // Not because the other tenant has no such user: ids may be the same in both.
    expect([answer.status, answer.json()['error_description']]).toEqual([401, 'The assertion belongs to another tenant'])
  })
})

describe('jwt-bearer with a trusted identity provider', () => {
  const provider = createTestIssuer({ issuer: 'https://idp.example.test', keyId: 'idp' })
  const rogue = createTestIssuer({ issuer: 'https://idp.example.test', keyId: 'idp' })
  const origin = 'corporate'
  let trusting: RunningService
  let tokens: TokenVerifier
  let trusted: readonly TrustedIssuer[]
  const user = {
    sub: 'u-17',
    aud: ['registered-app'],
    email: 'max@corp.test',
    email_verified: true,
    given_name: 'Max',
    family_name: 'Muster',
    groups: ['admins'],
    department: 'IT',
    zid: undefined,
    app_tid: ids.tenant,
  }

  beforeAll(async () => {
    tokens = createTokenVerifier({
      keys: createFixedKeySource([{ issuer: provider.issuer, keys: provider.keys }]),
      clock: createManualClock(Date.now()),
      expiryToleranceSeconds: 0,
      notBeforeToleranceSeconds: 60,
      maxCachedTokens: 10,
      maxTokenBytes: 16_384,
    })
    const issuer = {
      issuer: provider.issuer,
      tenantId: ids.tenant,
      origin,
      audiences: ['registered-app'],
      nameClaim: 'email',
      groupsClaim: 'groups',
      attributeClaims: ['department'],
    }
    trusted = [issuer]
    trusting = await startService({ trust: { tokens, issuers: trusted }, address: tenantHosts })
  })
  afterAll(async () => trusting.service.close())

  const exchange = (assertion: string, client: typeof app | typeof destination = app) =>
    trusting.token(
      { grant_type: jwtBearer, ...client, assertion },
      { host: 'authentication.example.test', headers: { 'x-zid': ids.tenant } },
    )

  it('CL-084 accepts an identity token for the destination client at the uaadomain with x-zid', async () => {
    const answer = await exchange(provider.sign(user), destination)
    expect(answer.status).toBe(200)
    expect(claimsOf(answer.json()['access_token'])).toMatchObject({ user_name: 'max@corp.test', zid: ids.tenant, cid: ids.destination })
  })

  it('CL-033 takes names, groups and attributes of a trusted provider over, and keeps them through exchange and refresh', async () => {
    const first = await exchange(provider.sign(user))
    expect(first.json()['scope']).toBe('openid app!t1.Display app!t1.Admin')
    const expected = {
      user_name: 'max@corp.test',
      email: 'max@corp.test',
      given_name: 'Max',
      family_name: 'Muster',
      origin,
      'xs.user.attributes': { department: ['IT'] },
      user_id: claimsOf(first.json()['access_token'])['user_id'],
    }
    expect(claimsOf(first.json()['access_token'])).toMatchObject(expected)
    const second = await exchange(String(first.json()['access_token']))
    expect(claimsOf(second.json()['access_token'])).toMatchObject({ ...expected, scope: ['openid', 'app!t1.Display', 'app!t1.Admin'] })
    const refreshed = await trusting.token(
      { grant_type: 'refresh_token', ...app, refresh_token: String(second.json()['refresh_token']) },
      { host: 'authentication.example.test' },
    )
    expect(claimsOf(refreshed.json()['access_token'])).toMatchObject(expected)
  })

  it.each([
    ['for another audience', () => provider.sign({ ...user, aud: ['other'] })],
    ['without a user', () => provider.sign({ ...user, email: undefined })],
    ['with an address that is not verified', () => provider.sign({ ...user, email_verified: false })],
    ['signed with another key', () => rogue.sign(user)],
    ['that has expired', () => provider.sign({ ...user, exp: 1_700_000_000 })],
    ['of an issuer that nobody trusts', () => provider.sign({ ...user, iss: 'https://other.example.test' })],
  ])('refuses a token %s', async (_, assertion) => {
    const answer = await exchange(assertion())
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_token'])
  })

  it('carries the token of a provider along where it is told to, through exchange and refresh', async () => {
    const assertion = provider.sign(user)
    const [issuer] = trusted
    if (issuer === undefined) throw new Error('nobody is trusted')
    await using embedding = await startService({ trust: { tokens, issuers: [{ ...issuer, embedsToken: true }] }, address: tenantHosts })
    const host = { host: 'authentication.example.test', headers: { 'x-zid': ids.tenant } }
    const carried = (answer: { json(): Record<string, unknown> }): unknown => claimsOf(answer.json()['access_token'])['corporate_idp_token']
    const first = await embedding.token({ grant_type: jwtBearer, ...app, assertion }, host)
    expect(carried(first)).toBe(assertion)
    const second = await embedding.token({ grant_type: jwtBearer, ...destination, assertion: String(first.json()['access_token']) }, host)
    expect(carried(second)).toBe(assertion)
    const refreshed = await embedding.token(
      { grant_type: 'refresh_token', ...app, refresh_token: String(first.json()['refresh_token']) },
      host,
    )
    expect(carried(refreshed)).toBe(assertion)
    const technical = await embedding.token({ grant_type: 'client_credentials', ...app }, host)
    expect(claimsOf(technical.json()['access_token'])).not.toHaveProperty('corporate_idp_token')
    expect(claimsOf((await exchange(assertion)).json()['access_token'])).not.toHaveProperty('corporate_idp_token')
    const long = await embedding.token(
      { grant_type: jwtBearer, ...app, assertion: provider.sign({ ...user, filler: 'x'.repeat(6_000) }) },
      host,
    )
    expect([long.status, long.json()['error']]).toEqual([400, 'invalid_scope'])
  })

  it('carries the token of a provider along in access tokens, and not in ID tokens', async () => {
    const [issuer] = trusted
    if (issuer === undefined) throw new Error('nobody is trusted')
    const clock = createManualClock(Date.now())
    const grants = createMemoryGrantStore({ clock, bounds: defaultLimits })
    const corporateToken = provider.sign(user)
    const max = { id: 'u-17', name: 'max@corp.test', origin, groups: [], attributes: {}, corporateToken }
    await using embedding = await startService({
      trust: { tokens, issuers: [{ ...issuer, embedsToken: true }] },
      clock,
      // The log-on page knows users of the directory alone: the code of one becomes that of a user of the provider.
      grants: {
        ...grants,
        async add(hash, grant) {
          await grants.add(hash, grant.kind === 'code' ? { ...grant, user: { kind: 'issuer', user: max } } : grant)
        },
      },
    })
    const code = codeOf(await createBrowser(embedding).logOn())
    const answer = await embedding.token({ grant_type: 'authorization_code', ...app, code, redirect_uri: callback })
    expect(answer.status).toBe(200)
    expect(claimsOf(answer.json()['access_token'])).toMatchObject({ user_name: 'max@corp.test', corporate_idp_token: corporateToken })
    const idToken = claimsOf(answer.json()['id_token'])
    expect(idToken).toMatchObject({ user_name: 'max@corp.test', aud: [ids.app] })
    expect(JSON.stringify(idToken)).not.toContain(corporateToken)
    expect(idToken).not.toHaveProperty('corporate_idp_token')
  })

  it('trusts the provider in its own tenant only', async () => {
    const answer = await trusting.token(
      { grant_type: jwtBearer, ...app, assertion: provider.sign(user) },
      { host: 'buyer.authentication.example.test' },
    )
    expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_token'])
  })
})

describe('refresh_token', () => {
  async function refreshToken(): Promise<string> {
    const answer = await running.token({ grant_type: 'password', ...app, username: 'root', password: 'battery staple' })
    return String(answer.json()['refresh_token'])
  }

  it('keeps how the user came in, and never gives more scopes than at first', async () => {
    const first = await running.token({
      grant_type: 'password',
      ...app,
      username: 'root',
      password: 'battery staple',
      scope: 'openid app!t1.Display',
    })
    const refresh_token = String(first.json()['refresh_token'])
    const again = await running.token({ grant_type: 'refresh_token', ...app, refresh_token })
    expect(claimsOf(again.json()['access_token'])).toMatchObject({ grant_type: 'password', scope: ['openid', 'app!t1.Display'] })
    const more = await running.token({ grant_type: 'refresh_token', ...app, refresh_token, scope: 'app!t1.Display app!t1.Admin' })
    expect(more.json()['scope']).toBe('app!t1.Display')
  })

  it('is worth nothing to another client, in another tenant, changed, or after its time', async () => {
    const refresh_token = await refreshToken()
    const attempts = [
      running.token({ grant_type: 'refresh_token', ...destination, refresh_token }),
      running.token({ grant_type: 'refresh_token', ...app, refresh_token }, { headers: { 'x-zid': ids.subscriber } }),
      running.token({ grant_type: 'refresh_token', ...app, refresh_token: `${refresh_token}x` }),
    ]
    for (const answer of await Promise.all(attempts)) expect([answer.status, answer.json()['error']]).toEqual([400, 'invalid_grant'])
    expect((await running.token({ grant_type: 'refresh_token', ...app, refresh_token })).status).toBe(200)
    await using late = await startService()
    const first = await late.token({ grant_type: 'password', ...app, username: 'root', password: 'battery staple' })
    late.clock.advance(7 * 86_400_000)
    const expired = await late.token({ grant_type: 'refresh_token', ...app, refresh_token: String(first.json()['refresh_token']) })
    expect(expired.status).toBe(400)
  })
})

describe('user_token', () => {
  it('CL-032 answers with a refresh token for the named client, with which that client gets a user token', async () => {
    const bearer = { authorization: `Bearer ${await running.userToken()}` }
    // As the community client sends it: everything in the query, an empty body, no secret.
    const query = new URLSearchParams({ grant_type: 'user_token', client_id: ids.connectivity, response_type: 'token' })
    const answer = await running.call({ method: 'POST', path: `/oauth/token?${query}`, headers: bearer })
    expect(answer.status).toBe(200)
    expect(answer.json()).toMatchObject({ access_token: null, refresh_token: expect.any(String) })
    const refresh = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: String(answer.json()['refresh_token']) })
    const basic = `Basic ${Buffer.from(`${ids.connectivity}:${secrets.connectivity}`).toString('base64')}`
    const refreshed = await running.call({ method: 'POST', path: `/oauth/token?${refresh}`, headers: { authorization: basic } })
    expect(claimsOf(refreshed.json()['access_token'])).toMatchObject({ user_name: 'Jane@acme.test', cid: ids.connectivity })
  })

  it('needs a user token of this server', async () => {
    const technical = await running.token({ grant_type: 'client_credentials', ...app })
    const foreign = createTestIssuer({ issuer: `https://127.0.0.1:${running.https.port}/oauth/token` }).user('jane@acme.test', {
      zid: ids.tenant,
    })
    for (const bearer of [String(technical.json()['access_token']), foreign, 'x']) {
      const answer = await running.token(
        { grant_type: 'user_token', client_id: ids.connectivity },
        { headers: { authorization: `Bearer ${bearer}` } },
      )
      expect([answer.status, answer.json()['error']]).toEqual([401, 'invalid_token'])
    }
    expect((await running.token({ grant_type: 'user_token', client_id: ids.connectivity })).status).toBe(401)
  })

  it('is refused for a client that is unknown or may not', async () => {
    await using service = await startService({
      moreClients: [
        { id: 'no-user-token', tenant: ids.tenant, grantTypes: ['client_credentials'], secrets: [createSecret('x'.repeat(20))] },
      ],
    })
    const authorization = `Bearer ${await service.userToken()}`
    for (const client_id of ['no-user-token', 'unknown']) {
      const answer = await service.token({ grant_type: 'user_token', client_id }, { headers: { authorization } })
      expect([answer.status, answer.json()['error']]).toEqual([401, 'unauthorized_client'])
    }
  })
})

describe('answers', () => {
  it('CL-040 expires_in is a number between ten minutes and 24 days, and so is what exp says', async () => {
    await using service = await startService({
      moreClients: [{ id: 'short', tenant: ids.tenant, accessTokenSeconds: 660, secrets: [createSecret('s'.repeat(20))] }],
    })
    for (const client of [app, { client_id: 'short', client_secret: 's'.repeat(20) }]) {
      const answer = (await service.token({ grant_type: 'client_credentials', ...client })).json()
      expect(answer['expires_in']).toBeGreaterThanOrEqual(600)
      expect(answer['expires_in']).toBeLessThanOrEqual(24 * 86_400)
      const left = claimsOf(answer['access_token'])['exp'] - service.clock.now() / 1000
      expect(left).toBeGreaterThanOrEqual(answer['expires_in'])
    }
  })

  it('CL-043 tokens are JWTs, each with its own jti', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => running.token({ grant_type: 'client_credentials', ...app, token_format: 'opaque' })),
    )
    for (const answer of answers) {
      expect(headerOf(answer.json()['access_token'])).toMatchObject({ typ: 'JWT' })
      expect(claimsOf(answer.json()['access_token'])['jti']).toBe(answer.json()['jti'])
    }
    expect(new Set(answers.map((answer) => answer.json()['jti'])).size).toBe(20)
  })

  it('CL-044 token and key calls set no cookies', async () => {
    const answers = [
      await running.token({ grant_type: 'password', ...app, username: 'root', password: 'battery staple' }),
      await running.token({ grant_type: 'client_credentials', ...app }),
      await running.call({ path: '/token_keys' }),
    ]
    for (const answer of answers) {
      expect(answer.status).toBe(200)
      expect(answer.headers['set-cookie']).toBeUndefined()
    }
  })

  it('CL-037 answers are neither compressed nor marked with a byte-order mark', async () => {
    const headers = { 'accept-encoding': 'gzip,deflate' }
    for (const answer of [
      await running.token({ grant_type: 'client_credentials', ...app }, { headers }),
      await running.call({ path: '/token_keys', headers }),
      await running.token({ grant_type: 'nonsense' }, { headers }),
    ]) {
      expect(answer.headers['content-encoding']).toBeUndefined()
      expect(answer.text.startsWith('{')).toBe(true)
    }
  })

  it('may not be kept by caches', async () => {
    const answer = await running.token({ grant_type: 'client_credentials', ...app })
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', pragma: 'no-cache' })
  })
})
