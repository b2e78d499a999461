import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { createManualClock, type ManualClock } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createFileEditor } from '../src/index.ts'
import { type AdministrationBench, type BenchAnswer, startAdministrationBench } from './administration-bench.ts'
import { region, type SmallCloud, startSmallCloud } from './small-cloud.ts'

const subaccounts = '/api/v1/configuration/subaccounts'
const demo = `${subaccounts}/${region}/demo`
const channels = `${demo}/channels`

/** What channels lead to. */
let service: Server
let clock: ManualClock
let cloud: SmallCloud
let bench: AdministrationBench
/** Of this machine, and nobody else uses it: the ports of ABAP channels are fixed. */
let host: string
let isLocked = false
beforeEach(async () => {
  const byte = (): number => 1 + Math.floor(Math.random() * 250)
  host = `127.${byte()}.${byte()}.${byte()}`
  isLocked = false
  clock = createManualClock(Date.now())
  service = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1')
  await once(service, 'listening')
  const internalAddress = `127.0.0.1:${(service.address() as AddressInfo).port}`
  const mappings = ['orders', 'vm1'].map((serviceId) => ({ type: 'TCP', subaccountId: 'demo', serviceId, internalAddress }) as const)
  cloud = await startSmallCloud({ clock, serviceChannels: { clusterHosts: ['cp.example.org'], mappings } })
  bench = await startAdministrationBench({ haRole: 'master', clock, isLocked: () => isLocked })
  await bench.call('POST', '/api/private/v1/regions', { name: 'Self', host: region, url: cloud.url, authority: cloud.authority })
  await bench.call('POST', subaccounts, { regionHost: region, subaccount: 'demo', cloudUser: 'admin', cloudPassword: 'secret' })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await cloud[Symbol.asyncDispose]()
  service.close()
})

const cluster = { k8sCluster: 'cp.example.org:443', k8sService: 'orders', port: 5432, connections: 1 }
const abap = { abapCloudTenantHost: 'guid.abap.eu10.hana.ondemand.com', instanceNumber: 20, connections: 1 }
const post = (type: string, body: object): Promise<BenchAnswer> => bench.call('POST', `${channels}/${type}`, { host, ...body })
/** The path of a new channel. */
async function create(type: string, body: object): Promise<string> {
  const answer = await post(type, body)
  expect([answer.status, answer.body]).toEqual([201, ''])
  return new URL(String(answer.headers['location'])).pathname
}
const read = async (path: string) => (await bench.call('GET', path)).json()
const enable = (path: string, enabled: unknown = true): Promise<BenchAnswer> => bench.call('PUT', `${path}/state`, { enabled })
const statusOf = async (answer: Promise<BenchAnswer>): Promise<readonly [number, string | undefined]> => {
  const { body, json, status } = await answer
  return [status, body === '' ? undefined : json().type]
}
async function knock(port: number): Promise<string> {
  const socket = connect({ host, port })
  const outcome = await once(socket, 'connect').then(
    () => 'open',
    (error: NodeJS.ErrnoException) => error.code ?? '',
  )
  socket.on('error', () => {}).destroy()
  return outcome
}

