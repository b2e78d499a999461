import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect as connectSocket, Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  type Address,
  type ConnectContext,
  createSecret,
  type Dial,
  type Logger,
  parseDestination,
  silentLogger,
  systemClock,
  type TcpDestination,
} from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createTunnelDial } from '@sallyport/dial/tunnel'
import { createManualClock, createMemoryNetwork, createSocketNetwork, createSocksServer, type FarEnd } from '@sallyport/test-fixtures'
import { formatMessage, holdStream, relay, type TcpOpening } from '@sallyport/tunnel'
import { createMemoryTransport } from '@sallyport/tunnel/memory'
import { describe, expect, it, vi } from 'vitest'
import { createTcpAdapter, type TcpClient } from '../src/index.ts'

const to = ({ host, port }: Address, properties: Readonly<Record<string, string>> = {}): TcpDestination =>
  parseDestination({ Name: 'T', Type: 'TCP', Address: `${host}:${port}`, ProxyType: 'OnPremise', ...properties }) as TcpDestination
const signal = AbortSignal.timeout(60_000)

function open(
  address: Address,
  properties: Readonly<Record<string, string>> = {},
  changes: Partial<ConnectContext> = {},
  clock = systemClock,
): Promise<TcpClient> {
  return createTcpAdapter({ clock }).connect(to(address, properties), {
    dial: createDirectDial(),
    credentials: { kind: 'none' },
    signal,
    log: silentLogger,
    ...changes,
  })
}

const echo = ({ stream }: FarEnd): void => void stream.pipe(stream)
const readAll = async (stream: Duplex): Promise<Buffer> => Buffer.concat((await stream.toArray()) as Buffer[])

/** A tunnel whose connector leads every virtual host to the same port on loopback. */
async function tunnelDial(): Promise<Dial> {
  const transport = createMemoryTransport({ clock: systemClock })
  const endpoint = new URL('memory://connector')
  await transport.listen(endpoint, {
    onConnection(connection) {
      connection.onStream = (incoming) => {
        const { virtualPort } = JSON.parse(incoming.opening.toString('utf8')) as TcpOpening
        const held = holdStream((handlers) => incoming.accept(handlers))
        const socket = connectSocket({ host: '127.0.0.1', port: virtualPort, allowHalfOpen: true }, () => {
          held.stream.sendMessage(formatMessage({ kind: 'connected' }))
          relay(socket, held.take)
        })
      }
    },
  })
  const connection = await transport.connect(endpoint, { signal })
  return createTunnelDial({ connection: () => connection, subaccount: 'demo' })
}

