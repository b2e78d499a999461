import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { runTransportCase, type TransportCaseName, transportCases, type TransportDeps } from '@sallyport/conformance/cases'
import type { IncomingTunnelStream, TunnelConnection, TunnelStream, TunnelStreamHandlers, TunnelTransport } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterAll, describe, expect, it } from 'vitest'
import { createMemoryTransport } from '../src/transports/memory.ts'
import { createTlsTransport } from '../src/transports/tls.ts'

// The suite held against transports that are broken on purpose, one fault for each case: a case that passes here says nothing anywhere.

const ca = createTestCa()
const server = { ...ca.issue({ subject: '/CN=server' }), ca: ca.certificate }
const client = { ...ca.issue({ subject: '/CN=client', names: [] }), ca: ca.certificate }
const leftovers: Server[] = []
afterAll(() => leftovers.forEach((leftover) => leftover.close()))

type Overrides<T> = Partial<{ readonly [K in keyof T]: T[K] }>

/** The object with some members replaced; everything else works on the original. */
function altered<T extends object>(original: T, overrides: Overrides<T>, onSet?: (key: string, value: unknown) => unknown): T {
  return new Proxy(original, {
    get(target, key) {
      if (key in overrides) return (overrides as Record<PropertyKey, unknown>)[key]
      const value = Reflect.get(target, key) as unknown
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
    set: (target, key, value: unknown) => Reflect.set(target, key, onSet === undefined ? value : onSet(String(key), value)),
  })
}

interface Faults {
  readonly connection?: (connection: TunnelConnection) => Overrides<TunnelConnection>
  readonly stream?: (stream: TunnelStream) => Overrides<TunnelStream>
  readonly handlers?: (handlers: TunnelStreamHandlers) => Overrides<TunnelStreamHandlers>
  readonly incoming?: (incoming: IncomingTunnelStream) => Overrides<IncomingTunnelStream>
  readonly unset?: (incoming: IncomingTunnelStream) => void
}

/** Every connection, stream and handler of a transport with the given faults. */
function faulty(base: TunnelTransport, faults: Faults): TunnelTransport {
  const handlersOf = (handlers: TunnelStreamHandlers): TunnelStreamHandlers => altered(handlers, faults.handlers?.(handlers) ?? {})
  const streamOf = (stream: TunnelStream): TunnelStream => altered(stream, faults.stream?.(stream) ?? {})
  const connectionOf = (connection: TunnelConnection): TunnelConnection => {
    const own = {
      openStream: (opening: Buffer, handlers: TunnelStreamHandlers) => streamOf(connection.openStream(opening, handlersOf(handlers))),
      ...faults.connection?.(connection),
    }
    return altered(connection, own, (key, value) => {
      if (key !== 'onStream') return value
      if (value === undefined) return faults.unset
      return (incoming: IncomingTunnelStream) => {
        const accept = (handlers: TunnelStreamHandlers): TunnelStream => streamOf(incoming.accept(handlersOf(handlers)))
        ;(value as (incoming: IncomingTunnelStream) => void)(altered(incoming, { accept, ...faults.incoming?.(incoming) }))
      }
    })
  }
  return {
    name: 'faulty',
    connect: async (endpoint, options) => connectionOf(await base.connect(endpoint, options)),
    listen: async (endpoint, { onConnection }) =>
      await base.listen(endpoint, { onConnection: (connection) => onConnection(connectionOf(connection)) }),
  }
}

const memory = ({ clock }: TransportDeps): TunnelTransport => createMemoryTransport({ clock })
const tls = ({ clock }: TransportDeps): TunnelTransport => createTlsTransport({ clock, client, server })
const inMemory =
  (faults: Faults) =>
  (deps: TransportDeps): TunnelTransport =>
    faulty(memory(deps), faults)
const deaf = (base: TunnelTransport): TunnelTransport => ({
  ...base,
  connect: async (endpoint) => await base.connect(endpoint, { signal: new AbortController().signal }),
})
const neverTicking: TransportDeps = { clock: { now: () => 0, elapsed: () => 0, after: () => () => {} } }

const broken: Readonly<Record<TransportCaseName, (deps: TransportDeps) => TunnelTransport>> = {
  'carries arbitrary bytes both ways': inMemory({
    handlers: (to) => ({ onData: (chunk) => to.onData(Buffer.from(chunk, 0).map((byte, at) => (at === 0 ? byte ^ 1 : byte)) as Buffer) }),
  }),
  'hands the opening over together with the stream': inMemory({ incoming: ({ opening }) => ({ opening: opening.subarray(1) }) }),
  'keeps messages in order with the bytes': inMemory({
    stream: (stream) => ({
      sendMessage(message) {
        setImmediate(() => {
          try {
            stream.sendMessage(message)
          } catch {
            // The stream has ended meanwhile: late as well.
          }
        })
        return true
      },
    }),
  }),
  'loses nothing that arrives before the stream is accepted within the turn': inMemory({
    incoming: (incoming) => ({
      accept(handlers) {
        let isLate = false
        setImmediate(() => {
          isLate = true
        })
        return incoming.accept(altered(handlers, { onData: (chunk) => (isLate ? handlers.onData(chunk) : true) }))
      },
    }),
  }),
  'lets the peer finish its answer after our side has ended': inMemory({ stream: (stream) => ({ end: () => stream.reset('cancelled') }) }),
  'keeps many streams apart': (deps) => {
    let latest: TunnelStreamHandlers | undefined
    return faulty(memory(deps), {
      handlers(handlers) {
        latest = handlers
        return { onData: (chunk) => (latest ?? handlers).onData(chunk) }
      },
    })
  },
  'stops the writer while the reader has enough': inMemory({
    handlers: (to) => ({
      onData(chunk) {
        to.onData(chunk)
        return true
      },
    }),
  }),
  'does not let a stopped reader hold up its neighbours': inMemory({
    stream: (stream) => ({ write: (chunk) => stream.id === 1 && stream.write(chunk) }),
  }),
  'refuses a stream that nobody takes': inMemory({
    unset: (incoming) => void incoming.accept({ onData: () => true, onEnd() {}, onDrain() {}, onClose() {} }),
  }),
  'tells the peer why a stream is reset, and nothing more': inMemory({ stream: (stream) => ({ reset: () => stream.reset('failed') }) }),
  'resets a stream whose handler throws': inMemory({
    handlers: (to) => ({
      onData(chunk) {
        try {
          return to.onData(chunk)
        } catch {
          return true
        }
      },
    }),
  }),
  'refuses openings and messages that are too large': inMemory({
    connection: (connection) => ({ openStream: (opening, handlers) => connection.openStream(opening.subarray(0, 100), handlers) }),
  }),
  'finishes open streams before it closes': inMemory({
    connection: (connection) => ({
      async close() {
        connection.abort(new Error('closed'))
      },
    }),
  }),
  'ends every stream when it is aborted': inMemory({ connection: () => ({ abort() {} }) }),
  'does not connect once the signal has fired': (deps) => deaf(memory(deps)),
  'says so when nobody listens': (deps) => {
    const base = memory(deps)
    const vague = (): never => {
      throw new Error('something went wrong')
    }
    return { ...base, connect: async (endpoint, options) => await base.connect(endpoint, options).catch(vague) }
  },
  'accepts no more once the listener is closed, and keeps what is open': (deps) => {
    const base = memory(deps)
    return {
      ...base,
      listen: async (endpoint, options) => ({ ...(await base.listen(endpoint, options)), async close() {} }),
    }
  },
  'measures the round trip': inMemory({ connection: () => ({ roundTripMs: undefined }) }),
  'gives up connecting when the signal fires': (deps) => deaf(tls(deps)),
  'ends its streams when the peer is reset': (deps) => faulty(tls(deps), { handlers: () => ({ onClose() {} }) }),
  'notices a peer that has fallen silent': () => tls(neverTicking),
  'goes on serving after garbage on its port': (deps) => {
    const base = tls(deps)
    return {
      ...base,
      async listen(endpoint, options) {
        const inner = await base.listen(endpoint, options)
        // A front that gives up with the first connection that fails.
        const front = createServer((socket) => {
          const through = connect(Number(inner.endpoint.port), '127.0.0.1')
          socket.pipe(through).pipe(socket)
          socket.on('error', () => through.destroy())
          through.on('error', () => socket.destroy())
          through.on('close', () => {
            socket.destroy()
            front.close()
          })
        })
        leftovers.push(front)
        front.listen(0, '127.0.0.1')
        await once(front, 'listening')
        const outer = new URL(endpoint)
        outer.port = String((front.address() as AddressInfo).port)
        return { ...inner, endpoint: outer }
      },
    }
  },
  'leaves nothing open': (deps) => {
    const base = tls(deps)
    return {
      ...base,
      async connect(endpoint, options) {
        leftovers.push(createServer().listen(0, '127.0.0.1'))
        return await base.connect(endpoint, options)
      },
    }
  },
  'proves who the peer is': (deps) => faulty(tls(deps), { connection: () => ({ peerCertificate: undefined }) }),
  'turns strangers away on both sides': tls,
}

const fails = async (name: TransportCaseName): Promise<unknown> =>
  await runTransportCase(transportCases[name], {
    create: broken[name],
    endpoint: () => new URL(transportCases[name].requires === undefined ? 'memory://broken' : 'tls://127.0.0.1:0'),
    // Who the transport should have turned away, and lets in.
    strangers: (deps) => [{ who: 'a stranger that is let in', transport: tls(deps) }],
    limitMs: 1_500,
  }).then(
    () => 'passed',
    (error: unknown) => error,
  )
/** Counts the handles of the process, so nothing may open or close any meanwhile: it comes first and alone. */
const alone: TransportCaseName = 'leaves nothing open'

describe('the transport suite bites', () => {
  it(`fails a transport that breaks: ${alone}`, async () => {
    expect(await fails(alone)).toBeInstanceOf(Error)
  })

  const others = (Object.keys(broken) as TransportCaseName[]).filter((name) => name !== alone)
  describe.concurrent('each case by itself', () => {
    it.each(others)('fails a transport that breaks: %s', async (name) => {
      expect(await fails(name)).toBeInstanceOf(Error)
    })
  })
})
