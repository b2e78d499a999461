import { randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { connect as tlsConnect, createServer as createTlsServer } from 'node:tls'
import {
  ConnectivityError,
  createSecret,
  silentLogger,
  systemClock,
  type TunnelConnection,
  type TunnelListener,
  type TunnelTransport,
} from '@sallyport/core'
import { createManualClock, createTestCa } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { frame } from '../test-support/raw-peer.ts'
import { hello, openRawLane } from '../test-support/raw-lane.ts'
import { until } from '../test-support/turn.ts'
import { OPEN } from '../src/multiplexer/frame.ts'
import { createTlsTransport, createVersionedTlsTransport, type TlsRefusal, type TlsTransportOptions } from '../src/transports/tls.ts'
import { answerBytes, tryParseAnswer } from '../src/transports/tls-hello.ts'

const ca = createTestCa()
const otherCa = createTestCa({ subject: '/O=Test/CN=Another CA' })
const server = { ...ca.issue({ subject: '/CN=server' }), ca: ca.certificate }
const client = { ...ca.issue({ subject: '/CN=client', names: [] }), ca: ca.certificate }
const otherClient = { ...ca.issue({ subject: '/CN=other client', names: [] }), ca: ca.certificate }
const foreign = { ...otherCa.issue({ subject: '/CN=client', names: [] }), ca: ca.certificate }
const anyPort = new URL('tls://127.0.0.1:0')

const listeners: TunnelListener[] = []
const sockets: Socket[] = []
const connections: TunnelConnection[] = []
afterEach(async () => {
  for (const connection of connections.splice(0)) connection.abort(new Error('the test is over'))
  for (const socket of sockets.splice(0)) socket.destroy()
  for (const listener of listeners.splice(0)) await listener.close()
})

async function listen(options: Partial<TlsTransportOptions> & { readonly versions?: readonly number[] } = {}): Promise<{
  readonly endpoint: URL
  readonly arrived: TunnelConnection[]
  readonly transport: TunnelTransport
  readonly listener: TunnelListener
}> {
  const arrived: TunnelConnection[] = []
  const { versions = [1], ...rest } = options
  const transport = createVersionedTlsTransport({ clock: systemClock, client, server, ...rest }, versions)
  const listener = await transport.listen(anyPort, {
    onConnection(connection) {
      arrived.push(connection)
      connections.push(connection)
    },
  })
  listeners.push(listener)
  return { endpoint: listener.endpoint, arrived, transport, listener }
}

async function dial(transport: TunnelTransport, endpoint: URL): Promise<TunnelConnection> {
  const connection = await transport.connect(endpoint, { signal: AbortSignal.timeout(10_000) })
  connections.push(connection)
  return connection
}

async function codeOf(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => 'connected',
    (error: unknown) => (ConnectivityError.is(error) ? error.code : String(error)),
  )
}

async function rawLane(endpoint: URL, material: Parameters<typeof openRawLane>[1]): ReturnType<typeof openRawLane> {
  const lane = await openRawLane(endpoint, material)
  sockets.push(lane.socket)
  return lane
}