describe('a service channel', () => {
  it('CC-105 CC-108 is disabled when it is new; its state enables it, opens the port, and shows while it is enabled only', async () => {
    const path = await create('K8S', { ...cluster, comment: 'orders of plant 7' })
    const href = `https://127.0.0.1:${bench.port}${path}`
    const shown = {
      ...cluster,
      id: 1,
      type: 'K8S',
      comment: 'orders of plant 7',
      host,
      enabled: false,
      _links: { self: { href }, state: { href: `${href}/state` } },
    }
    expect(path).toBe(`${channels}/K8S/1`)
    expect(await read(path)).toEqual(shown)
    expect(await knock(5432)).toBe('ECONNREFUSED')
    expect(await statusOf(enable(path, 'true'))).toEqual([204, undefined])
    expect(await knock(5432)).toBe('open')
    const state = { connected: true, openedConnections: expect.any(Number), connectedSinceTimeStamp: clock.now() }
    expect(await read(`${channels}/K8S`)).toEqual([{ ...shown, enabled: true, state }])
    expect((await read(demo)).tunnel.serviceChannels).toEqual([
      { type: 'K8S', state: 'Connected', details: 'orders', comment: 'orders of plant 7' },
    ])
    expect(await statusOf(enable(path, false))).toEqual([204, undefined])
    expect(await knock(5432)).toBe('ECONNREFUSED')
    expect(await read(path)).toEqual(shown)
  })

  it('takes numbers as texts, and answers them as numbers', async () => {
    const path = await create('ABAPCloud', { ...abap, instanceNumber: '5', connections: '2' })
    expect(await read(path)).toMatchObject({ instanceNumber: 5, connections: 2, port: 3305, comment: '' })
    expect(await read(await create('HANA', { hanaInstanceName: 'hana1', instanceNumber: '7' }))).toMatchObject({ port: 30_715 })
    const machine = await create('VirtualMachine', { name: 'vm', endpointId: 'b1a2', port: '2222', connections: 1 })
    expect(await read(machine)).toMatchObject({ name: 'vm', endpointId: 'b1a2', port: 2222 })
  })

  it.each([
    ['K8S', { ...cluster, port: 0 }],
    ['K8S', { ...cluster, port: '65536' }],
    ['K8S', { ...cluster, k8sService: '' }],
    ['K8S', { ...cluster, k8sCluster: 'ftp://cp.example.org' }],
    ['K8S', { ...cluster, k8sCluster: 'cp.example.org/other' }],
    ['ABAPCloud', { ...abap, instanceNumber: 100 }],
    ['ABAPCloud', { ...abap, abapCloudTenantHost: 'https://x' }],
    ['HANA', { instanceNumber: 1 }],
    ['VirtualMachine', { name: 'vm', port: 1 }],
  ])('of type %s is refused when a value is missing or odd', async (type, body) => {
    expect(await statusOf(post(type, body))).toEqual([400, 'INVALID_REQUEST'])
    expect(await read(`${channels}/${type}`)).toEqual([])
  })

  it('CC-111 has host and service apart, when they are pasted as one', async () => {
    const pasted = await create('K8S', { k8sCluster: 'cp.example.org:443/orders.db', port: 5432 })
    expect(await read(pasted)).toMatchObject({ k8sCluster: 'cp.example.org:443', k8sService: 'orders.db' })
    const withProtocol = { k8sCluster: 'rfc://cp.example.org/abap', port: 5433 }
    expect((await bench.call('PUT', pasted, withProtocol)).status).toBe(204)
    expect(await read(pasted)).toMatchObject({ k8sCluster: 'rfc://cp.example.org', k8sService: 'abap', port: 5433, host })
  })

  it('CC-107 has a number of its own across types, which is never given again, not even after a restart', async () => {
    const first = await create('K8S', cluster)
    const second = await create('ABAPCloud', abap)
    expect([first, second]).toEqual([`${channels}/K8S/1`, `${channels}/ABAPCloud/2`])
    expect(await statusOf(bench.call('GET', `${channels}/K8S/2`))).toEqual([404, 'NOT_FOUND'])
    await bench.call('DELETE', second)
    await bench.call('DELETE', first)
    expect(await create('HANA', { hanaInstanceName: 'hana1', instanceNumber: 1 })).toBe(`${channels}/HANA/3`)
    await bench.call('DELETE', channels)
    await bench[Symbol.asyncDispose]()
    bench = await startAdministrationBench({ clock, material: bench.material })
    expect(await create('K8S', cluster)).toBe(`${channels}/K8S/4`)
  })

  it('CC-109 is not enabled when the cloud side cannot be reached, and the answer says so', async () => {
    const path = await create('K8S', cluster)
    await bench.call('PUT', `${demo}/state`, { connected: false })
    const answer = await enable(path)
    expect([answer.status, answer.json()]).toEqual([
      500,
      {
        type: 'RUNTIME_FAILURE',
        message: expect.stringContaining(
          `Service channel could not be opened. See 'Logging and Tracing' and in particular scc_core.trc for details. Associated entries were logged on or around ${new Date(clock.now()).toISOString().slice(0, 10)} `,
        ),
      },
    ])
    const after = await read(path)
    expect([after.enabled, 'state' in after]).toEqual([false, false])
    expect(await knock(5432)).toBe('ECONNREFUSED')
  })

  it.each([
    ['the cloud side offers no such service', { ...cluster, k8sService: 'nothing' }, 'no service mapping offers TCP service "nothing"'],
    ['the cloud side is another cluster', { ...cluster, k8sCluster: 'other.example.org:443' }, 'this is not the cluster'],
    ['nothing answers at the service', cluster, 'service "orders" cannot be reached'],
  ])('CC-109 is not enabled when %s, and the answer says so', async (_, body, reason) => {
    if (body === cluster) service.close()
    const path = await create('K8S', body)
    const answer = await enable(path)
    expect([answer.status, answer.json()]).toEqual([
      500,
      {
        type: 'RUNTIME_FAILURE',
        message: expect.stringMatching(`^Service channel could not be opened\\. .*\\. Reason: ${reason}`),
      },
    ])
    expect(await read(path)).toMatchObject({ enabled: false })
    expect(await knock(5432)).toBe('ECONNREFUSED')
  })

  it('that is open is not led to what is not there, and keeps what has gone', async () => {
    const path = await create('K8S', cluster)
    await enable(path)
    expect(await statusOf(bench.call('PUT', path, { ...cluster, k8sService: 'nothing' }))).toEqual([500, 'RUNTIME_FAILURE'])
    expect(await read(path)).toMatchObject({ k8sService: 'orders', enabled: true, state: { connected: true } })
    service.close()
    expect(await statusOf(bench.call('PUT', path, { ...cluster, comment: 'gone' }))).toEqual([204, undefined])
    expect(await read(path)).toMatchObject({ comment: 'gone', enabled: true, state: { connected: true } })
  })

  it('stays enabled when its subaccount is disconnected, and tells that it is not connected', async () => {
    const path = await create('K8S', cluster)
    await enable(path)
    await bench.call('PUT', `${demo}/state`, { connected: false })
    expect(await read(path)).toMatchObject({ enabled: true, state: { connected: false, connectedSinceTimeStamp: 0 } })
    expect(await knock(5432)).toBe('ECONNREFUSED')
    await bench.call('PUT', `${demo}/state`, { connected: true })
    expect(await knock(5432)).toBe('open')
  })

  it('CC-112 does not get a port that is taken, by a process or by another channel, and the other one stays open', async () => {
    const open = await create('K8S', cluster)
    await enable(open)
    const same = await post('VirtualMachine', { name: 'vm', endpointId: 'b1a2', port: 5432 })
    expect([same.status, same.json().message]).toEqual([400, expect.stringContaining('port 5432')])
    await using process = createServer().listen(3320, host)
    await once(process, 'listening')
    const taken = await create('ABAPCloud', abap)
    const answer = await enable(taken)
    expect([answer.status, answer.json().message]).toEqual([500, expect.stringContaining(`${host}:3320: another channel or process`)])
    expect(await read(taken)).toMatchObject({ enabled: false })
    // Moved onto that port, an open one is where it was before.
    expect((await bench.call('PUT', open, { ...cluster, port: 3320, host })).status).toBe(400)
    await bench.call('DELETE', taken)
    expect(await statusOf(bench.call('PUT', open, { ...cluster, port: 3320 }))).toEqual([500, 'RUNTIME_FAILURE'])
    expect(await read(open)).toMatchObject({ port: 5432, enabled: true, state: { connected: true } })
    expect(await knock(5432)).toBe('open')
  })

  it('follows a change of its port while it is open', async () => {
    const path = await create('K8S', cluster)
    await enable(path)
    expect((await bench.call('PUT', path, { ...cluster, port: '5433', comment: 'moved' })).status).toBe(204)
    expect(await Promise.all([knock(5432), knock(5433)])).toEqual(['ECONNREFUSED', 'open'])
    expect(await read(path)).toMatchObject({ id: 1, port: 5433, comment: 'moved', enabled: true })
  })
})

