import { systemClock } from '@sallyport/core'
import { createManualClock, createTestIssuer } from '@sallyport/test-fixtures'
import { createFixedKeySource, createRemoteKeySource } from '@sallyport/token-verifier'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type HttpBackend, startHttpBackend } from './backends.ts'
import { openRawClient, readAnswer } from '@sallyport/conformance/cases'
import { allowedClient, type Rig, type RigConnector, startRig } from './rig.ts'

let rig: Rig
let backend: HttpBackend
let connector: RigConnector

beforeAll(async () => {
  backend = await startHttpBackend()
  rig = await startRig()
  connector = await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

async function ask(lines: readonly string[], port: number = rig.http): Promise<{ head: string; status: number; body: string }> {
  await using client = await openRawClient(port)
  client.write(['GET http://erp.demo/x HTTP/1.1', 'Host: erp.demo', ...lines, '', ''].join('\r\n'))
  return await readAnswer(client)
}

function proxyHeader(claims?: Readonly<Record<string, unknown>>): string {
  return `Proxy-Authorization: ${rig.bearer(claims)}`
}

function seenHeaders(): string[] {
  const raw = backend.requests.at(-1)?.rawHeaders ?? []
  return raw.filter((_, at) => at % 2 === 0).map((name) => name.toLowerCase())
}

function lastOpening() {
  const opening = connector.openings.at(-1)
  if (opening?.kind !== 'http') throw new Error('no HTTP stream was opened')
  return opening
}

describe('headers', () => {
  it('SAP-Connectivity-Authentication never reaches the backend, but its token goes with the stream', async () => {
    const user = rig.issuer.user('jane@acme.test')
    expect((await ask([proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${user}`])).status).toBe(200)
    expect(seenHeaders()).not.toContain('sap-connectivity-authentication')
    expect(JSON.stringify(backend.requests.at(-1)?.rawHeaders)).not.toContain(user)
    expect(lastOpening().principal).toEqual({ kind: 'business', token: user })
  })

  it('CP-028 CP-029 CL-124 headers for the proxy and hop-by-hop headers never reach the backend', async () => {
    const mine = await rig.connect({ locationId: 'headers', mappings: { 'erp.demo:80': backend.port } })
    const answer = await ask([
      proxyHeader(),
      'SAP-Connectivity-ConsumerAccount: x',
      'SAP-Connectivity-SCC-Location_ID: headers',
      `SAP-Connectivity-Technical-Authentication: Bearer ${rig.issuer.technical()}`,
      'SAP-Connectivity-Region-Configuration-Id: eu',
      `SAP-CP-Connectivity-Service-Token: ${rig.issuer.technical()}`,
      'SAP-Connectivity-Anything: 1',
      'Proxy-Connection: keep-alive',
      'Proxy-Foo: 1',
      'Connection: X-Hop',
      'X-Hop: gone',
      'Keep-Alive: timeout=5',
      'TE: trailers',
      'Trailer: X-T',
      'Authorization: Basic dTpw',
      'Cookie: a=b',
      'X-Kept: yes',
    ])
    expect(answer.status).toBe(200)
    expect(mine.openings).toHaveLength(1)
    expect(seenHeaders()).toEqual(['host', 'authorization', 'cookie', 'x-kept'])
  })

  it('CP-030 Authorization passes unchanged when no principal is propagated', async () => {
    await ask([proxyHeader(), 'Authorization: Basic  dTpw '])
    expect(backend.requests.at(-1)?.rawHeaders).toEqual(['Host', 'erp.demo', 'Authorization', 'Basic  dTpw'])
  })

  it('passes Authorization beside a principal on as well, and warns', async () => {
    await ask([proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${rig.issuer.user('jane')}`, 'Authorization: Basic dTpw'])
    expect(seenHeaders()).toEqual(['host', 'authorization'])
    expect(rig.logged.some((line) => line.includes('"warn"') && line.includes('Authorization header as well'))).toBe(true)
  })

  it('CP-031 names of control headers match whatever their case', async () => {
    const mine = await rig.connect({ locationId: 'cAse', mappings: { 'erp.demo:80': backend.port } })
    const user = rig.issuer.user('jane')
    const answer = await ask([
      `PROXY-AUTHORIZATION: bearer ${rig.issuer.technical()}`,
      'sap-CONNECTIVITY-scc-location_id: cAse',
      `sAp-connectivity-authentication: BEARER ${user}`,
    ])
    expect(answer.status).toBe(200)
    expect(mine.openings[0]).toMatchObject({ locationId: 'cAse', principal: { kind: 'business', token: user } })
  })

  it.each(['SSL_CLIENT_CERT', 'ssl_client_cert_chain_0', 'SSL-Client-Cert', 'Ssl_Client-cert-X'])(
    'CP-032 a certificate header %s of an application is not delivered',
    async (name) => {
      expect((await ask([proxyHeader(), `${name}: MIIB`])).status).toBe(200)
      expect(seenHeaders()).toEqual(['host'])
    },
  )

  it('CP-033 repeated headers keep order, spelling and count', async () => {
    await ask(['X-B: 1', proxyHeader(), 'x-a: 2', 'X-B:3', 'X-b:   4  5'])
    expect(backend.requests.at(-1)?.rawHeaders).toEqual(['Host', 'erp.demo', 'X-B', '1', 'x-a', '2', 'X-B', '3', 'X-b', '4  5'])
  })

  it.each([
    'Proxy-Authorization',
    'SAP-Connectivity-Authentication',
    'SAP-Connectivity-SCC-Location_ID',
    'SAP-CP-Connectivity-Service-Token',
  ])('refuses a repeated %s with 400', async (name) => {
    const lines = [`${name}: Bearer a`, `${name}: Bearer a`]
    expect(await ask([...(name === 'Proxy-Authorization' ? [] : [proxyHeader()]), ...lines])).toMatchObject({ status: 400 })
  })
})

describe('proxy authorization', () => {
  it('CP-034 Basic with the token as user name is as good as Bearer', async () => {
    const pair = Buffer.from(`${rig.issuer.technical()}:`).toString('base64')
    expect((await ask([`Proxy-Authorization: Basic ${pair}`])).status).toBe(200)
    const withPassword = Buffer.from(`${rig.issuer.technical()}:pw`).toString('base64')
    expect((await ask([`Proxy-Authorization: Basic ${withPassword}`])).status).toBe(407)
  })

  it('writes one audit line for refusals that repeat, and their number when that time is over', async () => {
    const clock = createManualClock(Date.now())
    await using own = await startRig({ clock })
    for (let i = 0; i < 20; i++) expect((await ask([], own.http)).status).toBe(407)
    const refused = (): readonly string[] => own.audit.filter(({ type }) => type === 'access-denied').map(({ message }) => message)
    expect(refused()).toEqual([expect.stringMatching(/^http 407 Proxy authorization required/)])
    clock.advance(60_000)
    expect(refused().slice(1)).toEqual([expect.stringMatching(/^http 407 Proxy authorization required.*\(19 more like it in 60 s\)$/)])
    for (let i = 0; i < 2; i++) expect((await ask([], own.http)).status).toBe(407)
    await own.proxy.close({ graceMs: 0 })
    expect(refused().slice(3)).toEqual([expect.stringContaining('(1 more like it')])
    expect(own.audit.at(-1)?.type).toBe('service-stopped')
  })

  const seconds = (): number => Math.floor(Date.now() / 1000)
  it('CP-046 an expired token gets 407 with the reason', async () => {
    const answer = await ask([proxyHeader({ iat: seconds() - 7200, exp: seconds() - 3600 })])
    expect(answer).toMatchObject({ status: 407 })
    expect(answer.body).toContain('expired')
  })

  it('CP-047 a token with an altered payload gets 407', async () => {
    const [header, , signature] = rig.issuer.technical().split('.')
    const payload = Buffer.from(JSON.stringify({ iss: rig.issuer.issuer, zid: 'other', exp: seconds() + 60, cid: allowedClient }))
    const answer = await ask([`Proxy-Authorization: Bearer ${header}.${payload.toString('base64url')}.${signature}`])
    expect(answer).toMatchObject({ status: 407 })
    expect(answer.body).toContain('signature')
  })

  it('CP-049 a token of another client gets 407', async () => {
    const answer = await ask([proxyHeader({ cid: 'sb-other', client_id: 'sb-other', azp: 'sb-other' })])
    expect(answer).toMatchObject({ status: 407 })
    expect(answer.body).toContain('not issued for an allowed connectivity client')
  })

  it('CL-121 a good token is taken with its tenant; none, an expired, a forged and a foreign one get 407', async () => {
    expect((await ask([proxyHeader()])).status).toBe(200)
    expect(lastOpening()).toMatchObject({ subaccount: 'demo', application: allowedClient })
    const forger = createTestIssuer({ clientId: allowedClient })
    const bad = [
      [],
      [proxyHeader({ exp: seconds() - 1 })],
      [`Proxy-Authorization: Bearer ${forger.technical()}`],
      [proxyHeader({ cid: 'sb-other', client_id: 'sb-other' })],
      [proxyHeader({ zid: undefined })],
    ]
    for (const lines of bad) expect((await ask(lines)).status).toBe(407)
  })

  it.each(['Bearer', 'Bearer ', 'Bearer a b', 'Digest x', 'Basic !!!', 'Bearer not-a-token'])(
    'answers 407 to Proxy-Authorization: %s',
    async (value) => {
      expect((await ask([`Proxy-Authorization: ${value}`])).status).toBe(407)
    },
  )

  it('CP-050 a new signing key is followed without a restart, and the old one no longer counts', async () => {
    await using own = await startRig()
    await own.connect({ mappings: { 'erp.demo:80': backend.port } })
    const old = own.bearer()
    expect((await ask([`Proxy-Authorization: ${old}`], own.http)).status).toBe(200)
    const next = createTestIssuer({ keyId: 'key-2', clientId: allowedClient })
    own.keys.replace([{ issuer: next.issuer, keys: next.keys }])
    expect((await ask([`Proxy-Authorization: Bearer ${next.technical()}`], own.http)).status).toBe(200)
    expect((await ask([`Proxy-Authorization: ${old}`], own.http)).status).toBe(407)
  })

  it('CP-051 keys are fetched from the configured address only, never from one that a token names', async () => {
    const evil = createTestIssuer({ keyId: 'evil', clientId: allowedClient })
    await using lure = await startHttpBackend((_request, response) => response.end(JSON.stringify({ keys: evil.keys })))
    await using keyServer = await startHttpBackend((_request, response) => response.end(JSON.stringify({ keys: own.issuer.keys })))
    await using own = await startRig({
      keySource: ({ issuer }) =>
        createRemoteKeySource({
          issuers: [{ issuer, url: new URL(`http://127.0.0.1:${keyServer.port}/token_keys`) }],
          fetchKeys: async (url, signal) => ((await (await fetch(url, { signal })).json()) as { keys: Record<string, unknown>[] }).keys,
          clock: systemClock,
          maxAgeMs: 60_000,
          minRefreshMs: 0,
          timeoutMs: 5000,
        }),
    })
    await own.connect({ mappings: { 'erp.demo:80': backend.port } })
    const lured = evil.sign({ cid: allowedClient }, { jku: `http://127.0.0.1:${lure.port}/token_keys` })
    expect((await ask([`Proxy-Authorization: Bearer ${lured}`], own.http)).status).toBe(407)
    expect((await ask([`Proxy-Authorization: ${own.bearer()}`], own.http)).status).toBe(200)
    expect(keyServer.requests.length).toBeGreaterThan(0)
    expect(lure.connections).toBe(0)
  })

  it('CL-128 every request of a connection is authorised, not only the first', async () => {
    await using client = await openRawClient(rig.http)
    client.write(`GET http://erp.demo/1 HTTP/1.1\r\nHost: erp.demo\r\n${proxyHeader()}\r\n\r\n`)
    expect((await readAnswer(client)).status).toBe(200)
    client.write('GET http://erp.demo/2 HTTP/1.1\r\nHost: erp.demo\r\n\r\n')
    expect((await readAnswer(client)).status).toBe(407)
    client.write(`GET http://erp.demo/3 HTTP/1.1\r\nHost: erp.demo\r\n${proxyHeader()}\r\n\r\n`)
    expect((await readAnswer(client)).status).toBe(200)
  })

  it('CP-052 tokens appear in no log line and no event', async () => {
    const proxy = rig.issuer.technical({ jti: 'to-be-searched' })
    const user = rig.issuer.user('secret-jane')
    await ask([`Proxy-Authorization: Bearer ${proxy}`, `SAP-Connectivity-Authentication: Bearer ${user}`])
    await ask([`Proxy-Authorization: Bearer ${proxy}x`, `SAP-Connectivity-Authentication: Bearer ${user}`])
    await ask([`Proxy-Authorization: Bearer ${proxy}`, `SAP-Connectivity-Authentication: Bearer ${user}x`, 'Authorization: Basic dTpw'])
    const written = rig.logged.join('\n') + JSON.stringify(rig.events)
    expect(rig.logged.length).toBeGreaterThan(0)
    for (const token of [proxy, user]) for (const part of token.split('.').slice(1)) expect(written).not.toContain(part)
    expect(written).not.toContain('secret-jane')
  })
})

describe('location and tenant', () => {
  it('CP-035 CP-036 CP-037 the location header selects the connector, its case counts, and an unknown one gets 503', async () => {
    const berlin = await rig.connect({ locationId: 'Berlin', mappings: { 'erp.demo:80': backend.port } })
    const before = connector.openings.length
    expect((await ask([proxyHeader(), 'SAP-Connectivity-SCC-Location_ID: Berlin'])).status).toBe(200)
    expect(berlin.openings).toHaveLength(1)
    expect(connector.openings).toHaveLength(before)
    expect((await ask([proxyHeader()])).status).toBe(200)
    expect(connector.openings).toHaveLength(before + 1)
    const answer = await ask([proxyHeader(), 'SAP-Connectivity-SCC-Location_ID: berlin'])
    expect(answer.status).toBe(503)
    expect(answer.body).toMatch(/no SAP Cloud Connector \(SCC\) connected.*SCC location ID "berlin"/)
    expect(berlin.openings).toHaveLength(1)
  })

  it('reads a location in UTF-8', async () => {
    const cologne = await rig.connect({ locationId: 'Köln', mappings: { 'erp.demo:80': backend.port } })
    const bytes = Buffer.from('Köln').toString('latin1')
    expect((await ask([proxyHeader(), `SAP-Connectivity-SCC-Location_ID: ${bytes}`])).status).toBe(200)
    expect(cologne.openings).toHaveLength(1)
  })

  it('refuses a location that no connector can have with 400', async () => {
    expect((await ask([proxyHeader(), `SAP-Connectivity-SCC-Location_ID: ${'x'.repeat(190)}`])).status).toBe(400)
  })

  it('CP-038 no connector at all gets 503 in the words that others look for', async () => {
    const answer = await ask([proxyHeader({ zid: 'lonely' })])
    expect(answer.status).toBe(503)
    expect(answer.body).toBe(
      'There is no SAP Cloud Connector (SCC) connected to your subaccount matching the requested tunnel for subaccount "lonely" and SCC location ID ""\n',
    )
  })

  it('CP-035 a request without location does not reach a connector that has one', async () => {
    await rig.connect({ subaccount: 'located', locationId: 'only', mappings: { 'erp.demo:80': backend.port } })
    expect((await ask([proxyHeader({ zid: 'located' })])).status).toBe(503)
  })

  it('CP-041 tokens of two tenants reach two different connectors', async () => {
    const other = await rig.connect({ subaccount: 'other', mappings: { 'erp.demo:80': backend.port } })
    expect((await ask([proxyHeader({ zid: 'other' })])).status).toBe(200)
    expect((await ask([proxyHeader()])).status).toBe(200)
    expect(other.openings.map((opening) => opening.subaccount)).toEqual(['other'])
    expect(lastOpening().subaccount).toBe('demo')
  })

  it('CP-039 dedicated and trusted: a request without any token works, and a Proxy-Authorization is ignored', async () => {
    await using own = await startRig({ authorization: false, tenancy: { mode: 'dedicated', subaccount: 'demo' } })
    await own.connect({ mappings: { 'erp.demo:80': backend.port } })
    expect((await ask([], own.http)).status).toBe(200)
    expect((await ask(['Proxy-Authorization: Bearer nonsense'], own.http)).status).toBe(200)
    expect(seenHeaders()).toEqual(['host'])
  })

  it('CP-040 dedicated with authorization: the token of another tenant gets 407', async () => {
    await using own = await startRig({ tenancy: { mode: 'dedicated', subaccount: 'demo' } })
    await own.connect({ mappings: { 'erp.demo:80': backend.port } })
    expect((await ask([`Proxy-Authorization: ${own.bearer()}`], own.http)).status).toBe(200)
    expect((await ask([`Proxy-Authorization: ${own.bearer({ zid: 'other' })}`], own.http)).status).toBe(407)
  })

  it('CP-042 shared and trusted: the service token tells the tenant, and without it a request gets 407 that names the header', async () => {
    await using own = await startRig({ authorization: false })
    const mine = await own.connect({ mappings: { 'erp.demo:80': backend.port } })
    const missing = await ask([`Proxy-Authorization: ${own.bearer()}`], own.http)
    expect(missing).toMatchObject({ status: 407 })
    expect(missing.body).toContain('SAP-CP-Connectivity-Service-Token')
    expect((await ask(['SAP-CP-Connectivity-Service-Token: nonsense'], own.http)).status).toBe(407)
    const token = own.issuer.user('jane', { cid: 'any-client', client_id: 'any-client', azp: 'any-client' })
    expect((await ask([`SAP-CP-Connectivity-Service-Token: ${token}`], own.http)).status).toBe(200)
    expect(mine.openings).toEqual([expect.not.objectContaining({ principal: expect.anything() })])
  })
})

describe('principals', () => {
  it('CP-056 CL-123 a user token in Proxy-Authorization alone is the principal', async () => {
    const token = rig.issuer.user('jane@acme.test', { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' })
    expect((await ask([`Proxy-Authorization: Bearer ${token}`])).status).toBe(200)
    expect(lastOpening().principal).toEqual({ kind: 'business', token })
  })

  it('CP-057 CP-061 beside a technical proxy token the user token is the principal, byte for byte', async () => {
    const token = rig.issuer.user('jane@acme.test', { cid: 'sb-app', exp: 1 })
    expect((await ask([proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${token}`])).status).toBe(200)
    expect(lastOpening().principal).toEqual({ kind: 'business', token })
  })

  it('a technical proxy token alone is no principal', async () => {
    await ask([proxyHeader()])
    expect(lastOpening()).not.toHaveProperty('principal')
  })

  it('CP-058 a user token of an identity service counts in SAP-Connectivity-Authentication only', async () => {
    const token = rig.issuer.sign({
      zid: undefined,
      app_tid: 'demo',
      user_uuid: 'u-1',
      sub: 'u-1',
      azp: allowedClient,
      ext_attr: undefined,
    })
    expect((await ask([`Proxy-Authorization: Bearer ${token}`])).status).toBe(407)
    expect((await ask([proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${token}`])).status).toBe(200)
    expect(lastOpening().principal).toEqual({ kind: 'business', token })
  })

  it('the token of a corporate identity provider that a user token carries goes instead of it, alone or beside a proxy token', async () => {
    const provider = createTestIssuer({ issuer: 'https://login.acme.test' })
    const carried = provider.sign({ zid: undefined, ext_attr: undefined, sub: 'jane', email: 'jane@acme.test' })
    const token = rig.issuer.user('j.doe', { corporate_idp_token: carried })
    for (const lines of [[`Proxy-Authorization: Bearer ${token}`], [proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${token}`]]) {
      expect((await ask(lines)).status).toBe(200)
      expect(lastOpening().principal).toEqual({ kind: 'business', token: carried })
    }
    // The application speaks for itself, whatever somebody has put into its token.
    const own = rig.issuer.technical({ corporate_idp_token: carried })
    expect((await ask([proxyHeader(), `SAP-Connectivity-Technical-Authentication: Bearer ${own}`])).status).toBe(200)
    expect(lastOpening().principal).toEqual({ kind: 'technical', token: own })
  })

  it.each([
    ['is no token', 'opaque', 'something in the place of a corporate token'],
    ['is no text', { token: 'x' }, 'something in the place of a corporate token'],
    ['is empty', '', 'something in the place of a corporate token'],
    ['names another tenant', createTestIssuer({ tenant: 'other' }).user('jane'), 'another tenant'],
  ])('a user token whose corporate token %s gets 400, and nobody is propagated in its place', async (_what, carried, text) => {
    const token = rig.issuer.user('jane', { corporate_idp_token: carried })
    const before = connector.openings.length
    for (const lines of [[`Proxy-Authorization: Bearer ${token}`], [proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${token}`]]) {
      const answer = await ask(lines)
      expect([answer.status, answer.body]).toEqual([400, expect.stringContaining(text)])
    }
    expect(connector.openings).toHaveLength(before)
  })

  it('CP-059 a technical token is propagated as technical principal', async () => {
    const token = rig.issuer.technical({ cid: 'sb-robot', client_id: 'sb-robot' })
    expect((await ask([proxyHeader(), `SAP-Connectivity-Technical-Authentication: Bearer ${token}`])).status).toBe(200)
    expect(lastOpening().principal).toEqual({ kind: 'technical', token })
  })

  it('CP-060 business and technical principal together get 400', async () => {
    const lines = [
      `SAP-Connectivity-Authentication: Bearer ${rig.issuer.user('jane')}`,
      `SAP-Connectivity-Technical-Authentication: Bearer ${rig.issuer.technical()}`,
    ]
    expect((await ask([proxyHeader(), ...lines])).status).toBe(400)
    const user = rig.issuer.user('jane')
    expect((await ask([`Proxy-Authorization: Bearer ${user}`, lines[1] ?? ''])).status).toBe(400)
  })

  it('a user in both places gets 400', async () => {
    const user = rig.issuer.user('jane')
    const answer = await ask([`Proxy-Authorization: Bearer ${user}`, `SAP-Connectivity-Authentication: Bearer ${user}`])
    expect(answer).toMatchObject({ status: 400 })
    expect(answer.body).toContain('two users')
  })

  it('a user of another tenant gets 400, one that names none is passed on', async () => {
    const foreign = await ask([proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${rig.issuer.user('jane', { zid: 'other' })}`])
    expect(foreign).toMatchObject({ status: 400 })
    expect(foreign.body).toContain('another tenant')
    expect(
      (await ask([proxyHeader(), `SAP-Connectivity-Authentication: Bearer ${rig.issuer.user('jane', { zid: undefined })}`])).status,
    ).toBe(200)
  })

  it('a token that cannot be decoded is left to the connector, a value that is no token gets 400', async () => {
    expect((await ask([proxyHeader(), 'SAP-Connectivity-Authentication: Bearer opaque~token'])).status).toBe(200)
    expect(lastOpening().principal).toEqual({ kind: 'business', token: 'opaque~token' })
    expect((await ask([proxyHeader(), 'SAP-Connectivity-Authentication: opaque'])).status).toBe(400)
    expect((await ask([proxyHeader(), 'SAP-Connectivity-Authentication: Bearer a"b'])).status).toBe(400)
  })
})

describe('tokens of identity services', () => {
  const service = createTestIssuer({ issuer: 'https://acme.accounts.test', keyId: 'ias' })
  const claims = { zid: undefined, ext_attr: undefined, app_tid: 'demo', sub: 'orders', azp: 'orders' }
  let own: Rig
  let mine: RigConnector
  let consumes: boolean
  beforeAll(async () => {
    const both = (issuer: { readonly issuer: string; readonly keys: typeof service.keys }) =>
      createFixedKeySource([
        { issuer: issuer.issuer, keys: issuer.keys },
        { issuer: service.issuer, keys: service.keys },
      ])
    own = await startRig({
      keySource: both,
      identityServices: {
        issuers: new Set([service.issuer]),
        admits: ({ clientId, issuer, tenantId }) => consumes && issuer === service.issuer && clientId === 'orders' && tenantId === 'demo',
      },
    })
    mine = await own.connect({ mappings: { 'erp.demo:80': backend.port } })
  })
  beforeEach(() => {
    consumes = true
  })
  afterAll(() => own[Symbol.asyncDispose]())
  const askOwn = (token: string, ...lines: readonly string[]) => ask([`Proxy-Authorization: Bearer ${token}`, ...lines], own.http)

  it('let the applications use the proxy that consume it, and propagate nobody', async () => {
    expect((await askOwn(service.sign(claims))).status).toBe(200)
    expect(mine.openings.at(-1)).not.toHaveProperty('principal')
    consumes = false
    const answer = await askOwn(service.sign(claims))
    expect([answer.status, answer.body]).toEqual([407, expect.stringContaining('consumes no instance of the connectivity service')])
  })

  it.each([
    ['of a person', { ...claims, sub: 'jane', email: 'jane@acme.test' }, 'only the token of an application'],
    ['that tells neither', { ...claims, sub: 'x' }, 'only the token of an application'],
    ['without a tenant', { ...claims, app_tid: undefined }, 'claim app_tid'],
    ['of two tenants', { ...claims, zid: 'other' }, 'another tenant'],
    ['of another tenant', { ...claims, app_tid: 'other' }, 'consumes no instance'],
    ['of another application', { ...claims, sub: 'x', azp: 'x' }, 'consumes no instance'],
    // What our own token service would say of its client, an identity service must not.
    [
      'that claims to be of the connectivity client',
      { ...claims, sub: allowedClient, azp: allowedClient, cid: allowedClient },
      'consumes no instance',
    ],
  ])('one %s gets 407', async (_whose, given, text) => {
    const answer = await askOwn(service.sign(given))
    expect([answer.status, answer.body]).toEqual([407, expect.stringContaining(text)])
  })

  it('carry a user beside them, and none by themselves', async () => {
    const user = service.sign({ ...claims, sub: 'u-1', user_uuid: 'u-1' })
    expect((await askOwn(service.sign(claims), `SAP-Connectivity-Authentication: Bearer ${user}`)).status).toBe(200)
    expect(mine.openings.at(-1)).toMatchObject({ principal: { kind: 'business', token: user } })
  })
})
