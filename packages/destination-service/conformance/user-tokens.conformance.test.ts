import { generateKeyPairSync, sign } from 'node:crypto'
import { createTestIssuer } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOutgoing } from '../src/index.ts'
import { maxTokenCallsPerSubaccount } from '../src/limits.ts'
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
const common = (): Record<string, string> => ({
  tokenServiceURLType: 'Common',
  tokenServiceURL: `http://auth.example.test:${tokenServer.port}/token`,
})
const subaccountid = '11111111-2222-3333-4444-555555555555'
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
/** A user token for the calling client itself, as application routers send it. */
const userServiceToken = (name: string, zdn = 'caller'): string =>
  running.issuer.user(name, {
    zid: subaccountid,
    ext_attr: { enhancer: 'XSUAA', zdn, subaccountid },
  })

describe('OAuth2JWTBearer', () => {
  it('DS-094 sends the user token byte for byte as assertion', async () => {
    await store(running, destination('OAuth2JWTBearer', { 'tokenService.body.resource': 'urn:sap:identity:application:provider:name:dep' }))
    const jane = running.issuer.user('jane', { note: 'ünïcode' })
    expect(await entryOf(running, { 'x-user-token': jane })).toMatchObject({ type: 'Bearer', value: 'token-1' })
    expect(formOf()).toEqual({
      grant_type: jwtBearer,
      assertion: jane,
      client_id: 'orders',
      client_secret: 's&cret',
      resource: 'urn:sap:identity:application:provider:name:dep',
    })
  })

  it('DS-062 CL-091 prefers X-user-token to a user in Authorization, and takes an empty one for none', async () => {
    await store(running, destination('OAuth2JWTBearer'))
    const [caller, jane] = [userServiceToken('caller'), running.issuer.user('jane')]
    await find(running, { 'x-user-token': jane }, { token: caller })
    await find(running, { 'x-user-token': '' }, { token: caller })
    expect([formOf(0)['assertion'], formOf(1)['assertion']]).toEqual([jane, caller])
  })

  it('DS-097 takes the subdomain of a Common URL from the user token, for user token exchange and SAML as well', async () => {
    const jane = running.issuer.user('jane', { ext_attr: { zdn: 'janes' } })
    const token = running.token({ claims: { ext_attr: { enhancer: 'XSUAA', zdn: 'callers', subaccountid } } })
    tokenServer.answerJson(200, { access_token: 'a', refresh_token: 'r', expires_in: 600 })
    const saml = { clientKey: 'key', SAMLAssertionProvider: 'ClientProvided' }
    for (const type of ['OAuth2JWTBearer', 'OAuth2UserTokenExchange', 'OAuth2SAMLBearerAssertion']) {
      tokenServer.calls.splice(0)
      // oxlint-disable-next-line no-await-in-loop -- one after the other, so that calls can be told apart
      await store(running, destination(type, { ...common(), ...saml }))
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect(await entryOf(running, { 'x-user-token': jane, 'x-samlassertion': 'A' }, { token })).toMatchObject({ type: 'Bearer' })
      expect(hostOf()).toBe(`janes.auth.example.test:${tokenServer.port}`)
    }
  })

  it('needs a user', async () => {
    await store(running, destination('OAuth2JWTBearer'))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('A user token is needed')))
    expect(tokenServer.calls).toEqual([])
  })

  it('DS-081 never gives one user the token of another, nor one tenant that of another', async () => {
    await store(running, destination('OAuth2JWTBearer'))
    const [jane, joe] = [running.issuer.user('jane'), running.issuer.user('joe')]
    const values = []
    for (const user of [jane, joe, jane, joe]) values.push((await entryOf(running, { 'x-user-token': user })).value)
    expect(values).toEqual(['token-1', 'token-2', 'token-1', 'token-2'])
    const other = running.token({ subaccount: 'other-subaccount' })
    await running.call('POST', '/v1/subaccountDestinations', { body: destination('OAuth2JWTBearer'), token: other })
    expect((await entryOf(running, { 'x-user-token': jane }, { token: other })).value).toBe('token-3')
    await store(running, { FragmentName: 'f', note: 'x' }, 'DestinationFragments')
    expect((await entryOf(running, { 'x-user-token': jane, 'x-fragment-name': 'f' })).value).toBe('token-4')
  })

  it.each([
    ['has expired', { exp: 1 }, {}, '(expired)'],
    ['is not valid yet', { nbf: 4_000_000_000 }, {}, '(not-yet-valid)'],
    ['is signed with another key', {}, { other: true }, '(signature)'],
    ['names a strange issuer', { iss: 'https://elsewhere.example' }, {}, '(issuer)'],
  ])('refuses a user token that %s', async (_what, claims, { other = false }: { readonly other?: boolean }, reason) => {
    await store(running, destination('OAuth2JWTBearer'))
    const issuer = other ? createTestIssuer({ issuer: running.issuer.issuer, nowMs: () => running.clock.now() }) : running.issuer
    expect(await entryOf(running, { 'x-user-token': issuer.user('jane', claims) })).toEqual(
      failed(`${failedBecause}The JWT in X-user-token is not valid ${reason}`),
    )
    expect(tokenServer.calls).toEqual([])
  })

  it('stops to hand a remembered token out when the user’s token is no longer valid', async () => {
    await store(running, destination('OAuth2JWTBearer'))
    const jane = running.issuer.user('jane', { exp: running.clock.now() / 1_000 + 100 })
    expect(await entryOf(running, { 'x-user-token': jane })).toMatchObject({ value: 'token-1' })
    running.clock.advance(101_000)
    expect(await entryOf(running, { 'x-user-token': jane })).toEqual(failed(expect.stringContaining('(expired)')))
  })
})

