import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSecret, systemClock } from '@sallyport/core'
import { createHttpBackend, createTestCa, createTestIssuer, type HttpBackend } from '@sallyport/test-fixtures'
import { createTunnelServer, formatMessage, toDuplex, type TunnelServer } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  type CloudConnector,
  type ConnectorIdentity,
  createCloudConnector,
  createConfigurationFile,
  createConfigurationText,
  createMaterialMemory,
} from '../src/index.ts'
import { type ConnectorBench, mappingTo, startConnectorBench, until } from './connector-bench.ts'

let backend: HttpBackend
beforeEach(async () => {
  backend = await createHttpBackend({ answer: ({ headers }) => ({ body: headers.host ?? '' }) })
})
afterEach(async () => backend[Symbol.asyncDispose]())

const silentAudit = { failing: false, write: () => {}, flushed: () => Promise.resolve() }

describe('configuration at run time', () => {
  let bench: ConnectorBench
  afterEach(async () => bench[Symbol.asyncDispose]())

  it('keeps the old configuration when the new one is bad, and says why', async () => {
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(backend.url)] }, wantsEvents: true })
    const told = (): readonly unknown[] => bench.events.filter(({ type }) => type === 'configuration-read')
    await expect(bench.configure({ mappings: [{ virtual: 'x' }] })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect((await bench.request({})).status).toBe(200)
    expect(bench.connector.status.configuration).toMatchObject({
      revision: 1,
      problem: expect.stringContaining('connectors[0].mappings[0].internal'),
    })
    expect(told()).toMatchObject([{ source: 'configuration', problem: bench.connector.status.configuration.problem }])
    await expect(bench.configure({ systemCertificate: { certificate: { file: 'no.pem' }, key: { file: 'no.key' } } })).rejects.toThrow(
      /connectors\[0\]\.systemCertificate: there is no file/,
    )
    expect((await bench.request({})).status).toBe(200)
    await bench.configure({ mappings: [] })
    expect(bench.connector.status.configuration).toMatchObject({ revision: 2, problem: undefined })
    expect(told().at(-1)).toMatchObject({ problem: undefined })
    expect((await bench.request({})).status).toBe(403)
  })

  it('CC-146 audits every change with user, category, old and new value', async () => {
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(backend.url)] } })
    await bench.configure({ audit: { level: 'ALL' }, mappings: [] })
    expect(bench.audit).toMatchObject([
      {
        type: 'configuration-changed',
        category: 'AuditLogLevel',
        user: 'administrator',
        message: 'User administrator changed parameter audit.level from "SECURITY" to "ALL"',
      },
      {
        category: 'BackendMapping',
        user: 'administrator',
        message: expect.stringMatching(/^User administrator changed parameter s4\.demo:443 from \{.*"internal":"http:.* to \{\}$/),
      },
      { category: 'AllowedResource', message: expect.stringContaining('s4.demo:443 / from {"path":"/"') },
    ])
  })

  it('lets a request that is under way finish under the configuration it began with', async () => {
    let release = (): void => {}
    await backend[Symbol.asyncDispose]()
    backend = await createHttpBackend({
      answer: () =>
        new Promise((resolve) => {
          release = () => resolve({ body: 'finished' })
        }),
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(backend.url)] } })
    const pending = bench.request({})
    await until(() => backend.requests.length === 1)
    await bench.configure({ mappings: [] })
    release()
    expect((await pending).body).toBe('finished')
  })

  it('tells the cloud side what it exposes, again after every change', async () => {
    bench = await startConnectorBench({ connector: { mappings: [{ ...mappingTo(backend.url), description: 'the S/4' }] } })
    const exposed = (): unknown => bench.cloudSide.list()[0]?.exposed
    await until(() => JSON.stringify(exposed())?.includes('s4.demo:443'))
    expect(JSON.stringify(exposed())).toContain('the S/4')
    expect(JSON.stringify(exposed())).not.toContain(backend.address.port.toString())
    await bench.configure({ mappings: [{ ...mappingTo(backend.url), virtual: 'other.demo:80' }] })
    await until(() => JSON.stringify(exposed()).includes('other.demo:80'))
  })
})