describe('who may connect', () => {
  it.each([
    [
      'CP-092 refuses at the handshake a certificate that another authority signed, and tells the audit',
      foreign,
      /UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/,
    ],
    ['refuses at the handshake a client without certificate', { ca: ca.certificate }, undefined],
  ])('%s', async (_, material, code) => {
    const refusals: TlsRefusal[] = []
    const { endpoint, arrived } = await listen({ onRefused: (refusal) => refusals.push(refusal) })
    // With TLS 1.3 the client's own handshake ends before the server has seen its certificate; what counts is that nothing follows.
    const lane = await rawLane(endpoint, material)
    lane.socket.write(hello())
    expect((await lane.closed).length).toBe(0)
    expect(arrived).toEqual([])
    if (code === undefined) return
    expect(refusals).toHaveLength(1)
    expect(refusals[0]?.code).toMatch(code)
  })

  it('refuses a lane that another certificate brings to a connection under way', async () => {
    const { endpoint, arrived } = await listen()
    const connectionId = randomBytes(16)
    const first = await rawLane(endpoint, client)
    first.socket.write(hello({ connectionId, lane: 0, lanes: 2 }))
    await until(() => first.received().length === answerBytes)
    const intruder = await rawLane(endpoint, otherClient)
    intruder.socket.write(hello({ connectionId, lane: 1, lanes: 2 }))
    expect(tryParseAnswer(await intruder.closed)?.status).toBe('refused')
    expect(arrived).toEqual([])
    const second = await rawLane(endpoint, client)
    second.socket.write(hello({ connectionId, lane: 1, lanes: 2 }))
    await until(() => arrived.length === 1)
    expect(arrived[0]?.peerCertificate?.subject).toBe('CN=client')
  })

  it.each([
    ['the same lane twice', { lane: 0, lanes: 2 }],
    ['another number of lanes', { lane: 1, lanes: 3 }],
  ])('refuses %s', async (_, again) => {
    const { endpoint, arrived } = await listen()
    const connectionId = randomBytes(16)
    const first = await rawLane(endpoint, client)
    first.socket.write(hello({ connectionId, lane: 0, lanes: 2 }))
    await until(() => first.received().length === answerBytes)
    const second = await rawLane(endpoint, client)
    second.socket.write(hello({ connectionId, ...again }))
    expect(tryParseAnswer(await second.closed)?.status).toBe('refused')
    expect(arrived).toEqual([])
  })

  it('speaks TLS 1.3 and nothing older, on both sides', async () => {
    const { endpoint } = await listen()
    const old = tlsConnect({
      host: '127.0.0.1',
      port: Number(endpoint.port),
      cert: client.certificate,
      key: client.key,
      ca: ca.certificate,
      maxVersion: 'TLSv1.2',
    })
    sockets.push(old)
    const [error] = (await once(old, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toMatch(/PROTOCOL_VERSION/)
    const oldServer = createTlsServer({ cert: server.certificate, key: server.key, maxVersion: 'TLSv1.2' })
    oldServer.listen(0, '127.0.0.1')
    await once(oldServer, 'listening')
    const { transport } = await listen()
    const target = new URL(`tls://127.0.0.1:${(oldServer.address() as AddressInfo).port}`)
    expect(await codeOf(transport.connect(target, { signal: AbortSignal.timeout(5_000) }))).toBe('VERSION_UNSUPPORTED')
    oldServer.close()
  })
})

describe('versions', () => {
  const both = async (spoken: readonly number[], offered: readonly number[]): Promise<unknown> => {
    const { endpoint, arrived } = await listen({ versions: spoken })
    const peer = createVersionedTlsTransport({ clock: systemClock, client }, offered)
    const code = await codeOf(dial(peer, endpoint))
    expect(arrived.length).toBe(code === 'connected' ? 1 : 0)
    return code
  }
  it('accepts a peer that is one version older, on either side', async () => {
    expect(await both([2, 1], [1])).toBe('connected')
    expect(await both([1], [2, 1])).toBe('connected')
  })
  it('refuses a peer with which it shares no version and says so', async () => {
    expect(await both([1], [2])).toBe('VERSION_UNSUPPORTED')
    expect(await both([3, 2], [1])).toBe('VERSION_UNSUPPORTED')
  })
})

describe('hostile peers', () => {
  it('answers nothing to bytes that are no hello, also behind a good handshake', async () => {
    const { endpoint, arrived } = await listen()
    const bad = [
      randomBytes(40),
      Buffer.from('GET / HTTP/1.1\r\nHost: proxy.example.org\r\n\r\n'),
      hello({ lane: 9 }),
      hello({ lanes: 200 }),
      hello({ versions: [] }),
    ]
    for (const bytes of bad) {
      const lane = await rawLane(endpoint, client)
      lane.socket.write(bytes)
      expect((await lane.closed).length).toBe(0)
    }
    expect(arrived).toEqual([])
  })

  it('lets nobody take longer than the limit: for the handshake, the hello and the other lanes', async () => {
    const clock = createManualClock(Date.now())
    const { endpoint, arrived } = await listen({ clock })
    const mute = connect(Number(endpoint.port), '127.0.0.1')
    sockets.push(mute)
    mute.on('error', () => mute.destroy())
    mute.resume()
    const muteClosed = new Promise((resolve) => mute.once('close', resolve))
    const slow = await rawLane(endpoint, client)
    slow.socket.write(hello().subarray(0, 20))
    const alone = await rawLane(endpoint, client)
    alone.socket.write(hello({ lane: 0, lanes: 2 }))
    await until(() => alone.received().length === answerBytes)
    clock.advance(10_000)
    await Promise.all([muteClosed, slow.closed, alone.closed])
    expect(arrived).toEqual([])
  })

  it('gives up a server that accepts and never answers', async () => {
    const clock = createManualClock(Date.now())
    const silent = createServer((socket) => sockets.push(socket))
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { transport } = await listen({ clock })
    const attempt = codeOf(
      transport.connect(new URL(`tls://127.0.0.1:${(silent.address() as AddressInfo).port}`), { signal: new AbortController().signal }),
    )
    await until(() => sockets.length > 0)
    clock.advance(10_000)
    expect(await attempt).toBe('PEER_UNREACHABLE')
    silent.close()
  })

  it('aborts a peer at the header of a frame that is too large, before its body', async () => {
    const { endpoint, arrived } = await listen()
    const lane = await rawLane(endpoint, client)
    lane.socket.write(hello())
    await until(() => arrived.length === 1)
    // The header announces 16 MB; not a byte of that has to follow.
    lane.socket.write(Buffer.from([0, 0, 0, 1, OPEN, 0xff, 0xff, 0xff]))
    const reason = await arrived[0]?.closed
    expect(reason?.kind === 'lost' && ConnectivityError.is(reason.error, 'PROTOCOL_VIOLATION')).toBe(true)
    await lane.closed
  })

  it('survives random frames and bytes of peers with good certificates', async () => {
    const { endpoint, arrived, transport } = await listen()
    for (let round = 0; round < 30; round++) {
      const lane = await rawLane(endpoint, client)
      lane.socket.write(hello())
      lane.socket.write(frame(OPEN, 1))
      lane.socket.write(randomBytes(1 + round * 50))
      lane.socket.end()
      await lane.closed
    }
    await until(() => arrived.length === 30)
    const reasons = await Promise.all(arrived.map(async (connection) => connection.closed))
    expect(new Set(reasons.map((reason) => reason.kind))).toEqual(new Set(['lost']))
    await dial(transport, endpoint)
    expect(arrived).toHaveLength(31)
  })

  it('says that lanes went to different servers instead of waiting for each other', async () => {
    const targets = [await listen(), await listen()]
    let count = 0
    const balancer = createServer((socket) => {
      const target = targets[count++ % 2]
      const through = connect(Number(target?.endpoint.port), '127.0.0.1')
      sockets.push(socket, through)
      socket.on('error', () => through.destroy())
      through.on('error', () => socket.destroy())
      socket.pipe(through).pipe(socket)
    })
    balancer.listen(0, '127.0.0.1')
    await once(balancer, 'listening')
    const endpoint = new URL(`tls://127.0.0.1:${(balancer.address() as AddressInfo).port}`)
    await expect(targets[0]?.transport.connect(endpoint, { signal: AbortSignal.timeout(5_000) })).rejects.toThrow(/different servers/)
    balancer.close()
  })
})

describe('lanes', () => {
  it('are as many as asked for when the connection is dialled, and a wrong number dials nothing', async () => {
    const { endpoint, listener } = await listen()
    let dialled = 0
    const counter = createServer((socket) => {
      dialled++
      const through = connect(Number(endpoint.port), '127.0.0.1')
      sockets.push(socket, through)
      socket.on('error', () => through.destroy()).pipe(through)
      through.on('error', () => socket.destroy()).pipe(socket)
    })
    counter.listen(0, '127.0.0.1')
    await once(counter, 'listening')
    const counted = new URL(`tls://127.0.0.1:${(counter.address() as AddressInfo).port}`)
    let lanes = 1
    const transport = createTlsTransport({ clock: systemClock, client, lanes: () => lanes })
    await dial(transport, counted)
    lanes = 5
    await dial(transport, counted)
    expect(dialled).toBe(6)
    lanes = 17
    expect(await codeOf(transport.connect(counted, { signal: AbortSignal.timeout(5_000) }))).toBe('CONFIGURATION_INVALID')
    expect(dialled).toBe(6)
    counter.close()
    await listener.close()
  })
})

describe('certificates that are renewed', () => {
  it('uses new certificates for new lanes, on both sides, without restart', async () => {
    const later = { ...ca.issue({ subject: '/CN=server later' }), ca: ca.certificate }
    let serverMaterial = server
    let clientMaterial = client
    const { endpoint, arrived, transport } = await listen({ server: () => serverMaterial, client: () => clientMaterial })
    const first = await dial(transport, endpoint)
    serverMaterial = later
    clientMaterial = otherClient
    const second = await dial(transport, endpoint)
    expect([first.peerCertificate?.subject, second.peerCertificate?.subject]).toEqual(['CN=server', 'CN=server later'])
    expect(arrived.map((connection) => connection.peerCertificate?.subject)).toEqual(['CN=client', 'CN=other client'])
    expect(first.openStreams).toBe(0)
  })

  it('stops accepting an authority that was taken away', async () => {
    let authorities = [ca.certificate, otherCa.certificate]
    const { endpoint, arrived } = await listen({ server: () => ({ ...server, ca: authorities }) })
    const peer = createTlsTransport({ clock: systemClock, client: foreign })
    await dial(peer, endpoint)
    authorities = [ca.certificate]
    expect(await codeOf(dial(peer, endpoint))).toBe('PEER_UNTRUSTED')
    expect(arrived).toHaveLength(1)
  })

  it('keeps the certificate it has when the renewed one cannot be used, and says so without showing it', async () => {
    let key = server.key
    const errors: string[] = []
    const log = { ...silentLogger, error: (fields: object, message: string) => void errors.push(message + JSON.stringify(fields)) }
    const { endpoint, transport } = await listen({ server: () => ({ ...server, key }), log })
    key = 'not a key: hunter2'
    const connection = await dial(transport, endpoint)
    expect(connection.peerCertificate?.fingerprint256).toBe(new X509Certificate(server.certificate).fingerprint256)
    expect(errors.length).toBeGreaterThan(0)
    expect(errors.join()).not.toContain('hunter2')
  })

  it('takes keys that are kept as secrets', async () => {
    const { endpoint, transport, arrived } = await listen({
      server: { ...server, key: createSecret(server.key) },
      client: { ...client, key: createSecret(client.key) },
    })
    await dial(transport, endpoint)
    expect(arrived[0]?.peerCertificate?.subject).toBe('CN=client')
  })

  it.each([
    ['a bad key', { ...server, key: 'nonsense' }],
    ['a key of another certificate', { ...server, key: client.key }],
    ['no certificate', { ...server, certificate: '' }],
    ['no authority', { ...server, ca: [] }],
    ['an empty authority, which would be every public one', { ...server, ca: '' }],
  ])('does not begin to listen with %s', async (_, material) => {
    expect(await codeOf(listen({ server: material }))).toBe('CONFIGURATION_INVALID')
  })

  it('says so when the port is in use, and what an endpoint looks like', async () => {
    const { endpoint, transport } = await listen()
    expect(await codeOf(transport.listen(endpoint, { onConnection() {} }))).toBe('PORT_IN_USE')
    for (const wrong of ['https://127.0.0.1:1', 'tls://127.0.0.1', 'memory://x']) {
      expect(await codeOf(transport.listen(new URL(wrong), { onConnection() {} }))).toBe('CONFIGURATION_INVALID')
      expect(await codeOf(transport.connect(new URL(wrong), { signal: AbortSignal.timeout(1_000) }))).toBe('CONFIGURATION_INVALID')
    }
    expect(() => createTlsTransport({ clock: systemClock, lanes: 17 })).toThrow(/1 to 16 lanes/)
  })
})
