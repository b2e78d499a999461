import { createHash, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { type AuditEntry, type AuditSink, ConnectivityError, silentLogger, systemClock } from '@sallyport/core'
import { createManualClock, createTestCa, createTestIssuer, type ManualClock } from '@sallyport/test-fixtures'
import { createFixedKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import type { TunnelClient } from '@sallyport/tunnel'
import { createTunnelClient } from '@sallyport/tunnel'
import { createSealer, migrate, openDatabase } from '@sallyport/store'
import { parsePemCertificates } from '@sallyport/x509'
import { describe, expect, it } from 'vitest'
import {
  connectivityMigrations,
  type ConnectivitySchema,
  createSqlConnectivityRepository,
  formatTunnelAuditLine,
  openConnectorAuthority,
} from '../src/index.ts'
import { createPairing } from '../src/connectivity-service/pairing.ts'
import { callApi } from './api-client.ts'
import { startHttpBackend } from './backends.ts'
import {
  apiClient,
  type Cloud,
  type CloudOptions,
  connectorTransport,
  dialCloud,
  newRequest,
  type PairedConnector,
  startCloud,
} from './cloud.ts'
import { openRawClient, readAnswer } from '@sallyport/conformance/cases'
import { startRig } from './rig.ts'
import { createTinyConnector } from './tiny-connector.ts'

interface Scene extends AsyncDisposable {
  readonly cloud: Cloud
  readonly clock: ManualClock
  readonly audit: AuditEntry[]
  readonly sink: AuditSink & { failing: boolean }
  readonly bearer: (claims?: Readonly<Record<string, unknown>>) => string
}

async function startScene(more: Pick<CloudOptions, 'verifyCloudUser'> = {}): Promise<Scene> {
  const clock = createManualClock(Date.now())
  const issuer = createTestIssuer({ clientId: apiClient })
  const verifier = createTokenVerifier({
    keys: createFixedKeySource([{ issuer: issuer.issuer, keys: issuer.keys }]),
    clock,
    expiryToleranceSeconds: 0,
    notBeforeToleranceSeconds: 60,
    maxCachedTokens: 100,
    maxTokenBytes: 8192,
  })
  const audit: AuditEntry[] = []
  const sink = { failing: false, write: (entry: AuditEntry) => void audit.push(entry), flushed: () => Promise.resolve() }
  const cloud = await startCloud({ verifier, audit: sink, log: silentLogger, clock, ...more })
  return {
    cloud,
    clock,
    audit,
    sink,
    bearer: (claims) => `Bearer ${issuer.technical(claims)}`,
    [Symbol.asyncDispose]: () => cloud[Symbol.asyncDispose](),
  }
}

function pairing(cloud: Cloud, body: Readonly<Record<string, unknown>>) {
  return callApi(cloud.api, '/api/v1/pairing', { ca: cloud.authority.bundle(), method: 'POST', body })
}

function pairingBody(code: string, changes: Readonly<Record<string, unknown>> = {}) {
  return { code, certificationRequest: newRequest('c-1').request, connectorId: 'c-1', locationId: '', description: '', ...changes }
}

/** Dials once and returns why it was not let in. */
async function refusalOf(paired: PairedConnector, changes: { readonly connectorId?: string } = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const client = createTunnelClient({
    transport: connectorTransport(paired),
    endpoint: new URL(paired.tunnelEndpoint),
    hello: { locationId: paired.locationId, connectorId: changes.connectorId ?? paired.connectorId, agentVersion: '0', description: '' },
    onStream: () => {},
    onState: (state) => {
      if (state.kind === 'failed') resolve(`${state.code} ${state.message}`)
      if (state.kind === 'connecting' && state.lastError !== undefined) resolve(String(state.lastError))
      if (state.kind === 'ready') resolve('welcome')
    },
    clock: systemClock,
    random: Math.random,
  })
  const reason = await promise
  await client.close({ graceMs: 0 })
  return reason
}

describe('authorities', () => {
  it('CP-013 GET /api/v1/CAs returns a PEM bundle without authentication', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const answer = await callApi(cloud.api, '/api/v1/CAs', { ca: cloud.authority.bundle() })
    expect(answer).toMatchObject({ status: 200, type: 'application/x-pem-file' })
    const [der] = parsePemCertificates(answer.text)
    const paired = await cloud.pair({ subaccount: 'demo' })
    const authority = new X509Certificate(der as Buffer)
    expect(authority.ca).toBe(true)
    expect(new X509Certificate(paired.certificate).verify(authority.publicKey)).toBe(true)
  })

  it('are kept sealed and stay the same over a restart', async () => {
    await using store = await openStore()
    const { repository } = store
    const first = await openConnectorAuthority(store)
    const [stored] = await repository.authorities()
    expect(stored?.sealedKey).not.toContain('PRIVATE KEY')
    expect((await openConnectorAuthority(store)).bundle()).toBe(first.bundle())
    const otherKey = { ...store, sealer: createSealer({ current: Buffer.alloc(32, 1) }) }
    await expect(openConnectorAuthority(otherKey)).rejects.toSatisfy((error) => ConnectivityError.is(error, 'STORE_FAILED'))
  })

  it('get a successor before they are too old to outlive what they sign; both are trusted until the old one ends', async () => {
    await using store = await openStore()
    const { clock } = store
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const subject = { subaccount: 'demo', connectorId: 'c' }
    const first = await openConnectorAuthority(store)
    clock.advance(7.9 * year)
    const late = new X509Certificate((await openConnectorAuthority(store)).issueForConnector(subject, publicKey).pem)
    clock.advance(0.2 * year)
    const second = await openConnectorAuthority(store)
    expect(parsePemCertificates(second.bundle())).toHaveLength(2)
    expect(second.bundle()).toContain(first.bundle())
    expect(second.hasSigned(late)).toBe(true)
    const issued = new X509Certificate(second.issueForConnector(subject, publicKey).pem)
    expect([issued.issuer, late.issuer].map((name) => /CA \d/.exec(name)?.[0])).toEqual(['CA 2', 'CA 1'])
    expect(first.hasSigned(issued)).toBe(false)
    clock.advance(2 * year)
    expect(parsePemCertificates(second.bundle())).toHaveLength(1)
  })

  it('are made once, although two processes start at the same moment', async () => {
    await using store = await openStore()
    const [one, other] = await Promise.all([openConnectorAuthority(store), openConnectorAuthority(store)])
    expect(one.bundle()).toBe(other.bundle())
  })
})

const year = 365 * 86_400_000

async function openStore() {
  const db = openDatabase<ConnectivitySchema>(':memory:')
  await migrate(db, connectivityMigrations)
  return {
    repository: createSqlConnectivityRepository(db),
    sealer: createSealer({ current: Buffer.alloc(32, 7) }),
    clock: createManualClock(Date.now()),
    log: silentLogger,
    [Symbol.asyncDispose]: () => db.destroy(),
  }
}

describe('pairing', () => {
  it('hands out a certificate for a year that names subaccount and connector, the authorities and the tunnel', async () => {
    await using scene = await startScene()
    const { cloud, clock } = scene
    const paired = await cloud.pair({ subaccount: 'demo', connectorId: 'installation-7' })
    const certificate = new X509Certificate(paired.certificate)
    expect(certificate.subject.split('\n').toSorted()).toEqual(['CN=demo', 'O=Sallyport', 'OU=installation-7'])
    const second = 1000
    expect(Math.abs(certificate.validFromDate.getTime() - (clock.now() - 3_600_000))).toBeLessThan(second)
    expect(Math.abs(certificate.validToDate.getTime() - (clock.now() + 365 * 86_400_000))).toBeLessThan(second)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(paired.authorities).toBe(cloud.authority.bundle())
    expect(paired.tunnelEndpoint).toBe(cloud.service.addresses.tunnel?.href)
    expect(scene.audit.map((entry) => [entry.type, entry.category, entry.subaccount, entry.user])).toEqual([
      ['configuration-changed', 'Pairing', 'demo', 'admin@acme.test'],
      ['configuration-changed', 'Pairing', 'demo', 'admin@acme.test'],
    ])
  })

  it('takes a code once, in any spelling, and for a quarter of an hour', async () => {
    await using scene = await startScene()
    const { cloud, clock } = scene
    const first = await cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })
    expect(first.code).toMatch(/^[0-9A-HJKMNP-TV-Z]{5}(?:-[0-9A-HJKMNP-TV-Z]{5}){3}$/)
    expect((await pairing(cloud, pairingBody(first.code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o')))).status).toBe(200)
    const again = await pairing(cloud, pairingBody(first.code))
    expect(again).toMatchObject({ status: 403 })
    expect(again.json()).toMatchObject({ code: 'PAIRING_REFUSED' })
    const second = await cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })
    expect(second.expiresAtMs - clock.now()).toBe(900_000)
    clock.advance(900_000)
    expect((await pairing(cloud, pairingBody(second.code))).status).toBe(403)
    expect((await pairing(cloud, pairingBody('00000-00000-00000-00000'))).status).toBe(403)
  })

  it('lets only one of two connectors use a code at the same moment', async () => {
    await using scene = await startScene()
    const { code } = await scene.cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })
    const answers = await Promise.all([1, 2, 3].map((at) => pairing(scene.cloud, pairingBody(code, { connectorId: `c-${at}` }))))
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, 403, 403])
  })

  it('keeps no code that could be read', async () => {
    await using scene = await startScene()
    const { code } = await scene.cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })
    const rows = JSON.stringify(await scene.cloud.db.selectFrom('connectivity_pairing_code').selectAll().execute())
    expect(rows).not.toContain(code)
    expect(rows).not.toContain(code.replaceAll('-', ''))
    expect(JSON.stringify(scene.audit)).not.toContain(code)
  })

  it('does not use the code up for a bad request', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const { code } = await cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })
    const other = newRequest('x').request.split('\n')
    const bad = [
      { certificationRequest: 'nonsense' },
      { certificationRequest: [...other.slice(0, 3), 'AAAA', ...other.slice(3)].join('\n') },
      { connectorId: 'a/b' },
      { connectorId: undefined },
      { locationId: 'x'.repeat(200) },
      { description: 'line\nbreak' },
      { unknown: 1 },
    ]
    for (const changes of bad) expect((await pairing(cloud, pairingBody(code, changes))).status).toBe(400)
    expect((await pairing(cloud, pairingBody(code))).status).toBe(200)
  })

  it('bounds attempts per source and the size of a request', async () => {
    await using scene = await startScene()
    const { cloud, clock } = scene
    const large = await pairing(cloud, pairingBody('x', { description: 'x'.repeat(70_000) }))
    expect(large.status).toBe(413)
    for (let attempt = 0; attempt < 10; attempt += 1) expect((await pairing(cloud, pairingBody('wrong'))).status).toBe(403)
    const { code } = await cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })
    const late = await pairing(cloud, pairingBody(code))
    expect(late).toMatchObject({ status: 429 })
    expect(late.headers['retry-after']).toBe('60')
    clock.advance(60_000)
    expect((await pairing(cloud, pairingBody(code))).status).toBe(200)
  })

  it('bounds the codes that are open, and pairs nobody while the audit log cannot be written', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const codes = await Promise.all(
      Array.from({ length: 100 }, () => cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })),
    )
    await expect(cloud.service.createPairingCode({ subaccount: 'demo', createdBy: 'admin' })).rejects.toThrow('unused pairing codes')
    await cloud.service.createPairingCode({ subaccount: 'other', createdBy: 'admin' })
    scene.sink.failing = true
    expect((await pairing(cloud, pairingBody(codes[0]?.code ?? ''))).status).toBe(503)
    scene.sink.failing = false
    expect((await pairing(cloud, pairingBody(codes[0]?.code ?? ''))).status).toBe(200)
  })
})

