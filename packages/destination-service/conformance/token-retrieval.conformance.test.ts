import { type AddressInfo, createServer } from 'node:net'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createOutgoing, type OutgoingRequest } from '../src/index.ts'
import { type RunningService, startService } from './running-service.ts'
import { startTokenServer, type TokenServer } from './token-server.ts'

let running: RunningService
let tokenServer: TokenServer
/** Names that the service resolves, all to this machine; the host header shows which one it called. */
const outgoing = createOutgoing({
  privateAddresses: 'allow',
  resolve: (host) =>
    host.endsWith('.example.test') ? Promise.resolve([{ address: '127.0.0.1', family: 4 }]) : Promise.reject(new Error(`unknown ${host}`)),
})

beforeEach(async () => {
  tokenServer = await startTokenServer()
  running = await startService({ outgoing })
})
afterEach(async () => {
  await running.close()
  await tokenServer.close()
})

const oauth = (extra: Record<string, string> = {}) => ({
  Name: 'd',
  Type: 'HTTP',
  URL: 'http://x',
  ProxyType: 'Internet',
  Authentication: 'OAuth2ClientCredentials',
  clientId: 'orders',
  clientSecret: 's&cret',
  tokenServiceURL: tokenServer.url,
  ...extra,
})
const failure = (error: unknown) => [{ type: '', value: '', error, expires_in: '' }]
const failedBecause = 'Retrieval of OAuthToken failed due to: '

/** Stores the destination under its name, replacing what was there. */
async function store(destination: Record<string, string>): Promise<void> {
  const replaced = await running.call('PUT', '/v1/subaccountDestinations', { body: destination })
  if (replaced.status === 404) await running.call('POST', '/v1/subaccountDestinations', { body: destination })
}

interface Entry {
  readonly type: string
  readonly value: string
  readonly error?: string
  readonly expires_in?: string
  readonly http_header?: { readonly key: string; readonly value: string }
}

async function find(headers: Readonly<Record<string, string>> = {}, token?: string): Promise<Entry[]> {
  const { status, json } = await running.call('GET', '/v1/destinations/d', { headers, ...(token === undefined ? {} : { token }) })
  expect(status).toBe(200)
  expect(json).toMatchObject({
    owner: { InstanceId: null },
    destinationConfiguration: { Name: 'd', clientId: expect.any(String) as string },
  })
  return (json as { authTokens: Entry[] }).authTokens
}

const formOf = (index = 0): Record<string, string> => Object.fromEntries(tokenServer.calls[index]?.form ?? [])