describe('trust', () => {
  let bench: ConnectorBench
  afterEach(async () => bench[Symbol.asyncDispose]())
  const old = createTestIssuer({ keyId: 'old' })
  const rotated = createTestIssuer({ keyId: 'new' })
  const listed = (...issuers: (typeof old)[]): ConnectorBench['cloud']['issuers'] => [
    { issuer: old.issuer, name: 'Demo', type: 'OAUTH2', keys: issuers.flatMap((issuer) => issuer.keys) },
  ]
  const connector = (more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
    ...more,
    principalPropagation: { ca: 'generated' },
    audit: { level: 'ALL' },
    mappings: [mappingTo('https://localhost:1', { principalType: 'X509_GENERAL' })],
  })
  /** Without a backend a token that is trusted gets as far as 502, any other is refused before. */
  const accepted = async (issuer: typeof old): Promise<boolean> => {
    const { status, body } = await bench.request({ principal: { kind: 'business', token: issuer.user('jane') } })
    expect([403, 502]).toContain(status)
    expect(status === 403).toBe(body.startsWith('SSO token validation failed'))
    return status === 502
  }
  const holder = { subaccount: 'demo', locationId: '' }

  it('PP-001 CC-048 a new subaccount has an empty trust list and every propagated call fails', async () => {
    bench = await startConnectorBench({ connector: connector() })
    bench.cloud.issuers = listed(old)
    expect(bench.connector.status.links[0]?.trust).toMatchObject({ issuers: [], synchronisedAtMs: undefined })
    expect(await accepted(old)).toBe(false)
  })

  it('PP-002 synchronisation brings the issuer of the subaccount with name, type and keys', async () => {
    bench = await startConnectorBench({ connector: connector() })
    bench.cloud.issuers = listed(old)
    await bench.connector.synchroniseTrust(holder, 'jane')
    expect(bench.connector.status.links[0]?.trust.issuers).toEqual([
      { id: 1, issuer: old.issuer, name: 'Demo', description: '', type: 'OAUTH2', trusted: true, keyIds: ['old'] },
    ])
    expect(await accepted(old)).toBe(true)
    expect(bench.audit.find((entry) => entry.category === 'TrustSynchronization')).toMatchObject({
      user: 'jane',
      message: expect.stringContaining(old.issuer),
    })
  })

  it('PP-003 an issuer that is configured as untrusted makes the next call fail without restart', async () => {
    bench = await startConnectorBench({ connector: connector(), issuers: listed(old) })
    expect(await accepted(old)).toBe(true)
    await bench.configure(connector({ trust: { untrustedIssuers: [old.issuer] } }))
    expect(await accepted(old)).toBe(false)
    await bench.connector.synchroniseTrust(holder, 'jane')
    expect(await accepted(old)).toBe(false)
    await bench.configure(connector())
    expect(await accepted(old)).toBe(true)
  })

  it('PP-004 a rotated key fails before synchronisation and works after it', async () => {
    bench = await startConnectorBench({ connector: connector(), issuers: listed(old) })
    bench.cloud.issuers = listed(old, rotated)
    bench.cloudSide.trustChanged('demo')
    expect(await accepted(rotated)).toBe(false)
    await bench.connector.synchroniseTrust(holder, 'jane')
    expect(await accepted(rotated)).toBe(true)
    expect(await accepted(old)).toBe(true)
  })

  it('PP-005 with automatic synchronisation a rotated key is picked up without anybody doing anything', async () => {
    bench = await startConnectorBench({ connector: connector({ trust: { automatic: true } }) })
    const keys = (): readonly string[] => bench.connector.status.links[0]?.trust.issuers.flatMap((issuer) => issuer.keyIds) ?? []
    bench.cloud.issuers = listed(old)
    bench.cloudSide.trustChanged('demo')
    await until(() => keys().includes('old'))
    expect(await accepted(rotated)).toBe(false)
    bench.cloud.issuers = listed(old, rotated)
    bench.cloudSide.trustChanged('demo')
    await until(() => keys().includes('new'))
    expect(await accepted(rotated)).toBe(true)
  })

  it('remembers the trust list over a restart', async () => {
    const material = createMaterialMemory()
    bench = await startConnectorBench({ connector: connector(), issuers: listed(old), material })
    await bench[Symbol.asyncDispose]()
    bench = await startConnectorBench({ connector: connector(), material })
    expect(await accepted(old)).toBe(true)
  })
})