describe('connections', () => {
  it('PR-001 resolve only after the backend accepted, and no byte is written before', async () => {
    await using network = createSocketNetwork()
    const { promise: asked, resolve: onAsked } = Promise.withResolvers<Duplex>()
    const fromClient: Buffer[] = []
    const answers = ['0580', '0100']
    const proxy = await network.serve(({ stream }) => {
      stream.on('data', (chunk: Buffer) => {
        fromClient.push(chunk)
        const answer = answers.shift()
        if (answer === undefined) onAsked(stream)
        else stream.write(Buffer.from(answer, 'hex'))
      })
    })
    const dial = createProxyDial({ kind: 'socks5', proxy, token: async () => createSecret('t.t.t') })
    await using client = await open({ host: 'echo.virtual', port: 7 }, {}, { dial })
    let isConnected = false
    const connecting = client.socket({ signal }).then((stream) => {
      isConnected = true
      return stream
    })
    const proxySide = await asked
    const count = Buffer.concat(fromClient).length
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect([isConnected, Buffer.concat(fromClient).length]).toEqual([false, count])
    proxySide.write(Buffer.from('05000001000000000000', 'hex'))
    const stream = await connecting
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
    expect(Buffer.concat(fromClient).length).toBe(count)
    stream.destroy()
  })

  it('PR-021 carry arbitrary bytes there and back directly, through SOCKS5 and over a tunnel', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve(echo)
    await using proxy = await createSocksServer({ token: 't.t.t', route: (_host, port) => ({ host: '127.0.0.1', port }) })
    const dials = {
      direct: createDirectDial(),
      socks5: createProxyDial({ kind: 'socks5', proxy: proxy.address, token: async () => createSecret('t.t.t') }),
      tunnel: await tunnelDial(),
    }
    const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), randomBytes(2_000_000)])
    for (const [way, dial] of Object.entries(dials)) {
      await using client = await open(address, {}, { dial })
      const stream = await client.socket({ signal })
      stream.end(bytes)
      expect(bytes.equals(await readAll(stream)), way).toBe(true)
    }
    expect(proxy.attempts).toHaveLength(1)
  })

  it('PR-018 go to the address with or without tcp://, and an address without a port is a configuration error', async () => {
    await using network = createSocketNetwork()
    const { port } = await network.serve(({ stream }) => stream.end('here'))
    for (const written of [`127.0.0.1:${port}`, `tcp://127.0.0.1:${port}`]) {
      const destination = parseDestination({ Name: 'T', Type: 'TCP', Address: written, ProxyType: 'Internet' }) as TcpDestination
      await using client = await createTcpAdapter({ clock: systemClock }).connect(destination, {
        dial: createDirectDial(),
        credentials: { kind: 'none' },
        signal,
        log: silentLogger,
      })
      expect((await readAll(await client.socket({ signal }))).toString()).toBe('here')
    }
    for (const written of ['127.0.0.1', 'tcp://127.0.0.1', '127.0.0.1:', ':7', '127.0.0.1:0', '127.0.0.1:65536', '']) {
      expect(() => parseDestination({ Name: 'T', Type: 'TCP', Address: written })).toThrow(
        expect.objectContaining({ code: 'DESTINATION_INVALID' }),
      )
    }
  })

  it.each(['basic', 'header'] as const)('are not opened for credentials that TCP cannot carry (%s)', async (kind) => {
    const credentials =
      kind === 'basic'
        ? ({ kind, user: 'u', password: createSecret('p') } as const)
        : ({ kind, name: 'a', value: createSecret('v') } as const)
    await expect(open({ host: 'h', port: 1 }, {}, { credentials })).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
  })

  it('hand the principal to the dial, which knows whether it can carry one', async () => {
    const principal = { kind: 'business', token: createSecret('t') } as const
    const network = createMemoryNetwork()
    const seen: unknown[] = []
    const dial: Dial = (address, options) => {
      seen.push(options.principal)
      return network.dial(address, options)
    }
    await using carrying = await open(await network.serve(echo), {}, { credentials: { kind: 'principal' }, principal, dial })
    await carrying.ping(signal)
    expect(seen).toEqual([principal])
    await using losing = await open({ host: '127.0.0.1', port: 1 }, {}, { credentials: { kind: 'principal' }, principal })
    await expect(losing.ping(signal)).rejects.toMatchObject({ code: 'DESTINATION_INVALID' })
  })
})

describe('socket options', () => {
  it('PR-019 that cannot be set produce one diagnostic and no failure', async () => {
    await using network = createSocketNetwork()
    const lines: unknown[] = []
    const write = (fields: object, message: string): void => void lines.push({ ...fields, message })
    const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log }
    const properties = {
      'tcp.socket.sndbuf': '1024',
      'tcp.socket.rcvbuf': '1024',
      'tcp.socket.linger': '5',
      'tcp.socket.reuseaddr': 'true',
      'tcp.nodelay': 'false',
      'tcp.socket.keepalive': 'true',
    }
    await using client = await open(await network.serve(echo), properties, { log })
    for (let count = 0; count < 2; count++) {
      const stream = await client.socket({ signal })
      stream.end('x')
      expect((await readAll(stream)).toString()).toBe('x')
    }
    expect(lines).toEqual([
      {
        destination: 'T',
        options: ['tcp.socket.sndbuf', 'tcp.socket.rcvbuf', 'tcp.socket.linger', 'tcp.socket.reuseaddr'],
        message: 'socket options of the destination are ignored, Node cannot set them',
      },
    ])
  })

  it('PR-020 tcp.socket.timeout destroys an idle socket with a code', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve(echo)
    await using client = await open(address, { 'tcp.socket.timeout': '60' })
    await using patient = await open(address, { 'tcp.socket.timeout': '0' })
    const other = await patient.socket({ signal })
    const stream = await client.socket({ signal })
    const [error] = (await once(stream.resume(), 'error')) as [unknown]
    expect(error).toMatchObject({ code: 'BACKEND_TIMEOUT' })
    expect([stream.destroyed, other.destroyed]).toEqual([true, false])
    other.destroy()
    await network.idle()
  })

  it('tcp.socket.timeout destroys an idle stream that is no socket, by the clock', async () => {
    const network = createMemoryNetwork()
    const clock = createManualClock()
    await using client = await open(await network.serve(echo), { 'tcp.socket.timeout': '1000' }, { dial: network.dial }, clock)
    const stream = await client.socket({ signal })
    for (let count = 0; count < 3; count++) {
      clock.advance(900)
      stream.write('x')
      await once(stream, 'data')
    }
    clock.advance(900)
    expect(stream.destroyed).toBe(false)
    const failed = once(stream, 'error')
    clock.advance(100)
    expect((await failed)[0]).toMatchObject({ code: 'BACKEND_TIMEOUT' })
    await network.idle()
  })
})