describe('where the token comes from', () => {
  it('DS-064 calls a Dedicated URL as it is, also when no type is given', async () => {
    for (const type of [{}, { tokenServiceURLType: 'Dedicated' }]) {
      await store(oauth({ ...type, tokenServiceURL: `http://Auth.example.test:${tokenServer.port}/a%20b/{tenant}?x=1&y=%26` }))
      await find()
    }
    for (const call of tokenServer.calls) {
      expect(call).toMatchObject({ method: 'POST', host: `auth.example.test:${tokenServer.port}`, url: '/a%20b/%7Btenant%7D?x=1&y=%26' })
    }
    expect(tokenServer.calls).toHaveLength(2)
  })

  it('DS-065 DS-066 CL-092 puts the tenant where the Common URL says, or before its host', async () => {
    const rows = [
      ['authentication.us10.example.test', '/oauth/token', 'mytenant.authentication.us10.example.test', '/oauth/token'],
      ['{tenant}.authentication.us10.example.test', '/oauth/token', 'mytenant.authentication.us10.example.test', '/oauth/token'],
      ['authentication.example.test', '/tenant/{tenant}/oauth/token', 'authentication.example.test', '/tenant/mytenant/oauth/token'],
      ['oauth.{tenant}.example.test', '/token', 'oauth.mytenant.example.test', '/token'],
      ['{tenant}.x.{tenant}.example.test', '/{tenant}/{tenant}', 'mytenant.x.mytenant.example.test', '/mytenant/mytenant'],
    ]
    for (const [index, [host, path, calledHost, calledPath]] of rows.entries()) {
      await store(oauth({ tokenServiceURLType: 'Common', tokenServiceURL: `http://${host}:${tokenServer.port}${path}` }))
      expect(await find({ 'x-tenant': 'mytenant' })).toMatchObject([{ type: 'Bearer' }])
      expect(tokenServer.calls[index]).toMatchObject({ host: `${calledHost}:${tokenServer.port}`, url: calledPath })
    }
  })

  it('takes the tenant from a user token when there is one, and refuses a token that does not hold', async () => {
    await store(oauth({ tokenServiceURLType: 'Common', tokenServiceURL: `http://auth.example.test:${tokenServer.port}/token` }))
    await find({ 'x-user-token': running.issuer.user('jane', { ext_attr: { zdn: 'acme' } }) })
    expect(tokenServer.calls[0]?.host).toBe(`acme.auth.example.test:${tokenServer.port}`)
    const iss = { iss: running.issuer.issuer, ext_attr: { zdn: '' } }
    expect(await find({ 'x-user-token': running.issuer.user('jane', iss) })).toMatchObject([{ type: 'Bearer' }])
    expect(tokenServer.calls[1]?.host).toBe(`127.auth.example.test:${tokenServer.port}`)
    const expired = running.issuer.user('jane', { exp: 1 })
    expect(await find({ 'x-user-token': expired })).toEqual(failure(`${failedBecause}The JWT in X-user-token is not valid (expired)`))
    const strange = running.issuer.user('jane', { ext_attr: { zdn: 'a/b' } })
    expect(await find({ 'x-user-token': strange })).toMatchObject([
      { type: '', error: expect.stringContaining('no tenant subdomain') as string },
    ])
    expect(tokenServer.calls).toHaveLength(2)
  })

  it('DS-067 refuses a subdomain that would lead to another host, before any call', async () => {
    await store(oauth({ tokenServiceURLType: 'Common', tokenServiceURL: `http://{tenant}.example.test:${tokenServer.port}/token` }))
    for (const tenant of ['evil.example/', 'a.b', 'a@b', 'a:80', '-a', 'a-', 'a_b', 'x'.repeat(64), '{tenant}', 'a#', 'a%2f']) {
      expect((await running.call('GET', '/v1/destinations/d', { headers: { 'x-tenant': tenant } })).status).toBe(400)
    }
    expect(tokenServer.calls).toEqual([])
  })

  it('DS-090 uses the grant of client credentials, and says which header a Common URL lacks', async () => {
    await store(oauth())
    await find()
    expect(formOf()).toMatchObject({ grant_type: 'client_credentials' })
    await store(oauth({ tokenServiceURLType: 'Common' }))
    for (const headers of [{}, { 'x-tenant': '' }]) {
      expect(await find(headers)).toEqual(
        failure(`${failedBecause}You must send the X-tenant header when the tokenServiceURLType property is Common`),
      )
    }
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('DS-091 does not take a tenant for a Dedicated URL', async () => {
    await store(oauth({ tokenServiceURLType: 'Dedicated' }))
    expect(await running.call('GET', '/v1/destinations/d', { headers: { 'x-tenant': 'acme' } })).toMatchObject({
      status: 400,
      json: { ErrorMessage: expect.stringContaining('X-tenant') as string },
    })
    expect(tokenServer.calls).toEqual([])
    expect(await find()).toMatchObject([{ type: 'Bearer' }])
  })

  it.each([
    ['no URL', { tokenServiceURL: '' }, 'tokenServiceURL is missing'],
    ['something else than a URL', { tokenServiceURL: 'auth.example.test' }, 'not an http or https URL'],
    ['another scheme', { tokenServiceURL: 'file:///etc/passwd' }, 'not an http or https URL'],
    ['credentials in the URL', { tokenServiceURL: 'http://u:p@auth.example.test/' }, 'must not contain credentials'],
    ['no client', { clientId: '' }, 'clientId is missing'],
    ['an on-premise token service but no proxy', { 'tokenServiceURL.ProxyType': 'OnPremise' }, 'No connectivity proxy is set up'],
    [
      'an on-premise target whose token service is not said to be elsewhere, but no proxy',
      { ProxyType: 'OnPremise' },
      'No connectivity proxy is set up',
    ],
    [
      'an on-premise token service and https',
      { 'tokenServiceURL.ProxyType': 'OnPremise', tokenServiceURL: 'https://auth.example.test/' },
      'begins with http://',
    ],
    ['a private link', { ProxyType: 'PrivateLink' }, 'Tokens cannot be retrieved with the ProxyType PrivateLink'],
    [
      'a key store that is not there',
      { 'tokenService.KeyStoreLocation': 'k.pem' },
      '"k.pem" of the property tokenService.KeyStoreLocation was not found',
    ],
    [
      'a trust store that is not there',
      { tokenServiceURL: 'https://auth.example.test/', TrustStoreLocation: 't.pem' },
      '"t.pem" of the property TrustStoreLocation was not found',
    ],
    ['an assertion of a destination that is not there', { 'clientAssertion.destinationName': 'p' }, 'was not found on the level'],
    ['a header that would split the request', { 'tokenServiceURL.headers.X': 'a\r\nEvil: 1' }, 'not a valid header'],
    ['a header that frames the request', { 'tokenServiceURL.headers.Content-Length': '0' }, 'cannot be set'],
  ])('says why it cannot be fetched with %s', async (_what, properties, text) => {
    await store(oauth(properties))
    expect(await find()).toEqual(failure(expect.stringContaining(text)))
    expect(tokenServer.calls).toEqual([])
  })

  it('goes to an Internet token service although the target is on premise', async () => {
    await store(oauth({ ProxyType: 'OnPremise', 'tokenServiceURL.ProxyType': 'Internet' }))
    expect(await find()).toMatchObject([{ type: 'Bearer' }])
  })
})

describe('what is sent', () => {
  it('DS-069 puts client and secret into the form by default, and no Authorization header', async () => {
    await store(oauth())
    await find()
    expect(formOf()).toEqual({ grant_type: 'client_credentials', client_id: 'orders', client_secret: 's&cret' })
    expect(tokenServer.calls[0]?.headers).toMatchObject({ 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' })
    expect(tokenServer.calls[0]?.headers).not.toHaveProperty('authorization')
  })

  it('DS-070 puts them into the header when they shall not be in the form', async () => {
    await store(oauth({ 'tokenService.addClientCredentialsInBody': 'false' }))
    await find()
    expect(tokenServer.calls[0]?.headers.authorization).toBe('Basic b3JkZXJzOnMmY3JldA==')
    expect(formOf()).toEqual({ grant_type: 'client_credentials' })
  })

  it('DS-071 lets the technical user of the token service have the header', async () => {
    await store(oauth({ tokenServiceUser: 'tu', tokenServicePassword: 'tö' }))
    await find()
    expect(tokenServer.calls[0]?.headers.authorization).toBe(`Basic ${Buffer.from('tu:tö').toString('base64')}`)
    expect(formOf()).toMatchObject({ client_id: 'orders', client_secret: 's&cret' })
    await store(oauth({ tokenServiceUser: 'tu', tokenServicePassword: 'tö', 'tokenService.addClientCredentialsInBody': 'FALSE' }))
    await find()
    expect(formOf(1)).toEqual({ grant_type: 'client_credentials' })
  })

  it('sends no secret for a public client', async () => {
    await store(oauth({ clientSecret: '' }))
    await find()
    expect(formOf()).toEqual({ grant_type: 'client_credentials', client_id: 'orders' })
  })

  it('DS-129 sends the caller’s assertion instead of the secret', async () => {
    await store(oauth({ tokenServiceUser: 'tu', tokenServicePassword: 'tp', 'clientAssertion.destinationName': 'overridden' }))
    const type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
    expect(await find({ 'x-client-assertion': 'a.b.c', 'x-client-assertion-type': type })).toMatchObject([{ type: 'Bearer' }])
    expect(formOf()).toEqual({
      grant_type: 'client_credentials',
      client_id: 'orders',
      client_assertion: 'a.b.c',
      client_assertion_type: type,
    })
    expect(tokenServer.calls[0]?.headers).not.toHaveProperty('authorization')
  })

  it('DS-074 sends extra headers, queries and fields, keeps the query of the URL, and never another grant', async () => {
    await store(
      oauth({
        tokenServiceURL: `${tokenServer.url}?grant_type=client_credentials&a=%20`,
        'tokenServiceURL.headers.X-Region': 'eu',
        'tokenServiceURL.queries.q 1': 'v&w',
        'tokenService.body.resource': 'urn:x',
        'tokenService.body.client_id': 'other',
        'tokenService.body.grant_type': 'password',
      }),
    )
    await find()
    expect(tokenServer.calls[0]?.url).toBe('/oauth/token?grant_type=client_credentials&a=%20&q%201=v%26w')
    expect(tokenServer.calls[0]?.headers['x-region']).toBe('eu')
    expect(formOf()).toEqual({ grant_type: 'client_credentials', client_id: 'other', client_secret: 's&cret', resource: 'urn:x' })
  })

  it('begins the query with the extra parameters where the URL has none', async () => {
    await store(oauth({ 'tokenServiceURL.queries.a': '1', 'tokenServiceURL.queries.b': '2' }))
    await find()
    await store(oauth({ tokenServiceURL: `${tokenServer.url}?`, 'tokenServiceURL.queries.a': '1' }))
    await find()
    expect(tokenServer.calls.map((call) => call.url)).toEqual(['/oauth/token?a=1&b=2', '/oauth/token?a=1'])
  })

  it('DS-075 sends a scope only when there is one, blanks and all', async () => {
    await store(oauth())
    await find()
    await store(oauth({ scope: 'a b&c' }))
    await find()
    expect(formOf(0)).not.toHaveProperty('scope')
    expect(formOf(1)['scope']).toBe('a b&c')
  })

  it('DS-076 honours time limits up to 60 and 600 seconds and falls back to 10 outside', async () => {
    await running.close()
    const requests: OutgoingRequest[] = []
    running = await startService({
      outgoing: {
        send(request, signal) {
          requests.push(request)
          return outgoing.send(request, signal)
        },
      },
    })
    const rows = [
      ['60', '600', 60, 600],
      ['61', '601', 10, 10],
      ['5', '7', 5, 7],
      ['-1', 'x', 10, 10],
      // Without limit means the largest one.
      ['0', '0', 60, 600],
    ] as const
    for (const [connect, read, connectSeconds, readSeconds] of rows) {
      await store(oauth({ 'tokenServiceURL.ConnectionTimeoutInSeconds': connect, 'tokenServiceURL.SocketReadTimeoutInSeconds': read }))
      await find()
      expect(requests.at(-1)).toMatchObject({ connectTimeoutMs: connectSeconds * 1_000, readTimeoutMs: readSeconds * 1_000 })
    }
    await store(oauth())
    await find()
    expect(requests.at(-1)).toMatchObject({ connectTimeoutMs: 10_000, readTimeoutMs: 10_000 })
  })
})

describe('what comes back', () => {
  it('DS-077 DS-078 CL-100 CL-103 is a header ready to send, with lifetime as text, scope and refresh token, and without an error', async () => {
    tokenServer.answerJson(200, { access_token: 'abc', token_type: 'bearer', expires_in: 43_199, scope: 'a b', refresh_token: 'r' })
    await store(oauth())
    expect(await find()).toEqual([
      {
        type: 'Bearer',
        value: 'abc',
        http_header: { key: 'Authorization', value: 'Bearer abc' },
        expires_in: '43199',
        scope: 'a b',
        refresh_token: 'r',
      },
    ])
    await running.call('POST', '/v1/subaccountDestinations', { body: { Name: 'none', Type: 'HTTP', URL: 'http://x' } })
    expect((await running.call('GET', '/v1/destinations/none')).json).not.toHaveProperty('authTokens')
  })

  it('keeps another scheme than Bearer, and does without what the server leaves out', async () => {
    tokenServer.answerJson(200, { access_token: 'abc', token_type: 'DPoP' })
    await store(oauth())
    expect(await find()).toEqual([{ type: 'DPoP', value: 'abc', http_header: { key: 'Authorization', value: 'DPoP abc' } }])
    tokenServer.answerJson(201, { access_token: 'def', expires_in: '600', scope: ['a', 'b'] })
    await store(oauth({ clientId: 'two' }))
    expect(await find()).toMatchObject([{ type: 'Bearer', value: 'def', expires_in: '600', scope: 'a b' }])
  })

  it('DS-083 DS-084 CL-102 is an entry with the server’s text when it refuses, and the whole configuration beside it', async () => {
    await store(oauth())
    const rows = [
      [401, { error: 'unauthorized', error_description: 'Bad credentials' }, 'Bad credentials'],
      [400, { error: 'invalid_client' }, 'invalid_client'],
      [500, {}, '{}'],
      [302, { error_description: 'moved' }, 'moved'],
    ] as const
    for (const [status, body, text] of rows) {
      tokenServer.answerJson(status, body)
      expect(await find()).toEqual(failure(failedBecause + text))
    }
    const { json } = await running.call('GET', '/v1/destinations/d')
    expect(json).toMatchObject({ owner: { InstanceId: null }, destinationConfiguration: oauth() })
  })

  it('cuts a long text and takes out what the server repeats of our secrets', async () => {
    await store(oauth({ clientSecret: 'Top&Secret', tokenServiceUser: 'tu', tokenServicePassword: 'also-secret' }))
    const basic = Buffer.from('tu:also-secret').toString('base64')
    tokenServer.answer((call, response) => {
      response.writeHead(400).end(`got ${call.form.toString()} ${call.headers.authorization} Top&Secret also-secret ${'x'.repeat(5_000)}`)
    })
    const [entry] = await find()
    expect(entry?.error).toHaveLength(failedBecause.length + 1_000)
    for (const secret of ['Top&Secret', 'Top%26Secret', 'also-secret', basic]) expect(entry?.error).not.toContain(secret)
    expect(entry?.error).toContain('[redacted]')
  })

  it.each([
    ['nothing', ''],
    ['text', 'ok'],
    ['an array', '[]'],
    ['no token', '{}'],
    ['a token that is none', '{"access_token":17}'],
    ['a token that would split a header', '{"access_token":"a\\r\\nEvil: 1"}'],
    ['an empty token', '{"access_token":""}'],
    ['a type that would split a header', '{"access_token":"a","token_type":"Bearer x\\r\\n"}'],
    ['too much', JSON.stringify({ access_token: 'x'.repeat(300_000) })],
    ['a token about to expire', '{"access_token":"a","expires_in":4}'],
  ])('is an error when the server answers 200 with %s', async (_what, body) => {
    tokenServer.answer((_call, response) => response.end(body))
    await store(oauth())
    expect(await find()).toEqual(failure(expect.stringContaining(failedBecause)))
  })

  it('never follows a redirect', async () => {
    tokenServer.answer((_call, response) => response.writeHead(307, { location: tokenServer.url }).end())
    await store(oauth())
    expect(await find()).toEqual(failure(`${failedBecause}The token service answered 307`))
    expect(tokenServer.calls).toHaveLength(1)
  })

  it('DS-082 is HTTP 200 with an empty entry, whether the server refuses, is not there, is silent or not to be trusted', async () => {
    const untrusted = await startTokenServer(createTestCa().issue({ subject: '/CN=localhost' }))
    const silent = createServer((socket) => socket.resume())
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const closedPort = (closed.address() as AddressInfo).port
    await new Promise((resolve) => closed.close(resolve))
    const silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}/`
    const rows: [Record<string, string>, string][] = [
      [{ tokenServiceURL: untrusted.url }, 'Failed to create SSL connection'],
      [{ tokenServiceURL: `http://127.0.0.1:${closedPort}/` }, 'The connection to the token service could not be established'],
      [{ tokenServiceURL: 'http://unknown.invalid/' }, 'The connection to the token service could not be established'],
      [{ tokenServiceURL: silentUrl, 'tokenServiceURL.SocketReadTimeoutInSeconds': '1' }, 'The token service did not answer in time'],
    ]
    for (const [properties, text] of rows) {
      await store(oauth(properties))
      expect(await find()).toEqual(failure(failedBecause + text))
    }
    for (const status of [401, 500]) {
      tokenServer.answerJson(status, {})
      await store(oauth())
      expect(await find()).toEqual(failure(expect.stringContaining(failedBecause)))
    }
    expect(untrusted.calls).toEqual([])
    await Promise.all([untrusted.close(), new Promise((resolve) => silent.close(resolve))])
  })

  it('accepts an untrusted certificate only with TrustAll, and one of an authority that the operator has added', async () => {
    const ca = createTestCa()
    const secure = await startTokenServer(ca.issue({ subject: '/CN=localhost' }))
    await store(oauth({ tokenServiceURL: secure.url, TrustAll: 'false' }))
    expect(await find()).toEqual(failure(`${failedBecause}Failed to create SSL connection`))
    await store(oauth({ tokenServiceURL: secure.url, TrustAll: 'TRUE' }))
    expect(await find()).toMatchObject([{ type: 'Bearer', value: 'token-1' }])
    await running.close()
    running = await startService({ outgoing: createOutgoing({ privateAddresses: 'allow', certificateAuthorities: [ca.certificate] }) })
    await store(oauth({ tokenServiceURL: secure.url }))
    expect(await find()).toMatchObject([{ type: 'Bearer', value: 'token-2' }])
    await secure.close()
  })
})

describe('remembering tokens', () => {
  it('DS-079 asks once for finds within the lifetime, and says how much of it is left', async () => {
    await store(oauth())
    const [first] = await find()
    running.clock.advance(1_000_000)
    const [second] = await find({}, running.token())
    expect(tokenServer.calls).toHaveLength(1)
    expect([first?.value, first?.expires_in, second?.value, second?.expires_in]).toEqual(['token-1', '43199', 'token-1', '42199'])
  })

  it('renews a token with less than a minute left, and never hands out an old one', async () => {
    await store(oauth())
    await find()
    running.clock.advance((43_199 - 60) * 1_000)
    expect(await find({}, running.token())).toMatchObject([{ value: 'token-1', expires_in: '60' }])
    running.clock.advance(1)
    expect(await find({}, running.token())).toMatchObject([{ value: 'token-2', expires_in: '43199' }])
  })

  it('does not remember a token of unknown lifetime, nor a failure', async () => {
    await store(oauth())
    tokenServer.answerJson(200, { access_token: 'a' })
    await find()
    await find()
    tokenServer.answerJson(500, {})
    await find()
    tokenServer.answerJson(200, { access_token: 'b', expires_in: 600 })
    expect(await find()).toMatchObject([{ value: 'b' }])
    expect(tokenServer.calls).toHaveLength(4)
  })

  it('DS-080 does not use the token of a destination that has been changed since', async () => {
    await store(oauth())
    await find()
    await store(oauth({ Description: 'changed' }))
    expect(await find()).toMatchObject([{ value: 'token-2' }])
    await store(oauth({ Description: 'changed again' }))
    expect(await find()).toMatchObject([{ value: 'token-3' }])
  })

  it('keeps the tokens of tenants, levels, destinations and assertions apart', async () => {
    const values = new Set<string | undefined>()
    const add = async (headers: Readonly<Record<string, string>> = {}, token?: string): Promise<void> => {
      values.add((await find(headers, token))[0]?.value)
    }
    await store(oauth({ tokenServiceURLType: 'Common', tokenServiceURL: `http://127.0.0.1:${tokenServer.port}/{tenant}` }))
    await add({ 'x-tenant': 'one' })
    await add({ 'x-tenant': 'two' })
    await add({ 'x-tenant': 'one', 'x-client-assertion': 'a', 'x-client-assertion-type': 't' })
    await add({ 'x-tenant': 'one', 'x-client-assertion': 'b', 'x-client-assertion-type': 't' })
    const subscribed = running.token({ subaccount: 'sub' })
    const same = oauth({ tokenServiceURLType: 'Common', tokenServiceURL: `http://127.0.0.1:${tokenServer.port}/{tenant}` })
    await running.call('POST', '/v1/subaccountDestinations', { body: same, token: subscribed })
    await add({ 'x-tenant': 'one' }, subscribed)
    expect(values.size).toBe(5)
    await add({ 'x-tenant': 'one' })
    await add({ 'x-tenant': 'one' }, subscribed)
    expect(values.size).toBe(5)
  })

  it('lets finds at the same time share one call', async () => {
    await store(oauth())
    let release: () => void = () => {}
    const asked = new Promise<void>((resolve) => {
      tokenServer.answer((_call, response) => {
        release = () => response.end(JSON.stringify({ access_token: 'shared', expires_in: 600 }))
        resolve()
      })
    })
    const finds = Promise.all([find(), find(), find()])
    await asked
    release()
    expect((await finds).flat().map((entry) => entry.value)).toEqual(['shared', 'shared', 'shared'])
    expect(tokenServer.calls).toHaveLength(1)
  })
})
