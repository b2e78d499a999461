import { readKeystore, writeJks, writePkcs12 } from '@sallyport/keystore'
import { createTestCa, createTestIssuer } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOutgoing } from '../src/index.ts'
import { entryOf, failed, failedBecause, find, store, storeFile } from './look-up.ts'
import { type RunningService, startService } from './running-service.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

const ca = createTestCa({ subject: '/CN=Authority' })
const clientCa = createTestCa({ subject: '/CN=Client Authority' })
const client = clientCa.issue({ subject: '/CN=orders-client', keyType: 'rsa' })
const untrusted = failed(`${failedBecause}Failed to create SSL connection`)
const outgoing = createOutgoing({ privateAddresses: 'allow', resolve: async () => [{ address: '127.0.0.1', family: 4 }] })

let running: RunningService
let tokenServer: TokenServer
beforeEach(async () => {
  running = await startService({ outgoing })
})
afterEach(async () => {
  await running.close()
  await tokenServer.close()
})

const destination = (more: Record<string, string> = {}): Record<string, string> => ({
  Name: 'd',
  Type: 'HTTP',
  URL: 'http://x',
  ProxyType: 'Internet',
  Authentication: 'OAuth2ClientCredentials',
  clientId: 'orders',
  clientSecret: 's&cret',
  tokenServiceURL: tokenServer.url,
  ...more,
})
const formOf = (index = 0): Record<string, string> => Object.fromEntries(tokenServer.calls[index]?.form ?? [])

