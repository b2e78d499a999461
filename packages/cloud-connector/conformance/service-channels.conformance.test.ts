import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { systemClock, type TunnelStream } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { type ChannelOpening, formatMessage, type ServeChannel, toDuplex } from '@sallyport/tunnel'
import { afterEach, describe, expect, it } from 'vitest'
import type { ChannelStatus } from '../src/index.ts'
import { startAdminBench } from './admin-bench.ts'
import { type ConnectorBench, startConnectorBench, subaccount, until } from './connector-bench.ts'

let bench: ConnectorBench | undefined
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  sockets.clear()
  await bench?.[Symbol.asyncDispose]()
  bench = undefined
})

/** A connector with one open channel, and where it listens. */
async function startOne(answer: 'echo' | 'refuse' = 'echo'): Promise<{ readonly host: string; readonly bench: ConnectorBench }> {
  const host = ownAddress()
  const started = await startConnectorBench({
    serveChannel: cloudSide(answer).serve,
    connector: channels([{ type: 'K8S', k8sCluster: 'cp/db', port: 5432, host }]),
  })
  bench = started
  await allOpen()
  return { host, bench: started }
}

/** An address of this machine that nobody else uses: the ports of ABAP channels are fixed. */
function ownAddress(): string {
  const byte = (): number => 1 + Math.floor(Math.random() * 250)
  return `127.${byte()}.${byte()}.${byte()}`
}

interface CloudSide {
  readonly openings: ChannelOpening[]
  readonly streams: TunnelStream[]
  /** How many of them are over. */
  readonly closed: number
  readonly serve: ServeChannel
}

/** Answers `hello <service id>` and sends back what it gets, unless `answer` says what else it does. */
function cloudSide(answer: 'echo' | 'refuse' | 'silence' = 'echo'): CloudSide {
  const openings: ChannelOpening[] = []
  const streams: TunnelStream[] = []
  let closed = 0
  return {
    openings,
    streams,
    get closed() {
      return closed
    },
    serve(incoming, opening) {
      openings.push(opening)
      let begun: TunnelStream | undefined
      const duplex = toDuplex((handlers) => (begun = incoming.accept(handlers)))
      duplex.on('error', () => {}).on('close', () => void closed++)
      if (begun !== undefined) streams.push(begun)
      if (answer === 'silence') return
      if (answer === 'refuse') {
        begun?.sendMessage(formatMessage({ kind: 'refused', code: 'ACCESS_DENIED', message: 'no service\u001b[2Jmapping' }))
        duplex.end()
        return
      }
      begun?.sendMessage(formatMessage({ kind: 'connected' }))
      duplex.write(`hello ${opening.serviceId}\n`)
      duplex.pipe(duplex)
    },
  }
}

const channels = (list: readonly object[]): object => ({ audit: { level: 'ALL' }, channels: list })
const statuses = (): readonly ChannelStatus[] => bench?.connector.status.links[0]?.channels ?? []
const kinds = (): readonly string[] => statuses().map(({ state }) => state.kind)
const allOpen = (): Promise<void> => until(() => kinds().length > 0 && kinds().every((kind) => kind === 'open'))

async function client(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port, allowHalfOpen: true })
  sockets.add(socket)
  await once(socket, 'connect')
  // Whoever wants to know asks with endOf.
  socket.on('error', () => {})
  return socket
}
/** What becomes of a client that only waits; a reset may reach it while it still thinks that it connects. */
async function outcome(host: string, port: number): Promise<string> {
  return await client(host, port).then(endOf, (error: NodeJS.ErrnoException) => error.code ?? '')
}
/** How a client's connection ends: the code of an error, or `end`. */
function endOf(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    socket.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.once('end', () => resolve('end'))
    socket.resume()
  })
}