describe('pairing by password', () => {
  const proof = { subaccount: 'made-up', user: 'jane', password: 'guess', code: undefined }

  it('does not let a caller who has shown nothing choose where the audit log writes, nor break its lines', async () => {
    await using scene = await startScene({ verifyCloudUser: async () => ({ allowed: false, reason: 'credentials' }) })
    const { audit, cloud } = scene
    expect((await pairing(cloud, pairingBody('', proof))).status).toBe(403)
    expect((await pairing(cloud, pairingBody('', { ...proof, subaccount: `a\u2028\u202e${'b'.repeat(190)}` }))).status).toBe(403)
    expect(audit.map(({ message, subaccount, user }) => [subaccount, user, message])).toEqual(
      ['made-up', `a??${'b'.repeat(61)}…`].map((name) => [
        '',
        '',
        `somebody who claims to be user jane of subaccount ${name} was refused to add a connector: wrong user, password or subaccount`,
      ]),
    )
  })

  it('tells a subaccount which of its users lacks the role', async () => {
    await using scene = await startScene({ verifyCloudUser: async () => ({ allowed: false, reason: 'role' }) })
    expect((await pairing(scene.cloud, pairingBody('', { ...proof, subaccount: 'demo' }))).status).toBe(403)
    expect(scene.audit).toMatchObject([{ subaccount: 'demo', user: 'jane', message: expect.stringContaining('the role is missing') }])
  })
})