describe('streams that connect by themselves', () => {
  it('hold what is written until they are connected, and say when', async () => {
    await using network = createSocketNetwork()
    await using client = await open(await network.serve(echo))
    const stream = client.stream()
    expect([stream.connecting, stream.readyState, stream.encrypted]).toEqual([true, 'opening', false])
    expect(stream.connect(1, 'ignored').setNoDelay().setKeepAlive(true, 1).ref().unref()).toBe(stream)
    stream.end('early')
    await once(stream, 'connect')
    expect([stream.connecting, stream.readyState, stream.remoteAddress]).toEqual([false, 'open', '127.0.0.1'])
    expect((await readAll(stream)).toString()).toBe('early')
    stream.destroy()
    expect(stream.readyState).toBe('closed')
  })
  it('half-close and hold back like sockets', async () => {
    await using network = createSocketNetwork()
    const { promise, resolve } = Promise.withResolvers<FarEnd>()
    await using client = await open(await network.serve(resolve))
    const stream = client.stream()
    const far = await promise
    far.stream.end('last words')
    expect((await readAll(stream)).toString()).toBe('last words')
    stream.end('said after that')
    expect((await readAll(far.stream)).toString()).toBe('said after that')

    const second = client.stream()
    const chunk = Buffer.alloc(64 * 1024)
    let accepted = 0
    while (second.write(chunk)) accepted += chunk.length
    expect(accepted).toBeLessThan(10_000_000)
    second.destroy()
  })
  it('fail with the error of the dial, and end the attempt when they are given up', async () => {
    await using network = createSocketNetwork()
    await using client = await open(await network.unused())
    expect((await once(client.stream(), 'error'))[0]).toMatchObject({ code: 'BACKEND_UNREACHABLE' })

    let attempt: AbortSignal | undefined
    const hanging: Dial = (_address, options) => {
      attempt = options.signal
      return new Promise((_resolve, reject) => options.signal.addEventListener('abort', () => reject(new Error('aborted'))))
    }
    await using waiting = await open({ host: 'h', port: 1 }, {}, { dial: hanging })
    const stream = waiting.stream()
    const errors: unknown[] = []
    stream.on('error', (error) => errors.push(error))
    await new Promise(setImmediate)
    stream.destroy()
    await once(stream, 'close')
    expect([attempt?.aborted, errors]).toEqual([true, []])
  })
  it('break when the far side resets', async () => {
    await using network = createSocketNetwork()
    await using client = await open(await network.serve((far) => void far.stream.once('data', () => far.reset())))
    const stream = client.stream()
    stream.write('x')
    expect((await once(stream, 'error'))[0]).toMatchObject({ code: 'ECONNRESET' })
  })
  it('tell of inactivity without closing, as sockets do', async () => {
    const network = createMemoryNetwork()
    const clock = createManualClock()
    await using client = await open(await network.serve(echo), {}, { dial: network.dial }, clock)
    const stream = client.stream()
    await once(stream, 'connect')
    let timeouts = 0
    stream.setTimeout(100, () => timeouts++)
    clock.advance(100)
    expect([timeouts, stream.destroyed]).toEqual([1, false])
    stream.setTimeout(0)
    clock.advance(1000)
    expect(timeouts).toBe(1)
  })
})