describe('whom a destination trusts', () => {
  beforeEach(async () => {
    tokenServer = await startTokenServer(ca.issue({ subject: '/CN=server' }))
  })

  it('DS-085 nobody unknown, everybody with TrustAll, and the authorities of its trust store', async () => {
    await store(running, destination())
    expect(await entryOf(running)).toEqual(untrusted)
    await store(running, destination({ TrustAll: 'TRUE' }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer', value: 'token-1' })
    await storeFile(running, 'trust.pem', ca.certificate)
    await store(running, destination({ TrustStoreLocation: 'trust.pem' }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer', value: 'token-2' })
    await storeFile(running, 'trust.pem', clientCa.certificate)
    expect(await entryOf(running)).toEqual(untrusted)
    await store(running, destination({ TrustStoreLocation: 'trust.pem', TrustAll: 'true' }))
    expect(await entryOf(running)).toMatchObject({ value: 'token-3' })
  })

  it('reads trust stores of the Java kind with their password', async () => {
    await storeFile(
      running,
      'trust.jks',
      writeJks({ alias: 'ca', certificates: [ca.certificate], privateKey: ca.key, password: 'changeit' }, 0),
    )
    await store(running, destination({ TrustStoreLocation: 'trust.jks', TrustStorePassword: 'changeit' }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer' })
  })

  it('adds the authorities of the platform to those of the trust store', async () => {
    await running.close()
    running = await startService({
      outgoing: createOutgoing({ privateAddresses: 'allow', certificateAuthorities: [ca.certificate] }),
    })
    await storeFile(running, 'trust.pem', clientCa.certificate)
    await store(running, destination({ TrustStoreLocation: 'trust.pem' }))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer' })
  })
})

describe('names in server certificates', () => {
  const rows = [
    { host: 'a.foo.test', Strict: 'Bearer', BrowserCompatible: 'Bearer' },
    { host: 'a.b.foo.test', Strict: '', BrowserCompatible: 'Bearer' },
    { host: 'foo.test', Strict: '', BrowserCompatible: '' },
    { host: 'other.test', Strict: '', BrowserCompatible: '' },
  ] as const

  it.each(rows)('are read strictly or as browsers did: *.foo.test and $host', async (row) => {
    tokenServer = await startTokenServer(ca.issue({ subject: '/CN=server.test', names: ['*.foo.test'] }))
    await storeFile(running, 'trust.pem', ca.certificate)
    for (const verifier of ['Strict', 'BrowserCompatible'] as const) {
      const url = tokenServer.url.replace('127.0.0.1', row.host)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await store(running, destination({ tokenServiceURL: url, TrustStoreLocation: 'trust.pem', HostnameVerifier: verifier }))
      // oxlint-disable-next-line no-await-in-loop -- as above
      expect((await entryOf(running)).type).toBe(row[verifier])
    }
  })

  it('may be the common name for browsers of old, beside alternative names', async () => {
    tokenServer = await startTokenServer(ca.issue({ subject: '/CN=common.test', names: ['alternative.test'] }))
    await storeFile(running, 'trust.pem', ca.certificate)
    const types = []
    for (const HostnameVerifier of ['Strict', 'BrowserCompatible']) {
      const tokenServiceURL = tokenServer.url.replace('127.0.0.1', 'common.test')
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await store(running, destination({ tokenServiceURL, TrustStoreLocation: 'trust.pem', HostnameVerifier }))
      // oxlint-disable-next-line no-await-in-loop -- as above
      types.push((await entryOf(running)).type)
    }
    expect(types).toEqual(['', 'Bearer'])
  })
})

describe('a client that shows a certificate', () => {
  const pair = { alias: 'client', certificates: [client.certificate, clientCa.certificate], privateKey: client.key }
  const stores = [
    { name: 'client.pem', content: `${client.certificate}\n${client.key}`, password: '' },
    { name: 'client.crt', content: `${client.key}\n${client.certificate}`, password: '' },
    { name: 'client.p12', content: writePkcs12({ ...pair, password: 'p&ss' }), password: 'p&ss' },
    { name: 'client.pfx', content: writePkcs12({ ...pair, password: 'p&ss' }), password: 'p&ss' },
    { name: 'client.jks', content: writeJks({ ...pair, password: 'p&ssword' }, 0), password: 'p&ssword' },
  ]
  const withStore = (name: string, password = ''): Record<string, string> =>
    destination({ TrustAll: 'true', 'tokenService.KeyStoreLocation': name, 'tokenService.KeyStorePassword': password })
  beforeEach(async () => {
    tokenServer = await startTokenServer({ ...ca.issue({ subject: '/CN=server' }), clientAuthority: clientCa.certificate })
  })

  it.each(stores)('DS-073 presents the one of $name', async ({ name, content, password }) => {
    await storeFile(running, name, await content)
    await store(running, withStore(name, password))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer', value: 'token-1' })
    expect(tokenServer.calls).toMatchObject([{ client: 'orders-client' }])
    await find(running)
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('DS-072 sends no secret although there is one, in neither form nor header', async () => {
    await storeFile(running, 'client.pem', `${client.certificate}\n${client.key}`)
    await store(running, {
      ...withStore('client.pem'),
      tokenServiceUser: 'tu',
      tokenServicePassword: 'tp',
      'tokenService.addClientCredentialsInBody': 'false',
    })
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer' })
    expect(tokenServer.calls).toMatchObject([{ client: 'orders-client' }])
    expect(formOf()).toEqual({ grant_type: 'client_credentials', client_id: 'orders' })
    expect(tokenServer.calls[0]?.headers).not.toHaveProperty('authorization')
  })

  it.each([
    ['OAuth2Password', { User: 'u', Password: 'p' }, {}],
    ['OAuth2RefreshToken', {}, { 'x-refresh-token': 'r' }],
    ['OAuth2AuthorizationCode', {}, { 'x-code': 'c' }],
    ['OAuth2TokenExchange', {}, { 'x-subject-token': 's', 'x-subject-token-type': 't' }],
    ['OAuth2JWTBearer', {}, { 'x-user-token': 'jane' }],
    ['OAuth2UserTokenExchange', {}, { 'x-user-token': 'jane' }],
    ['OAuth2SAMLBearerAssertion', { clientKey: 'orders', SAMLAssertionProvider: 'ClientProvided' }, { 'x-samlassertion': 'a' }],
    ['OAuth2TechnicalUserPropagation', { ProxyType: 'OnPremise' }, {}],
  ])('DS-072 does so with %s, too', async (Authentication, more, headers: Record<string, string>) => {
    tokenServer.answerJson(200, { access_token: 'a', refresh_token: 'r', token_type: 'bearer', expires_in: 600 })
    await storeFile(running, 'client.pem', `${client.certificate}\n${client.key}`)
    await store(running, { ...withStore('client.pem'), Authentication, ...more })
    const user = 'x-user-token' in headers ? { 'x-user-token': running.issuer.user('jane') } : {}
    expect(await entryOf(running, { ...headers, ...user })).toMatchObject({ type: 'Bearer', value: 'a' })
    for (const [index, call] of tokenServer.calls.entries()) {
      expect(call.client).toBe('orders-client')
      expect(formOf(index)).toMatchObject({ client_id: 'orders' })
      expect(formOf(index)).not.toHaveProperty('client_secret')
    }
  })

  it('takes the first key that has its certificate out of several', async () => {
    const other = clientCa.issue({ subject: '/CN=without-key', keyType: 'rsa' })
    await storeFile(running, 'client.pem', `${other.certificate}\n${client.certificate}\n${client.key}`)
    await store(running, withStore('client.pem'))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer' })
    expect(tokenServer.calls).toMatchObject([{ client: 'orders-client' }])
  })

  it.each([
    ['is not there', 'missing.p12', undefined, 'was not found'],
    ['has no key', 'client.pem', client.certificate, 'holds no private key'],
    ['has the key of another certificate', 'client.pem', `${client.certificate}\n${clientCa.key}`, ''],
    ['needs a password', 'client.p12', writePkcs12({ ...pair, password: 'p&ss' }), 'cannot be read'],
    ['needs another password', 'client.jks', writeJks({ ...pair, password: 'another' }, 0), ''],
  ])('says that its key store %s, and calls nobody', async (_what, name, content, text) => {
    if (content !== undefined) await storeFile(running, name, await content)
    await store(running, withStore(name, name.endsWith('jks') ? 'p&ssword' : ''))
    const entry = await entryOf(running)
    expect(entry).toEqual(failed(expect.stringContaining(text)))
    expect(entry.error).toContain(`"${name}" of the property tokenService.KeyStoreLocation`)
    expect(entry.error).not.toMatch(/PRIVATE KEY|p&ss/)
    expect(tokenServer.calls).toEqual([])
  })

  it('is not possible on premise, nor without TLS', async () => {
    await storeFile(running, 'client.pem', `${client.certificate}\n${client.key}`)
    await store(running, { ...withStore('client.pem'), ProxyType: 'OnPremise', tokenServiceURL: 'http://auth.virtual/token' })
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('ProxyType Internet')))
    await store(running, { ...withStore('client.pem'), tokenServiceURL: 'http://auth.test/token' })
    expect(await entryOf(running)).toEqual(failed(expect.stringContaining('needs a tokenServiceURL with https')))
  })

  it('is refused by the server without one', async () => {
    await store(running, destination({ TrustAll: 'true' }))
    expect(await entryOf(running)).toMatchObject({ type: '' })
    expect(tokenServer.calls).toEqual([])
  })

  it.each(['p12', 'jks', 'pem'])('may have a %s that was generated here, whose password need not be told', async (extension) => {
    const name = `generated.${extension}`
    // The server looks at its own clock.
    running.clock.set(Date.now())
    const Attributes = { CN: 'generated-client', Validity: { TimeUnit: 'DAYS', Value: 5 }, Password: 'p&ssword' }
    expect((await running.call('POST', '/v1/subaccountCertificates', { body: { Name: name, Attributes } })).status).toBe(201)
    const { json } = await running.call('GET', `/v1/subaccountCertificates/${name}`)
    const content = Buffer.from((json as { Content: string }).Content, 'base64')
    const chain = (await readKeystore({ name, content, password: 'p&ssword' })).entries[0]?.certificates ?? []
    await tokenServer.close()
    tokenServer = await startTokenServer({ ...ca.issue({ subject: '/CN=server' }), clientAuthority: chain.slice(1).join('\n') })
    await store(running, withStore(name))
    expect(await entryOf(running)).toMatchObject({ type: 'Bearer', value: 'token-1' })
    expect(tokenServer.calls).toMatchObject([{ client: 'generated-client' }])
  })

  it('shows a new one as soon as its key store is replaced', async () => {
    await storeFile(running, 'client.pem', `${client.certificate}\n${client.key}`)
    await store(running, withStore('client.pem'))
    await find(running)
    const next = clientCa.issue({ subject: '/CN=next-client', keyType: 'rsa' })
    await storeFile(running, 'client.pem', `${next.certificate}\n${next.key}`)
    expect(await entryOf(running)).toMatchObject({ value: 'token-2' })
    expect(tokenServer.calls.map((call) => call.client)).toEqual(['orders-client', 'next-client'])
  })
})

describe('users whose identity service forwards tokens of a corporate provider', () => {
  it.each([
    ['access_token', 'token', 'corporate-access'],
    ['id_token', 'id_token', 'corporate-id'],
  ])('get the %s exchanged for principal propagation', async (wanted, responseType, value) => {
    tokenServer = await startTokenServer(ca.issue({ subject: '/CN=identity' }))
    tokenServer.answerJson(200, { access_token: 'corporate-access', id_token: 'corporate-id', token_type: 'Bearer', expires_in: 600 })
    const identity = createTestIssuer({ issuer: new URL(tokenServer.url).origin, nowMs: () => running.clock.now() })
    await storeFile(running, 'trust.pem', ca.certificate)
    await store(running, {
      Name: 'd',
      Type: 'HTTP',
      URL: 'http://x',
      ProxyType: 'OnPremise',
      Authentication: 'PrincipalPropagation',
      TrustStoreLocation: 'trust.pem',
      clientId: 'app',
      clientSecret: 'secret',
      tokenServiceURL: new URL('/oauth2/exchange/corporateidp', tokenServer.url).href,
      'x_user_token.jwks': Buffer.from(JSON.stringify({ keys: identity.keys })).toString('base64'),
    })
    const user = identity.sign({ sub: 'jane', forward_corp_idp_token: wanted })
    expect(await entryOf(running, { 'x-user-token': user })).toEqual({
      type: 'Bearer',
      value,
      http_header: { key: 'SAP-Connectivity-Authentication', value: `Bearer ${value}` },
    })
    expect(tokenServer.calls).toMatchObject([{ method: 'POST', url: '/oauth2/exchange/corporateidp' }])
    expect(formOf()).toEqual({ assertion: user, response_type: responseType, client_id: 'app', client_secret: 'secret' })
    const forged = createTestIssuer({ issuer: identity.issuer, nowMs: () => running.clock.now() })
    expect(await entryOf(running, { 'x-user-token': forged.sign({ forward_corp_idp_token: wanted }) })).toEqual(
      failed(expect.stringContaining('(signature)')),
    )
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('are never asked about where the token alone says so: a key of the set does not decide who gets the secret', async () => {
    tokenServer = await startTokenServer(ca.issue({ subject: '/CN=evil' }))
    const identity = createTestIssuer({ issuer: new URL(tokenServer.url).origin, nowMs: () => running.clock.now() })
    await storeFile(running, 'trust.pem', ca.certificate)
    const dynamic = {
      Name: 'd',
      Type: 'HTTP',
      URL: 'http://x',
      ProxyType: 'OnPremise',
      Authentication: 'PrincipalPropagation',
      TrustStoreLocation: 'trust.pem',
      clientId: 'app',
      clientSecret: 'secret',
      'x_user_token.jwks': Buffer.from(JSON.stringify({ keys: identity.keys })).toString('base64'),
    }
    await store(running, dynamic)
    const headers = { 'x-user-token': identity.sign({ sub: 'jane', forward_corp_idp_token: 'access_token' }) }
    expect(await entryOf(running, headers)).toEqual(failed(expect.stringContaining('tokenServiceURL')))
    // Keys in the destination come before those of the address, which then says nothing.
    await store(running, { ...dynamic, 'x_user_token.jwks_uri': `${new URL(tokenServer.url).origin}/keys` })
    expect(await entryOf(running, headers)).toEqual(failed(expect.stringContaining('tokenServiceURL')))
    expect(tokenServer.calls).toEqual([])
  })

  it('are asked about where their keys come from', async () => {
    tokenServer = await startTokenServer(ca.issue({ subject: '/CN=identity' }))
    const identity = createTestIssuer({ issuer: new URL(tokenServer.url).origin, nowMs: () => running.clock.now() })
    tokenServer.answer((call, response) => {
      const body = call.url === '/keys' ? { keys: identity.keys } : { access_token: 'corporate', token_type: 'Bearer', expires_in: 600 }
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
    await storeFile(running, 'trust.pem', ca.certificate)
    await store(running, {
      Name: 'd',
      Type: 'HTTP',
      URL: 'http://x',
      ProxyType: 'OnPremise',
      Authentication: 'PrincipalPropagation',
      TrustStoreLocation: 'trust.pem',
      clientId: 'app',
      clientSecret: 'secret',
      'x_user_token.jwks_uri': `${new URL(tokenServer.url).origin}/keys`,
    })
    const user = identity.sign({ sub: 'jane', forward_corp_idp_token: 'access_token' })
    expect(await entryOf(running, { 'x-user-token': user })).toMatchObject({ value: 'corporate' })
    expect(tokenServer.calls.map(({ url }) => url)).toEqual(['/keys', '/oauth2/exchange/corporateidp'])
  })
})