describe('tunnels', () => {
  it('CP-092 a connector whose certificate is of another authority is refused in the handshake', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const paired = await cloud.pair({ subaccount: 'demo' })
    const foreign = createTestCa().issue({ subject: `/O=Sallyport/OU=${paired.connectorId}/CN=demo` })
    const reason = await refusalOf({ ...paired, certificate: foreign.certificate, key: foreign.key })
    expect(reason).toMatch(/PEER_UNTRUSTED|PEER_UNREACHABLE|certificate|alert/i)
    expect(cloud.service.tunnels.list()).toEqual([])
    while (scene.audit.every((entry) => entry.type !== 'tunnel-refused')) await nextTurn()
    expect(scene.audit.some((entry) => entry.type === 'tunnel-opened')).toBe(false)
  })

  it('CP-093 the certificate of one tenant opens no tunnel for another', async () => {
    await using backend = await startHttpBackend()
    await using rig = await startRig()
    await rig.connect({ subaccount: 'a', mappings: { 'erp.demo:80': backend.port } })
    const ask = async (tenant: string): Promise<number> => {
      await using client = await openRawClient(rig.http)
      client.write(`GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\nProxy-Authorization: ${rig.bearer({ zid: tenant })}\r\n\r\n`)
      return (await readAnswer(client)).status
    }
    expect(rig.cloud.service.tunnels.list().map((tunnel) => tunnel.subaccount)).toEqual(['a'])
    expect(await ask('a')).toBe(200)
    expect(await ask('b')).toBe(503)
  })

  it('a certificate does not serve another connector, and none that we do not know', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const paired = await cloud.pair({ subaccount: 'demo' })
    expect(await refusalOf(paired, { connectorId: 'somebody-else' })).toContain('belongs to another connector')
    await cloud.db.deleteFrom('connectivity_certificate').execute()
    expect(await refusalOf(paired)).toContain('not known')
  })

  it('counts the attempts of a connector that is refused again and again', async () => {
    await using scene = await startScene()
    const paired = await scene.cloud.pair({ subaccount: 'demo' })
    for (let i = 0; i < 3; i++) expect(await refusalOf(paired, { connectorId: 'other' })).toContain('PEER_UNTRUSTED')
    const details = (): readonly unknown[] =>
      scene.audit
        .filter(({ type }) => type === 'tunnel-refused')
        .map(({ message }) => (JSON.parse(message) as { readonly handshakeDetails: string }).handshakeDetails)
    expect(details()).toEqual(['PEER_UNTRUSTED: the certificate belongs to another connector'])
    await scene.cloud[Symbol.asyncDispose]()
    expect(details().slice(1)).toEqual(['PEER_UNTRUSTED: the certificate belongs to another connector (2 more like it in 60 s)'])
  })

  it('CP-094 success and failure write one [AUDIT-EVENT] line each, with action and tunnel', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const paired = await cloud.pair({ subaccount: 'demo', locationId: 'Berlin' })
    expect(await refusalOf(paired, { connectorId: 'other' })).toContain('PEER_UNTRUSTED')
    const client = await dialCloud(paired, createTinyConnector())
    const lines = scene.audit.flatMap((entry) => formatTunnelAuditLine(entry) ?? [])
    expect(lines).toHaveLength(2)
    const facts = lines.map((line) => {
      expect(line).toMatch(/^\[AUDIT-EVENT\] \{/)
      const entry = JSON.parse(line.slice('[AUDIT-EVENT] '.length)) as { user: string; tenant: string; data: string }
      return { ...entry, data: JSON.parse(entry.data) as Record<string, string> }
    })
    const common = {
      action: 'open connectivity tunnel',
      objectName: 'connectivity tunnel management',
      loggedByClass: '@sallyport/connectivity-proxy',
    }
    expect(facts).toEqual([
      {
        user: 'fallback_for_missing_user',
        tenant: 'demo',
        data: {
          ...common,
          message: 'tunnel handshake failure',
          tunnelId: 'account:///demo/Berlin',
          clientId: 'other',
          handshakeDetails: 'PEER_UNTRUSTED: the certificate belongs to another connector',
        },
      },
      {
        user: 'fallback_for_missing_user',
        tenant: 'demo',
        data: {
          ...common,
          message: 'tunnel handshake success',
          tunnelId: 'account:///demo/Berlin',
          clientId: paired.connectorId,
          handshakeDetails: 'success',
        },
      },
    ])
    await client.close({ graceMs: 0 })
  })

  it('a revoked connector loses its tunnel at once, and only a new pairing lets it in again', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const paired = await cloud.pair({ subaccount: 'demo', connectorId: 'c-9' })
    const client = await dialCloud(paired, createTinyConnector())
    const revocation = { subaccount: 'demo', connectorId: 'c-9', revokedBy: 'admin' }
    expect(await cloud.service.revokeConnector(revocation)).toBe(true)
    expect(cloud.service.tunnels.find('demo', '')).toBeUndefined()
    await client.close({ graceMs: 0 })
    expect(await refusalOf(paired)).toContain('was revoked')
    expect(await cloud.service.revokeConnector(revocation)).toBe(false)
    const again = await cloud.pair({ subaccount: 'demo', connectorId: 'c-9' })
    expect(await refusalOf(again)).toBe('welcome')
  })

  it('a certificate is renewed over the tunnel, and the new one opens the next', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const paired = await cloud.pair({ subaccount: 'demo' })
    const client = await dialCloud(paired, createTinyConnector())
    const { key, request } = newRequest('ignored')
    const renewed = await client.renewCertificate(request)
    expect(new X509Certificate(renewed.certificate).subject).toBe(new X509Certificate(paired.certificate).subject)
    expect(renewed.certificate).not.toBe(paired.certificate)
    await expect(client.renewCertificate('nonsense')).rejects.toThrow('certification request')
    await client.close({ graceMs: 0 })
    expect(await refusalOf({ ...paired, certificate: renewed.certificate, key })).toBe('welcome')
  })

  it('a certificate that is revoked while it is being renewed gets no successor', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const paired = await cloud.pair({ subaccount: 'demo', connectorId: 'c-9' })
    const client = await dialCloud(paired, createTinyConnector())
    const repository = createSqlConnectivityRepository(cloud.db)
    const late = createPairing({ ...cloud, repository, clock: scene.clock, audit: scene.sink, tunnelEndpoint: () => '' })
    const current = await repository.findConnector('demo', 'c-9')
    await cloud.service.revokeConnector({ subaccount: 'demo', connectorId: 'c-9', revokedBy: 'admin' })
    await expect(late.renew(current as NonNullable<typeof current>, newRequest('c-9').request)).rejects.toThrow('was revoked')
    expect((await repository.findConnector('demo', 'c-9'))?.fingerprint).toBe(current?.fingerprint)
    await client.close({ graceMs: 0 })
  })

  it('a connector learns the issuers that its subaccount trusts, and no others', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    cloud.trust.set('demo', [{ issuer: 'https://a.example', name: 'a', type: 'OAUTH2', keys: [] }])
    cloud.trust.set('other', [{ issuer: 'https://b.example', name: 'b', type: 'OAUTH2', keys: [] }])
    const client = await dialCloud(await cloud.pair({ subaccount: 'demo' }), createTinyConnector())
    expect((await client.getTrust()).map((issuer) => issuer.issuer)).toEqual(['https://a.example'])
    await client.close({ graceMs: 0 })
  })
})