describe('several tunnels in one process, over TLS', () => {
  const authority = createTestCa({ subject: '/CN=Tunnel CA' })
  const server = authority.issue({ subject: '/CN=tunnel server' })
  const clients = new Map(['a', 'b'].map((name) => [name, authority.issue({ subject: `/CN=${name}`, names: [] })]))
  let cloudSide: TunnelServer
  let connector: CloudConnector
  let endpoint: URL
  beforeEach(async () => {
    cloudSide = createTunnelServer({
      transport: createTlsTransport({
        clock: systemClock,
        server: { certificate: server.certificate, key: server.key, ca: authority.certificate },
      }),
      endpoint: new URL('tls://localhost:0'),
      authorize: async (certificate) => ({ allowed: true, subaccount: certificate?.subject.replace('CN=', '') ?? '' }),
      trust: () => Promise.resolve([]),
      clock: systemClock,
      audit: silentAudit,
    })
    endpoint = await cloudSide.listen()
  })
  afterEach(async () => {
    await connector.stop({ graceMs: 0 })
    await cloudSide.close({ graceMs: 0 })
  })
  const identityOf = (subaccount: string, locationId = ''): ConnectorIdentity => ({
    subaccount,
    locationId,
    connectorId: `connector-${subaccount}`,
    description: '',
    tunnelEndpoint: endpoint.href,
    certificate: clients.get(subaccount)?.certificate ?? '',
    key: createSecret(clients.get(subaccount)?.key ?? ''),
    authorities: authority.certificate,
  })
  const start = async (
    configuration: ReturnType<typeof createConfigurationText> | ReturnType<typeof createConfigurationFile>,
    identities: readonly ConnectorIdentity[],
  ): Promise<void> => {
    connector = createCloudConnector({
      configuration,
      identities,
      createTransport: (current) =>
        createTlsTransport({
          clock: systemClock,
          client: () => ({ certificate: current().certificate, key: current().key, ca: current().authorities }),
        }),
      material: createMaterialMemory(),
      audit: silentAudit,
      clock: systemClock,
      agentVersion: 'test',
    })
    await connector.start()
    await connector.whenConnected(AbortSignal.timeout(10_000))
  }
  const statusFrom = async (subaccount: string, virtualHost: string, locationId = ''): Promise<number> => {
    const tunnel = cloudSide.find(subaccount, locationId)
    const opening = { kind: 'http', subaccount, locationId, virtualHost, virtualPort: 80, correlationId: 'c' } as const
    const request = httpRequest({
      path: '/',
      headers: { host: virtualHost },
      createConnection: () => toDuplex((handlers) => tunnel!.openStream(formatMessage(opening), handlers)),
    })
    request.on('error', () => {})
    request.end()
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode ?? 0
  }
  const entry = (name: string, more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> => ({
    ...more,
    mappings: [{ ...mappingTo(backend.url), virtual: `${name}.demo:80` }],
  })

  it('CC-100 a mapping of one subaccount never serves another', async () => {
    const text = JSON.stringify({ connectors: [entry('a', { subaccount: 'a' }), entry('b', { subaccount: 'b' })] })
    await start(createConfigurationText({ text }), [identityOf('a'), identityOf('b')])
    expect(await statusFrom('a', 'a.demo')).toBe(200)
    expect(await statusFrom('b', 'b.demo')).toBe(200)
    expect(await statusFrom('a', 'b.demo')).toBe(403)
    expect(await statusFrom('b', 'a.demo')).toBe(403)
  })

  it('CC-100 an entry that names no subaccount serves nobody when two could be meant', async () => {
    await start(createConfigurationText({ text: JSON.stringify({ connectors: [entry('a', {})] }) }), [identityOf('a'), identityOf('b')])
    expect(await statusFrom('a', 'a.demo')).toBe(403)
    expect(await statusFrom('b', 'a.demo')).toBe(403)
  })

  it('CC-100 a cloud side that takes the connector for another subaccount is not served', async () => {
    const text = JSON.stringify({ connectors: [entry('a', {})] })
    await start(createConfigurationText({ text }), [{ ...identityOf('a'), subaccount: 'mine' }])
    const opening = { kind: 'http', subaccount: 'a', locationId: '', virtualHost: 'a.demo', virtualPort: 80, correlationId: 'c' } as const
    const { promise, resolve } = Promise.withResolvers<unknown>()
    cloudSide
      .find('a', '')
      ?.openStream(formatMessage(opening), { onData: () => true, onEnd: () => {}, onDrain: () => {}, onClose: resolve })
    expect(await promise).toMatchObject({ kind: 'reset', by: 'peer', code: 'refused' })
    expect(backend.requests).toEqual([])
  })

  it('tells apart the locations of one subaccount', async () => {
    const text = JSON.stringify({ connectors: [entry('here', { locationId: '' }), entry('there', { locationId: 'there' })] })
    await start(createConfigurationText({ text }), [identityOf('a'), identityOf('b', 'there')])
    expect(await statusFrom('a', 'here.demo')).toBe(200)
    expect(await statusFrom('a', 'there.demo')).toBe(403)
    expect(await statusFrom('b', 'there.demo', 'there')).toBe(200)
  })

  it('takes a changed file over by itself, and keeps going with a bad one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-connector-'))
    const file = join(folder, 'sallyport.yaml')
    const write = (text: string): void => {
      writeFileSync(`${file}.new`, text)
      renameSync(`${file}.new`, file)
    }
    write(JSON.stringify({ connectors: [entry('first', {})] }))
    await start(createConfigurationFile({ file, clock: systemClock }), [identityOf('a')])
    expect(await statusFrom('a', 'first.demo')).toBe(200)
    write(JSON.stringify({ connectors: [entry('second', {})] }))
    await until(() => connector.status.configuration.revision === 2)
    expect(await statusFrom('a', 'second.demo')).toBe(200)
    expect(await statusFrom('a', 'first.demo')).toBe(403)
    write('connectors: [{ mappings: nonsense }]')
    await until(() => connector.status.configuration.problem !== undefined)
    expect(connector.status.configuration.problem).toMatch(/^sallyport\.yaml:1:\d+ connectors\[0\]\.mappings: /)
    expect(await statusFrom('a', 'second.demo')).toBe(200)
    rmSync(folder, { recursive: true })
  })

  it('opens the tunnel of an identity that is added later', async () => {
    await start(createConfigurationText({ text: JSON.stringify({ connectors: [entry('a', { subaccount: 'a' })] }) }), [])
    expect(cloudSide.find('a', '')).toBeUndefined()
    await connector.add(identityOf('a'))
    await connector.whenConnected(AbortSignal.timeout(10_000))
    expect(await statusFrom('a', 'a.demo')).toBe(200)
  })

  it('does not start with a bad configuration, and can be stopped all the same', async () => {
    await expect(start(createConfigurationText({ text: 'connectors: 1' }), [identityOf('a')])).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
    })
    await connector.stop()
    expect(cloudSide.list()).toEqual([])
    // Stopped before it could start: what it would open now nobody would close.
    await expect(connector.start()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })

  it('does not start again after it was stopped', async () => {
    await start(createConfigurationText({ text: JSON.stringify({ connectors: [entry('a', {})] }) }), [identityOf('a')])
    await connector.stop({ graceMs: 0 })
    await expect(connector.start()).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: expect.stringContaining('make a new one'),
    })
    await until(() => cloudSide.list().length === 0)
  })
})