describe('user tokens of other issuers', () => {
  const elsewhere = createTestIssuer({ issuer: 'https://idp.elsewhere.example', keyId: 'foreign-1' })
  const keysOf = (issuer: { readonly keys: readonly unknown[] }): string =>
    Buffer.from(JSON.stringify({ keys: issuer.keys })).toString('base64')
  const token = (header: Record<string, unknown> = {}): string =>
    elsewhere.sign({ sub: 'jane', iat: running.clock.now() / 1_000, exp: running.clock.now() / 1_000 + 600 }, header)

  it('DS-095 are refused without keys, taken with a key set that fits, and refused with another', async () => {
    const foreign = token()
    await store(running, destination('OAuth2JWTBearer'))
    expect(await entryOf(running, { 'x-user-token': foreign })).toEqual(failed(expect.stringContaining('(issuer)')))
    const stranger = createTestIssuer({ issuer: 'https://idp.elsewhere.example', keyId: 'foreign-1' })
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks': keysOf(stranger) }))
    expect(await entryOf(running, { 'x-user-token': foreign })).toEqual(failed(expect.stringContaining('(signature)')))
    expect(tokenServer.calls).toEqual([])
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks': keysOf(elsewhere) }))
    expect(await entryOf(running, { 'x-user-token': foreign })).toMatchObject({ type: 'Bearer', value: 'token-1' })
    expect(formOf()['assertion']).toBe(foreign)
  })

  it('DS-096 are refused with another typ header than expected, JWT unless told', async () => {
    const jwks = { 'x_user_token.jwks': keysOf(elsewhere) }
    const mismatch = failed(expect.stringContaining('typ header'))
    await store(running, destination('OAuth2JWTBearer', jwks))
    expect(await entryOf(running, { 'x-user-token': token({ typ: 'at+jwt' }) })).toEqual(mismatch)
    expect(await entryOf(running, { 'x-user-token': token({ typ: undefined }) })).toMatchObject({ type: 'Bearer' })
    await store(running, destination('OAuth2JWTBearer', { ...jwks, 'x_user_token.header.typ': 'at+jwt' }))
    expect(await entryOf(running, { 'x-user-token': token({ typ: 'application/AT+JWT' }) })).toMatchObject({ type: 'Bearer' })
    expect(await entryOf(running, { 'x-user-token': token({ typ: 'JWT' }) })).toEqual(mismatch)
    expect(await entryOf(running, { 'x-user-token': token({ typ: undefined }) })).toEqual(mismatch)
    expect(tokenServer.calls).toHaveLength(2)
  })

  it('are verified with keys fetched from jwks_uri, once for many tokens, and again for a new key', async () => {
    let served: readonly unknown[] = elsewhere.keys
    const keyServer = await startTokenServer()
    keyServer.answer((_call, response) => response.writeHead(200).end(JSON.stringify({ keys: served })))
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks_uri': `http://keys.example.test:${keyServer.port}/keys?a=b` }))
    expect(await entryOf(running, { 'x-user-token': token() })).toMatchObject({ type: 'Bearer' })
    expect(await entryOf(running, { 'x-user-token': token() })).toMatchObject({ type: 'Bearer' })
    expect(keyServer.calls).toMatchObject([{ method: 'GET', url: '/keys?a=b', host: `keys.example.test:${keyServer.port}` }])
    const rotated = createTestIssuer({ issuer: 'https://idp.elsewhere.example', keyId: 'foreign-2' })
    const fresh = (): string => rotated.sign({ sub: 'jane', iat: running.clock.now() / 1_000, exp: running.clock.now() / 1_000 + 600 })
    served = [...elsewhere.keys, ...rotated.keys]
    // Not at once: tokens with invented key ids must not make us fetch each time.
    expect(await entryOf(running, { 'x-user-token': fresh() })).toEqual(failed(expect.stringContaining('no key of the key set fits')))
    running.clock.advance(31_000)
    expect(await entryOf(running, { 'x-user-token': fresh() })).toMatchObject({ type: 'Bearer' })
    expect(keyServer.calls).toHaveLength(2)
    await keyServer.close()
  })

  it('have keys fetched within the bound on calls of one subaccount: whoever names a silent address takes no more places than with a silent token service', async () => {
    const silent = await startTokenServer()
    silent.answer(() => {})
    const names = Array.from({ length: maxTokenCallsPerSubaccount + 1 }, (_, at) => `d-${at}`)
    const issuer = createTestIssuer({ issuer: 'https://foreign.test', nowMs: () => running.clock.now() })
    const body = names.map((Name, at) => ({ ...destination('OAuth2JWTBearer', { 'x_user_token.jwks_uri': `${silent.url}?${at}` }), Name }))
    await running.call('POST', '/v1/subaccountDestinations', { body })
    const user = issuer.sign({ sub: 'jane' })
    const found = names.map((name) => running.call('GET', `/v1/destinations/${name}`, { headers: { 'x-user-token': user } }))
    const first = await Promise.race(found)
    expect(first.text).toContain('Too many token calls are under way')
    expect(silent.calls.length).toBeLessThanOrEqual(maxTokenCallsPerSubaccount)
    await silent.close()
    const texts = (await Promise.all(found)).map(({ text }) => text)
    expect(texts.filter((text) => text.includes('Too many token calls'))).toHaveLength(1)
  })

  it('DS-095 are refused when jwks_uri leads where the service must not call, or to no key set', async () => {
    await running.close()
    running = await startService({ outgoing: createOutgoing({ privateAddresses: 'refuse' }) })
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks_uri': tokenServer.url }))
    expect(await entryOf(running, { 'x-user-token': token() })).toEqual(failed(expect.stringContaining('must not be called')))
    expect(tokenServer.calls).toEqual([])
    await running.close()
    running = await startService({ outgoing })
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks_uri': tokenServer.url }))
    expect(await entryOf(running, { 'x-user-token': token() })).toEqual(failed(expect.stringContaining('does not answer with a key set')))
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks': 'bm90IGpzb24=' }))
    expect(await entryOf(running, { 'x-user-token': token() })).toEqual(failed(expect.stringContaining('not a Base64-encoded JWK Set')))
  })

  it('may be signed with elliptic curves and without a key id, never with a shared secret or not at all', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { sub: 'jane', exp: running.clock.now() / 1_000 + 600 }
    const signed = (header: Record<string, unknown>): string => {
      const input = `${part(header)}.${part(claims)}`
      return `${input}.${sign('sha384', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    }
    const jwk = publicKey.export({ format: 'jwk' })
    const keys = { keys: [{ kty: 'oct', k: 'c2VjcmV0' }, { ...jwk, use: 'enc' }, jwk] }
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks': Buffer.from(JSON.stringify(keys)).toString('base64') }))
    expect(await entryOf(running, { 'x-user-token': signed({ alg: 'ES384', typ: 'JWT' }) })).toMatchObject({ type: 'Bearer' })
    for (const alg of ['HS256', 'none', 'ES256']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other is fine here
      expect(await entryOf(running, { 'x-user-token': signed({ alg, typ: 'JWT' }) })).toMatchObject({ type: '' })
    }
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('cannot pass for tokens of our own issuer, whatever keys the destination names', async () => {
    const impostor = createTestIssuer({ issuer: running.issuer.issuer, nowMs: () => running.clock.now() })
    await store(running, destination('OAuth2JWTBearer', { 'x_user_token.jwks': keysOf(impostor) }))
    expect(await entryOf(running, { 'x-user-token': impostor.user('jane') })).toEqual(failed(expect.stringContaining('(signature)')))
    expect(tokenServer.calls).toEqual([])
  })

  it('name the tenant of a Common URL themselves, or leave it to X-tenant', async () => {
    await store(running, destination('OAuth2JWTBearer', { ...common(), 'x_user_token.jwks': keysOf(elsewhere) }))
    const bare = elsewhere.sign({ sub: 'jane', zid: undefined, ext_attr: undefined, exp: running.clock.now() / 1_000 + 600, iat: 0 })
    expect(await entryOf(running, { 'x-user-token': bare })).toEqual(failed(expect.stringContaining('names no tenant subdomain')))
    expect(await entryOf(running, { 'x-user-token': bare, 'x-tenant': 'acme' })).toMatchObject({ type: 'Bearer' })
    expect(hostOf()).toBe(`acme.auth.example.test:${tokenServer.port}`)
  })
})

describe('OAuth2UserTokenExchange', () => {
  beforeEach(() => {
    let serial = 0
    tokenServer.answer((call, response) => {
      const body =
        call.form.get('grant_type') === 'user_token'
          ? { refresh_token: `opaque-${++serial}`, access_token: null, token_type: 'bearer', expires_in: 600 }
          : { access_token: `of-${call.form.get('refresh_token')}`, token_type: 'bearer', expires_in: 600, refresh_token: 'opaque-again' }
      response.writeHead(200).end(JSON.stringify(body))
    })
  })

  it('DS-092 makes two calls, the second with a refresh token, and returns the access token only', async () => {
    await store(running, destination('OAuth2UserTokenExchange', { scope: 'a b' }))
    const jane = running.issuer.user('jane', { scope: ['uaa.user'] })
    const found = await find(running, { 'x-user-token': jane })
    expect(found.authTokens).toEqual([
      { type: 'Bearer', value: 'of-opaque-1', http_header: { key: 'Authorization', value: 'Bearer of-opaque-1' }, expires_in: '600' },
    ])
    expect(JSON.stringify(found)).not.toContain('opaque-again')
    expect(tokenServer.calls).toHaveLength(2)
    expect(tokenServer.calls[0]?.headers.authorization).toBe(`Bearer ${jane}`)
    expect(formOf(0)).toEqual({
      grant_type: 'user_token',
      client_id: 'orders',
      response_type: 'token',
      token_format: 'opaque',
      scope: 'a b',
    })
    expect(tokenServer.calls[1]?.headers).not.toHaveProperty('authorization')
    expect(formOf(1)).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'opaque-1',
      client_id: 'orders',
      client_secret: 's&cret',
      scope: 'a b',
    })
    await find(running, { 'x-user-token': jane })
    expect(tokenServer.calls).toHaveLength(2)
    await find(running, { 'x-user-token': running.issuer.user('joe') })
    expect(tokenServer.calls).toHaveLength(4)
  })

  it('keeps the user’s token in the header of the first call, and the client’s secret in that of the second, when it shall not be in the form', async () => {
    await store(running, destination('OAuth2UserTokenExchange', { 'tokenService.addClientCredentialsInBody': 'false' }))
    const jane = running.issuer.user('jane')
    await find(running, { 'x-user-token': jane })
    expect(tokenServer.calls.map((call) => call.headers.authorization)).toEqual([`Bearer ${jane}`, 'Basic b3JkZXJzOnMmY3JldA=='])
    expect(formOf(0)).toMatchObject({ client_id: 'orders' })
    expect(formOf(1)).toEqual({ grant_type: 'refresh_token', refresh_token: 'opaque-1' })
  })

  it('DS-093 says that a user is needed and calls nobody when there is none', async () => {
    await store(running, destination('OAuth2UserTokenExchange'))
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('A user token is needed')))
    expect(await entryOf(running, { 'x-user-token': '' })).toMatchObject({ type: '' })
    expect(tokenServer.calls).toEqual([])
  })

  it('takes a user in Authorization', async () => {
    await store(running, destination('OAuth2UserTokenExchange'))
    const caller = userServiceToken('jane')
    await find(running, {}, { token: caller })
    expect(tokenServer.calls[0]?.headers.authorization).toBe(`Bearer ${caller}`)
  })

  it('says in the words of the original what the first call was answered, and makes no second', async () => {
    tokenServer.answerJson(401, {
      error: 'invalid_token',
      error_description: 'Token header claim [kid] references unknown signing key : [k]',
    })
    await store(running, destination('OAuth2UserTokenExchange'))
    expect(await entryOf(running, { 'x-user-token': running.issuer.user('jane') })).toEqual(
      failed(
        `${failedBecause}Unable to fetch refresh token from the specified token service URL. Response was: Token header claim [kid] references unknown signing key : [k]`,
      ),
    )
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('can be carried out in one step where the operator wants that', async () => {
    await running.close()
    running = await startService({ outgoing, authentication: { userTokenExchange: 'jwt-bearer' } })
    tokenServer.answerJson(200, { access_token: 'a', token_type: 'bearer', refresh_token: 'kept', expires_in: 600 })
    await store(running, destination('OAuth2UserTokenExchange'))
    const jane = running.issuer.user('jane')
    const entry = await entryOf(running, { 'x-user-token': jane })
    expect(entry).toMatchObject({ value: 'a' })
    expect(entry).not.toHaveProperty('refresh_token')
    expect(formOf()).toEqual({ grant_type: jwtBearer, assertion: jane, client_id: 'orders', client_secret: 's&cret' })
    expect(tokenServer.calls).toHaveLength(1)
  })
})

describe('principal propagation', () => {
  const propagated = (more: Record<string, string> = {}): Record<string, string> => ({
    Name: 'd',
    Type: 'HTTP',
    URL: 'http://x',
    ProxyType: 'OnPremise',
    Authentication: 'PrincipalPropagation',
    ...more,
  })

  it('DS-089 has no token for users of our own, and is accepted on premise only', async () => {
    const Internet = { ProxyType: 'Internet' }
    expect((await running.call('POST', '/v1/subaccountDestinations', { body: propagated(Internet) })).status).toBe(400)
    await store(running, propagated())
    expect(await find(running, { 'x-user-token': running.issuer.user('jane') })).not.toHaveProperty('authTokens')
    expect(await find(running)).not.toHaveProperty('authTokens')
    await store(running, { FragmentName: 'f', ...Internet }, 'DestinationFragments')
    expect(await entryOf(running, { 'x-fragment-name': 'f' })).toEqual(
      failed('Authentication "PrincipalPropagation" needs the ProxyType "OnPremise"'),
    )
  })
})