describe('information about connectors', () => {
  async function connect(scene: Scene, options: { readonly subaccount: string; readonly locationId?: string }): Promise<TunnelClient> {
    return await dialCloud(await scene.cloud.pair(options), createTinyConnector())
  }

  async function list(scene: Scene, authorization: string | undefined) {
    const headers = authorization === undefined ? {} : { authorization }
    return await callApi(scene.cloud.api, '/api/v1/connectors', { ca: scene.cloud.authority.bundle(), headers })
  }

  it('CP-106 CP-107 has one element for each connector of the tenant, with times and structures as texts', async () => {
    await using scene = await startScene()
    const clients = [
      await connect(scene, { subaccount: 'demo' }),
      await connect(scene, { subaccount: 'demo', locationId: 'Berlin' }),
      await connect(scene, { subaccount: 'other' }),
    ]
    const systems = [{ protocol: 'HTTP', host: 'erp.demo:443', type: 'nonSAPsys', description: 'ERP' }]
    clients[1]?.expose('digest', systems)
    const exposed = () => scene.cloud.service.tunnels.list().find((tunnel) => tunnel.locationId === 'Berlin')?.exposed
    while (exposed() === undefined) await nextTurn()
    const answer = await list(scene, scene.bearer({ zid: 'demo' }))
    expect(answer.status).toBe(200)
    const elements = (answer.json() as { attributes: Record<string, unknown> }[]).map((element) => element.attributes)
    expect(elements).toHaveLength(2)
    for (const attributes of elements) expect(Object.values(attributes).every((value) => typeof value === 'string')).toBe(true)
    const berlin = elements.find((attributes) => attributes['location_id'] === 'Berlin')
    expect(berlin).toMatchObject({
      connected_by: 'admin@acme.test',
      connected_since: String(scene.clock.now()),
      agent_version: '0.1.0',
      agent_type: 'master',
    })
    expect(JSON.parse(String(berlin?.['exposed_systems']))).toEqual([{ ...systems[0], status: 'exposed' }])
    expect(JSON.parse(String(berlin?.['security_status']))).toBeTypeOf('object')
    expect((await list(scene, scene.bearer({ zid: 'lonely' }))).json()).toEqual([])
    await Promise.all(clients.map((client) => client.close({ graceMs: 0 })))
  })

  it('CP-108 refuses the token of another plan with 403, and none or a bad one with 401', async () => {
    await using scene = await startScene()
    const lite = scene.bearer({ cid: 'sb-lite', client_id: 'sb-lite', azp: 'sb-lite' })
    expect((await list(scene, lite)).status).toBe(403)
    expect((await list(scene, undefined)).status).toBe(401)
    expect((await list(scene, 'Bearer nonsense')).status).toBe(401)
  })

  it('disconnects a connector of the own tenant only', async () => {
    await using scene = await startScene()
    const client = await connect(scene, { subaccount: 'demo' })
    const [tunnel] = scene.cloud.service.tunnels.list()
    const remove = (tenant: string) =>
      callApi(scene.cloud.api, `/api/v1/connectors/${tunnel?.connectorId ?? ''}`, {
        ca: scene.cloud.authority.bundle(),
        method: 'DELETE',
        headers: { authorization: scene.bearer({ zid: tenant }) },
      })
    expect((await remove('other')).status).toBe(404)
    expect(scene.cloud.service.tunnels.list()).toHaveLength(1)
    expect((await remove('demo')).status).toBe(204)
    expect(scene.cloud.service.tunnels.list()).toHaveLength(0)
    await client.close({ graceMs: 0 })
  })
})

describe('health', () => {
  it('CP-109 is 200 although nothing that the service depends on answers', async () => {
    await using scene = await startScene()
    const { cloud } = scene
    const ca = cloud.authority.bundle()
    await cloud.db.destroy()
    expect((await pairing(cloud, pairingBody('x'))).status).toBe(500)
    expect(await callApi(cloud.api, '/healthcheck', { ca })).toMatchObject({ status: 200, text: 'OK\n' })
  })

  it('answers unknown paths and methods with 404, and says no more than it must', async () => {
    await using scene = await startScene()
    const ca = scene.cloud.authority.bundle()
    for (const path of ['/', '/api/v1/tunnel', '/api/v1/CAs/signing'])
      expect((await callApi(scene.cloud.api, path, { ca })).status).toBe(404)
  })
})

it('fingerprints are those of the certificates', async () => {
  await using scene = await startScene()
  const paired = await scene.cloud.pair({ subaccount: 'demo' })
  const [der] = parsePemCertificates(paired.certificate)
  const fingerprint = createHash('sha256')
    .update(der as Buffer)
    .digest('hex')
  expect(await scene.cloud.repository.findCertificate(fingerprint)).toMatchObject({ subaccount: 'demo', registeredBy: 'admin@acme.test' })
})