describe('service channels', () => {
  it('CC-106 ABAPCloud instance 20 listens on 3320 and instance 5 on 3305; SNC has 4820, and says why it is not open', async () => {
    const host = ownAddress()
    const cloud = cloudSide()
    const abapCloudTenantHost = 'GUID.abap.eu10.hana.ondemand.com'
    bench = await startConnectorBench({
      serveChannel: cloud.serve,
      connector: channels([
        { type: 'ABAPCloud', abapCloudTenantHost, instanceNumber: 20, host },
        { type: 'ABAPCloud', abapCloudTenantHost, instanceNumber: 5, host },
        { type: 'HANA', hanaInstanceName: 'hana1', instanceNumber: 7, host },
        { type: 'VirtualMachine', name: 'vm', endpointId: 'b1a2', port: 2222, host },
        { type: 'ABAPCloudSNC', abapCloudTenantHost, instanceNumber: 20, host },
      ]),
    })
    await until(() => kinds().filter((kind) => kind === 'open').length === 4)
    for (const [port, greeting] of [
      [3320, 'guid.abap.eu10.hana.ondemand.com'],
      [3305, 'guid.abap.eu10.hana.ondemand.com'],
      [30_715, 'hana1'],
      [2222, 'b1a2'],
    ] as const) {
      const socket = await client(host, port)
      socket.end()
      expect(await text(socket)).toBe(`hello ${greeting}\n`)
    }
    expect(cloud.openings.map(({ serviceType }) => serviceType)).toEqual(['RFC', 'RFC', 'TCP', 'TCP'])
    expect(statuses()[4]).toMatchObject({ port: 4820, state: { kind: 'failed', message: expect.stringContaining('has none') } })
    await expect(client(host, 4820)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('CC-111 a pasted host:443/service.id asks the cloud side for that service of that cluster', async () => {
    const host = ownAddress()
    const cloud = cloudSide()
    bench = await startConnectorBench({
      serveChannel: cloud.serve,
      connector: channels([
        { type: 'K8S', k8sCluster: 'CP.example.org:443/orders.db', port: 5432, host },
        { type: 'K8S', k8sCluster: 'rfc://cp.example.org', k8sService: 'abap', port: 5433, host },
      ]),
    })
    await allOpen()
    for (const port of [5432, 5433]) {
      const socket = await client(host, port)
      socket.end()
      await text(socket)
    }
    expect(cloud.openings).toMatchObject([
      { serviceType: 'TCP', serviceId: 'orders.db', cluster: 'cp.example.org:443' },
      { serviceType: 'RFC', serviceId: 'abap', cluster: 'cp.example.org:443' },
    ])
  })

  it('CC-114 bytes pass both ways and each direction ends by itself, counted by port and without an audit entry', async () => {
    const { host, bench: started } = await startOne()
    const socket = await client(host, 5432)
    const sent = 'x'.repeat(3_000_000)
    socket.end(sent)
    expect(await text(socket)).toBe(`hello db\n${sent}`)
    await until(() => statuses()[0]?.openedConnections === 0)
    expect(statuses()[0]?.usage).toMatchObject({
      clients: 1,
      bytesToCloud: sent.length,
      bytesFromCloud: sent.length + 9,
      hours: [{ bytesToCloud: sent.length, bytesFromCloud: sent.length + 9 }],
    })
    expect(started.audit).toEqual([])
  })

  it('CC-112 a port that another process holds is reported, tried again, and leaves the other channel alone', async () => {
    const host = ownAddress()
    const clock = createManualClock(Date.now())
    const other = createServer().listen(5432, host)
    await once(other, 'listening')
    bench = await startConnectorBench({
      clock,
      serveChannel: cloudSide().serve,
      connector: channels([
        { type: 'K8S', k8sCluster: 'cp/one', port: 5432, host },
        { type: 'K8S', k8sCluster: 'cp/two', port: 5433, host },
      ]),
    })
    await until(() => kinds().join() === 'failed,open')
    expect(statuses()[0]?.state).toMatchObject({ code: 'PORT_IN_USE', message: expect.stringContaining(`${host}:5432`) })
    await expect(bench.connector.whenChannelServed({ subaccount, locationId: '' }, 1, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      code: 'PORT_IN_USE',
    })
    const socket = await client(host, 5433)
    const [greeting] = (await once(socket, 'data')) as [Buffer]
    expect(greeting.toString()).toBe('hello two\n')
    other.close()
    await once(other, 'close')
    clock.advance(5_000)
    await allOpen()
    await bench.connector.whenChannelServed({ subaccount, locationId: '' }, 1, AbortSignal.timeout(5_000))
    socket.write('still there')
    expect(String((await once(socket, 'data'))[0])).toBe('still there')
  })

  it('CC-113 disconnecting the subaccount cuts its clients and closes its ports; connecting opens them again', async () => {
    const { host, bench: started } = await startOne()
    const socket = await client(host, 5432)
    await once(socket, 'data')
    const ended = endOf(socket)
    const holder = { subaccount, locationId: '' }
    await started.connector.disconnect(holder)
    expect(await ended).toBe('ECONNRESET')
    expect(statuses()[0]?.state).toMatchObject({ kind: 'waiting', message: 'the subaccount is disconnected; connect it first' })
    await expect(client(host, 5432)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(started.connector.whenChannelServed(holder, 1, AbortSignal.timeout(5_000))).rejects.toMatchObject({ code: 'TUNNEL_LOST' })
    await started.connector.connect(holder)
    await allOpen()
    expect(String((await once(await client(host, 5432), 'data'))[0])).toBe('hello db\n')
  })

  it('disconnecting with a grace period closes the ports at once and lets clients finish, who end with it at the latest', async () => {
    const clock = createManualClock(Date.now())
    const host = ownAddress()
    bench = await startConnectorBench({
      clock,
      serveChannel: cloudSide().serve,
      connector: channels([{ type: 'K8S', k8sCluster: 'cp/db', port: 5432, host }]),
    })
    await allOpen()
    const [stays, finishes] = [await client(host, 5432), await client(host, 5432)]
    await Promise.all([once(stays, 'data'), once(finishes, 'data')])
    await bench.connector.disconnect({ subaccount, locationId: '' }, { channelGraceMs: 60_000 })
    await expect(client(host, 5432)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    finishes.end('last words')
    expect(await text(finishes)).toBe('last words')
    stays.write('still there')
    expect(String((await once(stays, 'data'))[0])).toBe('still there')
    const ended = endOf(stays)
    clock.advance(60_000)
    expect(await ended).toBe('ECONNRESET')
    expect(statuses()[0]?.openedConnections).toBe(0)
  })

  it('monitoring shows type, state, clients and bytes of each channel', async () => {
    const host = ownAddress()
    bench = await startConnectorBench({
      serveChannel: cloudSide().serve,
      connector: channels([
        { type: 'K8S', k8sCluster: 'cp/db', port: 5432, host, comment: 'orders' },
        { type: 'HANA', hanaInstanceName: 'h1', instanceNumber: 0, host, enabled: false },
      ]),
    })
    await until(() => kinds().join() === 'open,disabled')
    const socket = await client(host, 5432)
    await once(socket, 'data')
    socket.write('12345')
    await once(socket, 'data')
    await using admin = await startAdminBench({ connector: bench.connector, clock: systemClock })
    const get = async (path: string) => (await admin.get(`/api/monitoring/${path}`, 'watch:secret')).json().subaccounts[0]
    expect((await get('subaccounts')).tunnel.serviceChannels).toEqual([
      { type: 'K8S', state: 'Connected', details: 'db', comment: 'orders' },
      { type: 'HANA', state: 'Disconnected', details: 'h1', comment: '' },
    ])
    const typeDesc = { typeKey: 'K8S', typeName: 'K8s Cluster' }
    expect((await get('connections/serviceChannels')).serviceChannelConnections).toEqual([{ port: 5432, typeDesc, connections: 1 }])
    socket.end()
    await until(() => statuses()[0]?.openedConnections === 0)
    expect((await get('usage')).serviceChannelUsageStatistics).toEqual([
      { port: 5432, typeDesc, bytesReceived: 14, bytesSent: 5 },
      { port: 30_015, typeDesc: { typeKey: 'HANA_DB', typeName: 'HANA Database' }, bytesReceived: 0, bytesSent: 0 },
    ])
  })

  it('the ports close with the tunnel of the subaccount and open again with it', async () => {
    const { host, bench: started } = await startOne()
    const socket = await client(host, 5432)
    await once(socket, 'data')
    const ended = endOf(socket)
    started.cloudSide.disconnect(subaccount, 'bench')
    expect(await ended).toBe('ECONNRESET')
    await until(() => kinds()[0] === 'waiting')
    await expect(client(host, 5432)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await allOpen()
    const again = await client(host, 5432)
    expect(String((await once(again, 'data'))[0])).toBe('hello db\n')
  })

  it('CC-107 ids are unique across types and never given twice', async () => {
    const host = ownAddress()
    const machine = { type: 'VirtualMachine', name: 'vm', endpointId: 'a', port: 2222, host }
    const hana = { type: 'HANA', hanaInstanceName: 'h', instanceNumber: 1, host }
    const cluster = { type: 'K8S', k8sCluster: 'cp/db', port: 5432, host }
    bench = await startConnectorBench({ serveChannel: cloudSide().serve, connector: channels([machine, hana]) })
    const ids = (): readonly (readonly [string, number])[] => statuses().map(({ entry, id }) => [entry.type, id] as const)
    expect(ids()).toEqual([
      ['VirtualMachine', 1],
      ['HANA', 2],
    ])
    await bench.configure(channels([machine]))
    await bench.configure(channels([cluster, machine]))
    expect(ids()).toEqual([
      ['K8S', 3],
      ['VirtualMachine', 1],
    ])
    await bench.configure(channels([{ ...cluster, id: 9 }, machine, hana]))
    expect(ids()).toEqual([
      ['K8S', 9],
      ['VirtualMachine', 1],
      ['HANA', 10],
    ])
  })

  it('a reload keeps the clients of unchanged channels, resets those of removed ones, and is audited', async () => {
    const host = ownAddress()
    const kept = { type: 'K8S', k8sCluster: 'cp/kept', port: 5432, host }
    const gone = { type: 'K8S', k8sCluster: 'cp/gone', port: 5433, host }
    bench = await startConnectorBench({ serveChannel: cloudSide().serve, connector: channels([gone, kept]) })
    await allOpen()
    const [stays, leaves] = [await client(host, 5432), await client(host, 5433)]
    await Promise.all([once(stays, 'data'), once(leaves, 'data')])
    const ended = endOf(leaves)
    await bench.configure(
      channels([
        { ...kept, comment: 'the database' },
        { ...gone, k8sCluster: 'cp/new' },
      ]),
    )
    expect(await ended).toBe('ECONNRESET')
    await allOpen()
    stays.write('still there')
    expect(String((await once(stays, 'data'))[0])).toBe('still there')
    expect(String((await once(await client(host, 5433), 'data'))[0])).toBe('hello new\n')
    expect(statuses().map(({ entry }) => entry.comment)).toEqual(['the database', ''])
    expect(bench.audit.map(({ category }) => category)).toEqual(Array.from({ length: 3 }, () => 'ServiceChannelConfiguration'))
    const disabled = endOf(stays)
    await bench.configure(channels([{ ...kept, enabled: false }]))
    expect(await disabled).toBe('ECONNRESET')
    expect(kinds()).toEqual(['disabled'])
    await expect(client(host, 5432)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('a client that the cloud side refuses is reset, and the status says why until the next is joined', async () => {
    const { host, bench: started } = await startOne('refuse')
    expect(await outcome(host, 5432)).toBe('ECONNRESET')
    expect(await outcome(host, 5432)).toBe('ECONNRESET')
    expect(statuses()[0]).toMatchObject({
      openedConnections: 0,
      lastRefusal: { code: 'ACCESS_DENIED', message: expect.stringContaining('mapping') },
      usage: { clients: 0, refused: 2 },
    })
    expect(started.logged.filter((line) => line.includes('not connected'))).toHaveLength(1)
  })

  it('whoever asks whether a channel leads anywhere is told why not, and leaves nothing open', async () => {
    const holder = { subaccount, locationId: '' }
    for (const [answer, message] of [
      ['refuse', expect.stringContaining('mapping')],
      ['silence', 'waiting for the service of a channel: no answer in time'],
    ] as const) {
      const cloud = cloudSide(answer)
      const connector = channels([{ type: 'K8S', k8sCluster: 'cp/db', port: 5432, host: ownAddress() }])
      bench = await startConnectorBench({ serveChannel: cloud.serve, connector })
      await allOpen()
      await expect(bench.connector.whenChannelServed(holder, 1, AbortSignal.timeout(500))).rejects.toMatchObject({ message })
      await until(() => cloud.closed === 1)
      expect(statuses()[0]).toMatchObject({ openedConnections: 0, usage: { clients: 0, refused: 0 } })
      await bench[Symbol.asyncDispose]()
    }
  })

  it('a client is reset when the cloud side does not answer, and when there are too many', async () => {
    const host = ownAddress()
    const clock = createManualClock(Date.now())
    bench = await startConnectorBench({
      clock,
      serveChannel: cloudSide('silence').serve,
      connector: channels([{ type: 'K8S', k8sCluster: 'cp/db', port: 5432, host, maxClients: 1 }]),
    })
    await allOpen()
    const first = await client(host, 5432)
    const ended = endOf(first)
    await until(() => statuses()[0]?.openedConnections === 1)
    expect(await outcome(host, 5432)).toBe('ECONNRESET')
    clock.advance(17_500)
    expect(await ended).toBe('ECONNRESET')
    expect(statuses()[0]).toMatchObject({
      openedConnections: 0,
      lastRefusal: { code: 'BACKEND_TIMEOUT' },
      usage: { clients: 0, refused: 1, turnedAway: 1 },
    })
  })

  it('at the end ports close at once, and clients have the time that is granted', async () => {
    const { host, bench: started } = await startOne()
    const socket = await client(host, 5432)
    await once(socket, 'data')
    const stopped = started.connector.stop({ graceMs: 0, channelGraceMs: 10_000 })
    await until(() => kinds()[0] === 'closed')
    await expect(client(host, 5432)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    socket.write('last words')
    expect(String((await once(socket, 'data'))[0])).toBe('last words')
    const ended = endOf(socket)
    socket.end()
    expect(await ended).toBe('end')
    await stopped
  })

  it('without grace clients are reset when the connector stops', async () => {
    const { host, bench: started } = await startOne()
    const socket = await client(host, 5432)
    await once(socket, 'data')
    const ended = endOf(socket)
    await started.connector.stop({ graceMs: 10_000, channelGraceMs: 0 })
    expect(await ended).toBe('ECONNRESET')
  })

  it.each([
    [
      'two enabled ones on one port',
      [
        { type: 'K8S', k8sCluster: 'cp/a', port: 1 },
        { type: 'K8S', k8sCluster: 'cp/b', port: 1 },
      ],
      /127\.0\.0\.1:1 is already the port of connectors\[0\]\.channels\[0\]/,
    ],
    ['no service', [{ type: 'K8S', k8sCluster: 'cp', port: 1 }], /k8sService: name the service/],
    ['two services', [{ type: 'K8S', k8sCluster: 'cp/a', k8sService: 'b', port: 1 }], /names the service "a" and k8sService "b"/],
    [
      'an id twice',
      [
        { type: 'K8S', k8sCluster: 'cp/a', port: 1, id: 4 },
        { type: 'HANA', hanaInstanceName: 'h', instanceNumber: 1, id: 4 },
      ],
      /the channel 4 stands twice/,
    ],
    ['another protocol', [{ type: 'K8S', k8sCluster: 'http://cp/a', port: 1 }], /protocols are tcp and rfc/],
    ['an instance of three digits', [{ type: 'ABAPCloud', abapCloudTenantHost: 'a', instanceNumber: 100 }], /instanceNumber/],
  ])('a configuration with %s is not taken over', async (_, list, problem) => {
    bench = await startConnectorBench({ connector: channels([]) })
    await expect(bench.configure(channels(list))).rejects.toThrow(problem)
  })
})