describe('a forwarded port', () => {
  const dialPort = async ({ port }: Address): Promise<Socket> => {
    const socket = connectSocket({ host: '127.0.0.1', port, allowHalfOpen: true })
    await once(socket, 'connect')
    return socket
  }
  it('leads each connection to the destination, half-close included', async () => {
    await using network = createSocketNetwork()
    const backend = await network.serve(({ stream }) => void readAll(stream).then((question) => stream.end(`answer to ${question}`)))
    for (const dial of [createDirectDial(), await tunnelDial()]) {
      await using client = await open(backend, {}, { dial })
      await using forward = await client.listen()
      const sockets = await Promise.all([1, 2, 3].map(() => dialPort(forward.address)))
      sockets.forEach((socket, index) => socket.end(`question ${index}`))
      expect((await Promise.all(sockets.map(readAll))).map(String)).toEqual([
        'answer to question 0',
        'answer to question 1',
        'answer to question 2',
      ])
    }
  })
  it('passes a reset on in both directions', async () => {
    await using network = createSocketNetwork()
    const { promise, resolve } = Promise.withResolvers<FarEnd>()
    await using client = await open(
      await network.serve((far) => {
        far.stream.once('data', (data: Buffer) => {
          if (data.toString() === 'reset') far.reset()
          else resolve(far)
        })
      }),
    )
    await using forward = await client.listen()
    const local = await dialPort(forward.address)
    local.write('reset')
    expect((await once(local, 'error'))[0]).toMatchObject({ code: 'ECONNRESET' })
    const other = await dialPort(forward.address)
    other.write('stay')
    const { stream } = await promise
    const broken = once(stream.resume(), 'error')
    other.resetAndDestroy()
    expect((await broken)[0]).toMatchObject({ code: 'ECONNRESET' })
    await network.idle()
  })
  it('resets a connection whose destination cannot be reached, and says why once', async () => {
    await using network = createSocketNetwork()
    const lines: unknown[] = []
    const log = { ...silentLogger, warn: (fields: object, message: string) => void lines.push({ ...fields, message }) }
    await using client = await open(await network.unused(), {}, { log })
    await using forward = await client.listen()
    const local = await dialPort(forward.address)
    expect((await once(local, 'error'))[0]).toMatchObject({ code: 'ECONNRESET' })
    expect(lines).toEqual([{ destination: 'T', code: 'BACKEND_UNREACHABLE', message: 'forwarded connection failed' }])
  })
  it('goes on after connections that could not be accepted', async () => {
    await using network = createSocketNetwork()
    const lines: unknown[] = []
    const log = { ...silentLogger, warn: (fields: object) => void lines.push(fields) }
    await using client = await open(await network.serve(echo), {}, { log })
    const listen = vi.spyOn(Server.prototype, 'listen')
    await using forward = await client.listen()
    const server = listen.mock.contexts.at(-1) as Server
    listen.mockRestore()
    // What Node does when the system has no descriptor left.
    for (let i = 0; i < 2; i++) server.emit('error', new Error('accept ENFILE'))
    expect(lines).toEqual(Array.from({ length: 2 }, () => ({ destination: 'T', reason: 'accept ENFILE' })))
    const local = await dialPort(forward.address)
    local.write('still there')
    expect(String((await once(local, 'data'))[0])).toBe('still there')
    local.destroy()
  })
  it('closes with the client, connections and attempts included, and twice', async () => {
    await using network = createSocketNetwork()
    const client = await open(await network.serve(echo))
    const forward = await client.listen()
    const local = await dialPort(forward.address)
    local.write('x')
    await once(local, 'data')
    expect(forward.openConnections).toBe(1)
    const gone = once(local, 'close')
    await client[Symbol.asyncDispose]()
    await gone.catch(() => {})
    await network.idle()
    await forward.close()
    await expect(dialPort(forward.address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await expect(client.listen()).rejects.toMatchObject({ code: 'ABORTED' })
    expect(() => client.stream()).toThrow(expect.objectContaining({ code: 'ABORTED' }))
  })
  it.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])('is not opened beyond loopback by accident (%s)', async (host) => {
    await using client = await open({ host: 'h', port: 1 })
    await expect(client.listen({ host })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })
  it('is opened beyond loopback when that is asked for, and says when a port is taken', async () => {
    await using network = createSocketNetwork()
    const backend = await network.serve(echo)
    await using client = await open(backend)
    await using forward = await client.listen({ host: '0.0.0.0', beyondLoopback: true })
    const local = await dialPort(forward.address)
    local.end('x')
    expect((await readAll(local)).toString()).toBe('x')
    await expect(client.listen({ port: backend.port })).rejects.toMatchObject({ code: 'PORT_IN_USE' })
  })
})