describe('service channels', () => {
  it('CC-110 are deleted by type, where the other types stay, and all together', async () => {
    const gone = await create('K8S', cluster)
    const left = await create('ABAPCloud', abap)
    await enable(gone)
    expect(await statusOf(bench.call('DELETE', `${channels}/K8S`))).toEqual([204, undefined])
    expect(await statusOf(bench.call('GET', gone))).toEqual([404, 'NOT_FOUND'])
    expect(await knock(5432)).toBe('ECONNREFUSED')
    expect(await read(left)).toMatchObject({ id: 2 })
    await create('HANA', { hanaInstanceName: 'hana1', instanceNumber: 1 })
    expect(await statusOf(bench.call('DELETE', channels))).toEqual([204, undefined])
    for (const type of ['ABAPCloud', 'ABAPCloudSNC', 'K8S', 'HANA', 'VirtualMachine'])
      expect([type, await read(`${channels}/${type}`)]).toEqual([type, []])
  })

  it('are unknown where channel, type or subaccount are', async () => {
    const missing = [404, 'NOT_FOUND']
    expect(await statusOf(bench.call('GET', `${channels}/K8S/7`))).toEqual(missing)
    expect(await statusOf(bench.call('GET', `${channels}/K8S/x`))).toEqual(missing)
    expect(await statusOf(bench.call('PUT', `${channels}/K8S/7`, cluster))).toEqual(missing)
    expect(await statusOf(enable(`${channels}/K8S/7`))).toEqual(missing)
    expect(await statusOf(bench.call('DELETE', `${channels}/K8S/7`))).toEqual(missing)
    expect((await bench.call('GET', `${channels}/FTP`)).status).toBe(404)
    const elsewhere = `${subaccounts}/${region}/other`
    expect(await statusOf(bench.call('POST', `${elsewhere}/channels/K8S`, cluster))).toEqual(missing)
    expect(await statusOf(bench.call('GET', `${elsewhere}/availableChannels/HANA`))).toEqual(missing)
    for (const type of ['HANA', 'VirtualMachine']) expect(await read(`${demo}/availableChannels/${type}`)).toEqual([])
  })

  it('of a subaccount that somebody has open in the pages are shown, and not changed', async () => {
    const path = await create('K8S', cluster)
    isLocked = true
    const before = await read(path)
    for (const call of [
      post('HANA', { hanaInstanceName: 'hana1', instanceNumber: 1 }),
      bench.call('PUT', path, { ...cluster, comment: 'other' }),
      enable(path),
      bench.call('DELETE', path),
      bench.call('DELETE', `${channels}/K8S`),
      bench.call('DELETE', channels),
    ])
      expect(await statusOf(call)).toEqual([409, 'ILLEGAL_STATE'])
    expect(await read(path)).toEqual(before)
  })

  it('that a configuration file decides on are shown with their numbers', async () => {
    await create('HANA', { hanaInstanceName: 'hana1', instanceNumber: 1 })
    await enable(await create('K8S', cluster))
    const { document } = createFileEditor({ connector: bench.connector, file: 'connector.yaml', startedAtMs: 0 })
    expect(document.subaccounts[0]?.channels).toEqual(bench.editor.document.subaccounts[0]?.channels)
    expect(document.subaccounts[0]?.channels).toMatchObject([
      { id: 1, type: 'HANA', enabled: false },
      { id: 2, type: 'K8S', enabled: true },
    ])
  })

  it('of a managed subaccount are changed by administrators alone, and shown to all', async () => {
    await bench.expose({ regionHost: region, subaccount: 'managed', isManaged: true })
    const managed = `${subaccounts}/${region}/managed/channels`
    const as = { as: 'sccsubadmin' }
    expect(await statusOf(bench.call('POST', `${managed}/K8S`, { ...cluster, host }, as))).toEqual([403, 'FORBIDDEN_REQUEST'])
    expect((await bench.call('POST', `${managed}/K8S`, { ...cluster, host })).status).toBe(201)
    expect((await bench.call('GET', `${managed}/K8S`, undefined, as)).json()).toHaveLength(1)
    for (const call of [
      bench.call('PUT', `${managed}/K8S/1`, cluster, as),
      bench.call('PUT', `${managed}/K8S/1/state`, { enabled: true }, as),
      bench.call('DELETE', `${managed}/K8S/1`, undefined, as),
      bench.call('DELETE', managed, undefined, as),
    ])
      expect(await statusOf(call)).toEqual([403, 'FORBIDDEN_REQUEST'])
    expect((await bench.call('GET', `${managed}/K8S/1`)).json()).toMatchObject({ enabled: false })
  })
})

