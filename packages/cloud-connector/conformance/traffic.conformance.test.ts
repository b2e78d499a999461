import { createRfcCaller } from '@sallyport/conformance/cases'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import {
  createHttpBackend,
  createManualClock,
  createTestCa,
  createTestIssuer,
  type HttpBackend,
  type ManualClock,
} from '@sallyport/test-fixtures'
import { formatMessage, toDuplex } from '@sallyport/tunnel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createMaterialMemory, type MaterialStore, type TrafficStatus } from '../src/index.ts'
import { usageSaveMs } from '../src/limits.ts'
import { type AdminBench, startAdminBench } from './admin-bench.ts'
import { type ConnectorBench, mappingTo, startConnectorBench, subaccount, until } from './connector-bench.ts'
import { startScriptedGateway } from './scripted-gateway.ts'

const link = { subaccount, locationId: '' }
const clock: ManualClock = createManualClock()
const cleanups: AsyncDisposable[] = []
let backend: HttpBackend
let material: MaterialStore
beforeEach(async () => {
  material = createMaterialMemory()
  backend = await createHttpBackend({
    answer: ({ target }) => {
      clock.advance(Number(/\d+/.exec(target)?.[0] ?? 0))
      return target === '/broken' ? { status: 500, body: 'no' } : { body: 'ok' }
    },
  })
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

async function start(more: readonly unknown[] = [], mapping: Readonly<Record<string, unknown>> = {}): Promise<ConnectorBench> {
  const bench = await startConnectorBench({ clock, material, connector: { mappings: [mappingTo(backend.url, mapping), ...more] } })
  cleanups.push(bench)
  return bench
}
async function administer(bench: ConnectorBench): Promise<AdminBench> {
  const admin = await startAdminBench({ connector: bench.connector, clock })
  cleanups.push(admin)
  return admin
}
const traffic = (bench: ConnectorBench): TrafficStatus => {
  const [only] = bench.connector.traffic
  if (only === undefined) throw new Error('there is no tunnel')
  return only
}
const partsOf = (times: TrafficStatus['recent'][number]['times']): number =>
  Object.values(times).reduce((sum: number, part: number) => sum + part, 0) - times.totalMs

describe('recent requests', () => {
  it('CC-159 hold the last 50 calls of HTTP and RFC, and none of TCP', async () => {
    const gateway = await startScriptedGateway({})
    cleanups.push(gateway)
    const database = await listening((socket) => socket.on('data', (chunk: Buffer) => socket.write(chunk)))
    const bench = await start([
      { virtual: 'db.demo:5432', internal: `tcp://127.0.0.1:${portOf(database)}` },
      {
        virtual: 'erp.demo:sapgw00',
        internal: `rfc://localhost:${gateway.port}`,
        systemNumber: '42',
        backendType: 'abapSys',
        functions: [{ name: 'STFC_CONNECTION' }],
      },
    ])
    const agent = bench.keepAlive()
    for (let each = 0; each < 52; each++) await bench.request({ agent, path: `/call/${each}` })
    const { stream } = await bench.tcp({ host: 'db.demo', port: 5432 })
    stream.write('select 1')
    await once(stream, 'data')
    stream.destroy()
    const erp = await bench.tcp({ host: 'erp.demo', port: 3300 })
    const caller = createRfcCaller(erp.stream)
    await caller.logOn()
    await caller.call('STFC_CONNECTION')
    const { recent } = traffic(bench)
    expect(recent).toHaveLength(50)
    expect(recent.slice(0, 3).map(({ protocol, resource, user }) => [protocol, resource, user])).toEqual([
      ['RFC', 'STFC_CONNECTION', 'JANE'],
      ['RFC', expect.any(String), 'JANE'],
      ['HTTP', '/call/51', ''],
    ])
    expect(recent.at(-1)?.resource).toBe('/call/4')
    expect(recent.every(({ bytesReceived, bytesSent }) => bytesReceived > 0 && bytesSent > 0)).toBe(true)
    erp.stream.destroy()
  })

  it('say how a call ended, and leave out those that were refused', async () => {
    const bench = await start([], { resources: [{ path: '/broken' }, { path: '/slow/20', subPaths: true }] })
    await bench.request({ path: '/broken' })
    await bench.request({ path: '/secret' })
    await bench.request({ path: '/slow/20?filter=private' })
    await backend[Symbol.asyncDispose]()
    expect((await bench.request({ path: '/broken' })).status).toBe(502)
    expect(traffic(bench).recent.map(({ reason, resource, status }) => [resource, status, reason])).toEqual([
      ['/broken', 502, 'Bad Gateway'],
      ['/slow/20', 200, 'OK'],
      ['/broken', 500, expect.any(String)],
    ])
  })

  it('split the time: what the backend took is external, and the parts add up', async () => {
    const bench = await start()
    await bench.request({ path: '/1234' })
    const [record] = traffic(bench).recent
    expect(record?.times).toMatchObject({ totalMs: 1234, externalMs: 1234, latencyMs: 0, openMs: 0, internalMs: 0 })
    const stream = bench.connect()
    stream.write('POST /7 HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 2\r\n\r\na')
    await until(() => traffic(bench).recent.length === 1 && (bench.connector.backends[0]?.mappings[0]?.active ?? 0) === 1)
    // Head and half of the body are at the backend; the caller takes its time over the rest.
    clock.advance(300)
    stream.write('b')
    await until(() => traffic(bench).recent.length === 2)
    const [posted] = traffic(bench).recent
    expect(posted?.times).toMatchObject({ totalMs: 307, latencyMs: 300, externalMs: 7 })
    expect(partsOf(posted!.times)).toBe(307)
    stream.destroy()
  })

  it('count validation and certificate of a principal apart', async () => {
    const ca = createTestCa()
    const issuer = createTestIssuer()
    const server = ca.issue({ subject: '/CN=localhost' })
    const system = ca.issue({ subject: '/CN=connector', names: [] })
    const signing = createTestCa()
    const secure = await createHttpBackend({
      tls: { certificate: server.certificate, key: server.key, clientCa: ca.certificate },
      answer: () => ({ body: 'ok' }),
    })
    cleanups.push(secure)
    // A clock that moves with every look at it shows what lies between looks.
    let ticks = Date.now()
    const bench = await startConnectorBench({
      clock: { ...clock, now: () => ticks++ },
      connector: {
        mappings: [mappingTo(secure.url, { principalType: 'X509_GENERAL' })],
        systemCertificate: { certificate: { file: 'system.crt' }, key: { file: 'system.key' } },
        principalPropagation: { ca: { certificate: { file: 'ca.crt' }, key: { file: 'ca.key' } }, subjectPattern: 'CN=${email}' },
        backendTrust: { authorities: [{ file: 'trust.crt' }] },
      },
      files: {
        'system.crt': system.certificate,
        'system.key': system.key,
        'ca.crt': signing.certificate,
        'ca.key': signing.key,
        'trust.crt': ca.certificate,
      },
      issuers: [{ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }],
    })
    cleanups.push(bench)
    const principal = { kind: 'business', token: issuer.user('jane@acme.test') } as const
    expect((await bench.request({ principal })).status).toBe(200)
    const [record] = traffic(bench).recent
    expect(record?.times.validateMs).toBeGreaterThan(0)
    expect(record?.times.generateMs).toBeGreaterThan(0)
    expect(record?.user).toBe('jane@acme.test')
    expect(partsOf(record!.times)).toBe(record?.times.totalMs)
  })

  it('keep to the resources of a filter, and so do buckets', async () => {
    const bench = await start()
    const control = bench.connector.trafficControl(link)
    control.setFilter([
      {
        virtual: 's4.demo:443',
        resources: [
          { path: '/orders', subPaths: true },
          { path: '/exact', subPaths: false },
        ],
      },
    ])
    for (const path of ['/orders/1', '/other', '/exact', '/exact/1']) await bench.request({ path })
    expect(traffic(bench).recent.map(({ resource }) => resource)).toEqual(['/exact', '/orders/1'])
    expect(bench.connector.backends[0]?.mappings[0]?.buckets.reduce((sum, count) => sum + count, 0)).toBe(2)
    expect(traffic(bench).usage.virtualHosts[0]?.calls).toBe(4)
  })
})

describe('top time consumers', () => {
  it('are shown longest first, and can be deleted without the rest', async () => {
    const bench = await start()
    const admin = await administer(bench)
    for (const path of ['/20', '/3000', '/100']) await bench.request({ path })
    const shown = async (): Promise<any> => (await admin.get('/api/monitoring/performance/topTimeConsumers', 'watch:secret')).json()
    const { subaccounts, version } = await shown()
    expect(version).toBe(1)
    expect(subaccounts[0]).toMatchObject({
      subaccount,
      locationID: '',
      regionHost: 'cloud',
      sinceTime: expect.stringMatching(/^\d{4}-.* \+0000$/),
    })
    expect(subaccounts[0].requests.map(({ totalTime }: { totalTime: number }) => totalTime)).toEqual([3000, 100, 20])
    expect(subaccounts[0].requests[0]).toEqual({
      protocol: 'HTTP',
      virtualBackend: 's4.demo:443',
      internalBackend: `127.0.0.1:${backend.address.port}`,
      resource: '/3000',
      sentBytes: expect.any(Number),
      receivedBytes: expect.any(Number),
      user: '',
      totalTime: 3000,
      externalTime: 3000,
      genSsoTime: 0,
      openRemoteTime: 0,
      validationSsoTime: 0,
      latencyTime: 0,
    })
    bench.connector.trafficControl(link).deleteTop()
    expect((await shown()).subaccounts[0].requests).toEqual([])
    expect(traffic(bench).recent).toHaveLength(3)
    bench.connector.trafficControl(link).deletePerformance()
    expect(traffic(bench).recent).toEqual([])
    expect(bench.connector.backends[0]?.mappings[0]?.buckets.every((count) => count === 0)).toBe(true)
  })
})

describe('usage', () => {
  const resources = [{ path: '/used', subPaths: true }, { path: '/never' }, { path: '/off', enabled: false }]
  const usage = async (admin: AdminBench): Promise<any> => (await admin.get('/api/monitoring/usage', 'watch:secret')).json().subaccounts[0]

  it('counts calls, bytes and the last access by virtual host and resource', async () => {
    const database = await listening((socket) => socket.on('data', (chunk: Buffer) => socket.write(chunk)))
    const bench = await start([{ virtual: 'db.demo:5432', internal: `tcp://127.0.0.1:${portOf(database)}` }], { resources })
    const admin = await administer(bench)
    await bench.request({ path: '/used/1' })
    await bench.request({ path: '/used/2' })
    await bench.request({ path: '/off' })
    const { stream } = await bench.tcp({ host: 'db.demo', port: 5432 })
    stream.write('12345')
    await once(stream, 'data')
    stream.destroy()
    await until(() => traffic(bench).usage.virtualHosts[1]?.bytesSent === 5)
    const shown = await usage(admin)
    expect(shown).toMatchObject({
      sinceTime: expect.any(Number),
      serviceChannelUsageStatistics: [],
      subaccount,
      regionHost: 'cloud',
      locationID: '',
    })
    const [http, tcp] = shown.usageStatistics
    expect(http).toMatchObject({ virtualHost: 's4.demo', virtualPort: '443', protocol: 'HTTP', calls: 2, mostRecentAccess: clock.now() })
    expect(http.bytesReceived).toBeGreaterThan(0)
    expect(http.bytesSent).toBeGreaterThan(0)
    expect(http.resources).toEqual([
      {
        resourceName: '/used',
        enabled: true,
        calls: 2,
        bytesReceived: http.bytesReceived,
        bytesSent: http.bytesSent,
        mostRecentAccess: clock.now(),
      },
      { resourceName: '/never', enabled: true, calls: 0, bytesReceived: 0, bytesSent: 0 },
      { resourceName: '/off', enabled: false, calls: 0, bytesReceived: 0, bytesSent: 0 },
    ])
    expect(tcp).toMatchObject({ virtualHost: 'db.demo', protocol: 'TCP', calls: 1, bytesReceived: 5, bytesSent: 5, resources: [] })
  })

  it('CC-160 survives a restart, also one that nobody announced; that of service channels does not', async () => {
    const server = await listening(() => {})
    const port = portOf(server)
    await new Promise((resolve) => server.close(resolve))
    const startWithChannel = async (): Promise<ConnectorBench> => {
      const bench = await startConnectorBench({
        clock,
        material,
        serveChannel(incoming) {
          const duplex = toDuplex((handlers) => {
            const stream = incoming.accept(handlers)
            stream.sendMessage(formatMessage({ kind: 'connected' }))
            return stream
          })
          duplex.on('error', () => {}).pipe(duplex)
        },
        connector: {
          mappings: [mappingTo(backend.url, { resources })],
          channels: [{ type: 'K8S', k8sCluster: 'cp.example.org:443/orders.db', port }],
        },
      })
      cleanups.push(bench)
      await until(() => bench.connector.status.links[0]?.channels[0]?.state.kind === 'open')
      return bench
    }
    const channelBytes = async (bench: ConnectorBench): Promise<readonly [number, number]> => {
      const { bytesReceived, bytesSent } = (await usage(await administer(bench))).serviceChannelUsageStatistics[0]
      return [bytesReceived, bytesSent]
    }
    const before = await startWithChannel()
    const client = connect(port, '127.0.0.1')
    client.write('12345')
    await once(client, 'data')
    client.destroy()
    await until(() => before.connector.status.links[0]?.channels[0]?.openedConnections === 0)
    expect(await channelBytes(before)).toEqual([5, 5])
    await before.connector.stop({ graceMs: 0 })
    const after = await startWithChannel()
    expect(await channelBytes(after)).toEqual([0, 0])
    await after.connector.stop({ graceMs: 0 })

    const first = await start([], { resources })
    await first.request({ path: '/used' })
    clock.advance(usageSaveMs)
    await until(() => namesHold(material, 'usage '))
    const calls = (bench: ConnectorBench): number | undefined => traffic(bench).usage.virtualHosts[0]?.resources[0]?.calls
    // The first one goes on running and is never asked to stop: what it has kept must do.
    const second = await start([], { resources })
    expect(calls(second)).toBe(1)
    await second.request({ path: '/used' })
    await second.connector.stop({ graceMs: 0 })
    const third = await start([], { resources })
    const admin = await administer(third)
    expect((await usage(admin)).usageStatistics[0]).toMatchObject({ calls: 2, resources: [{ calls: 2 }, { calls: 0 }, { calls: 0 }] })
    await third.connector.trafficControl(link).resetUsage()
    expect(calls(await start([], { resources }))).toBe(0)
  })

  it('is kept by the hour for a day', async () => {
    const bench = await start()
    await bench.request({ path: '/x' })
    clock.advance(3_600_000)
    await bench.request({ path: '/x' })
    await bench.request({ path: '/x' })
    const hours = (): readonly number[] => traffic(bench).usage.virtualHosts[0]?.hours.map(({ calls }) => calls) ?? []
    expect(hours()).toEqual([1, 2])
    clock.advance(23 * 3_600_000)
    expect(hours()).toEqual([2])
    clock.advance(3_600_000)
    expect(hours()).toEqual([])
    expect(traffic(bench).usage.virtualHosts[0]?.calls).toBe(3)
  })
})

describe('backend connections', () => {
  it('tell how long they have been idle', async () => {
    const bench = await start()
    const agent = bench.keepAlive()
    await bench.request({ agent, path: '/x' })
    clock.advance(1500)
    expect(bench.connector.backends[0]?.mappings[0]).toMatchObject({ idle: 1, active: 0, idleMs: [1500] })
    await bench.request({ agent, path: '/x' })
    expect(bench.connector.backends[0]?.mappings[0]?.idleMs).toEqual([0])
  })
})

async function listening(onSocket: (socket: Socket) => void): Promise<Server> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    onSocket(socket)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  cleanups.push({
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  })
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

let kept: readonly string[] = []
/** Asked again and again by `until`: the answer is that of the question before. */
function namesHold(store: MaterialStore, beginning: string): boolean {
  void store.names().then((names) => (kept = names))
  return kept.some((name) => name.startsWith(beginning))
}