describe('the form of early versions', () => {
  const given = { typeKey: 'HANA_DB', details: 'sales', serviceNumber: 20, connectionCount: '2' }
  const make = async (body: object): Promise<string> => {
    const answer = await bench.call('POST', channels, body)
    expect([answer.status, answer.body]).toEqual([201, ''])
    return new URL(String(answer.headers['location'])).pathname
  }
  const freePort = async (): Promise<number> => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return port
  }

  it('makes channels of three types, and lists those of all', async () => {
    expect(await make(given)).toBe(`${channels}/1`)
    await make({ ...given, typeKey: 'RFC', details: abap.abapCloudTenantHost })
    await make({ ...given, typeKey: 'HCPVM', details: 'vm1', serviceNumber: 2222 })
    await create('K8S', cluster)
    const closed = { enabled: false, connected: false, availableConnectionsCount: 0, connectedSinceTimeStamp: 0 }
    expect(await read(channels)).toEqual([
      { id: 1, typeDesc: { typeKey: 'HANA_DB', typeName: 'HANA Database' }, details: 'sales', port: 32015, connectionsCount: 2, ...closed },
      {
        id: 2,
        typeDesc: { typeKey: 'RFC', typeName: 'ABAP Cloud System' },
        details: abap.abapCloudTenantHost,
        port: 3320,
        connectionsCount: 2,
        ...closed,
      },
      { id: 3, typeDesc: { typeKey: 'HCPVM', typeName: 'Virtual Machine' }, details: 'vm1', port: 2222, connectionsCount: 2, ...closed },
      { id: 4, typeDesc: { typeKey: 'K8S', typeName: 'K8s Cluster' }, details: 'orders', port: 5432, connectionsCount: 1, ...closed },
    ])
    expect(await read(`${channels}/HANA`)).toMatchObject([{ id: 1, hanaInstanceName: 'sales', instanceNumber: 20, connections: 2 }])
    expect(await read(`${channels}/1`)).toMatchObject({ id: 1, details: 'sales' })
    expect(await statusOf(bench.call('GET', `${channels}/9`))).toEqual([404, 'NOT_FOUND'])
    expect(await statusOf(bench.call('POST', channels, { ...given, typeKey: 'K8S' }))).toEqual([400, 'INVALID_REQUEST'])
    expect(await statusOf(bench.call('POST', channels, { ...given, serviceNumber: 100, details: 'other' }))).toEqual([
      400,
      'INVALID_REQUEST',
    ])
  })

  it('enables, changes and removes a channel, whose type stays', async () => {
    const port = await freePort()
    const machine = { typeKey: 'HCPVM', details: 'vm1', serviceNumber: port, connectionCount: 1 }
    const path = await make(machine)
    expect(await statusOf(enable(path, 'true'))).toEqual([204, undefined])
    expect(await read(path)).toMatchObject({
      enabled: true,
      connected: true,
      connectedSinceTimeStamp: clock.now(),
      availableConnectionsCount: 1,
    })
    expect(await statusOf(bench.call('PUT', path, { ...machine, connectionCount: 3 }))).toEqual([204, undefined])
    expect(await read(path)).toMatchObject({ enabled: true, connectionsCount: 3 })
    expect(await statusOf(bench.call('PUT', path, given))).toEqual([400, 'INVALID_REQUEST'])
    expect(await statusOf(bench.call('DELETE', path))).toEqual([204, undefined])
    expect(await statusOf(bench.call('DELETE', path))).toEqual([404, 'NOT_FOUND'])
  })

  it('keeps the endpoint of a machine whose name stays', async () => {
    const path = new URL(String((await post('VirtualMachine', { name: 'vm', endpointId: 'guid', port: 2222 })).headers['location']))
      .pathname
    const older = path.replace('/VirtualMachine', '')
    const change = { typeKey: 'HCPVM', serviceNumber: 2223, connectionCount: 1 }
    await bench.call('PUT', older, { ...change, details: 'vm' })
    expect(await read(path)).toMatchObject({ name: 'vm', endpointId: 'guid', port: 2223, host })
    await bench.call('PUT', older, { ...change, details: 'other' })
    expect(await read(path)).toMatchObject({ name: 'other', endpointId: 'other' })
  })
})
