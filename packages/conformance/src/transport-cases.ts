import { createHash, randomBytes } from 'node:crypto'
import {
  type CloseReason,
  type Clock,
  ConnectivityError,
  type IncomingTunnelStream,
  maxStreamMessageBytes,
  type StreamResetCode,
  streamResetCodes,
  type TunnelConnection,
  type TunnelListener,
  type TunnelStreamHandlers,
  type TunnelTransport,
} from '@sallyport/core'
import { expect } from 'vitest'
import type { CaseClock } from './case-clock.ts'
import type { Case } from './describe-cases.ts'
import { createNetwork, createSilentPort, sendAndAwaitClose } from './network.ts'
import { reasonOf, within } from './probe.ts'
import { createStreamProbe, type StreamProbe } from './stream-probe.ts'

export type TransportFeature =
  /** Both sides prove who they are with a certificate. */
  | 'peerIdentity'
  /** It runs over TCP, so that the suite can put a faulty network in between. */
  | 'network'

/** What a transport is made with. */
export interface TransportDeps {
  readonly clock: Clock
}

/** Somebody who must not get a connection, or must not be believed. */
export interface Stranger {
  readonly who: string
  /** Dials with it. */
  readonly transport: TunnelTransport
}

/** What a case works with. Everything made through it is taken down by the suite. */
export interface TransportContext {
  readonly clock: CaseClock
  readonly transport: TunnelTransport
  /** A listener of the transport; every connection it gets is put into `arrived`. */
  readonly listener: TunnelListener
  readonly arrived: readonly TunnelConnection[]
  /** Connects, through another endpoint if one is given, and waits for the far end. */
  connect(endpoint?: URL): Promise<{ readonly near: TunnelConnection; readonly far: TunnelConnection }>
  readonly strangers: readonly Stranger[]
  /** Clock time within which a silent peer has to be noticed. */
  readonly silenceMs: number
  /** Fires when the case has waited too long. */
  readonly signal: AbortSignal
}

export type TransportCase = Case<TransportContext, TransportFeature>

export type TransportCaseName =
  | 'carries arbitrary bytes both ways'
  | 'hands the opening over together with the stream'
  | 'keeps messages in order with the bytes'
  | 'loses nothing that arrives before the stream is accepted within the turn'
  | 'lets the peer finish its answer after our side has ended'
  | 'keeps many streams apart'
  | 'stops the writer while the reader has enough'
  | 'does not let a stopped reader hold up its neighbours'
  | 'refuses a stream that nobody takes'
  | 'tells the peer why a stream is reset, and nothing more'
  | 'resets a stream whose handler throws'
  | 'refuses openings and messages that are too large'
  | 'finishes open streams before it closes'
  | 'ends every stream when it is aborted'
  | 'does not connect once the signal has fired'
  | 'says so when nobody listens'
  | 'accepts no more once the listener is closed, and keeps what is open'
  | 'measures the round trip'
  | 'gives up connecting when the signal fires'
  | 'ends its streams when the peer is reset'
  | 'notices a peer that has fallen silent'
  | 'goes on serving after garbage on its port'
  | 'leaves nothing open'
  | 'proves who the peer is'
  | 'turns strangers away on both sides'

/** Small enough to be quick, large enough to pass every window and buffer several times. */
const bulkBytes = 6_000_000
/** More than a first window and the buffers of a path may hold of a stream whose reader never took anything. */
const heldAtMostBytes = 1_048_576

/** What every transport does, whatever carries it. */
export const transportCases: Readonly<Record<TransportCaseName, TransportCase>> = {
  'carries arbitrary bytes both ways': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      far.onStream = echo
      const sent = randomBytes(bulkBytes)
      const probe = open(near)
      await within(writeAll(probe, sent), signal, 'everything to be written')
      probe.stream?.end()
      expect(await within(probe.closed, signal, 'both sides to end')).toEqual({ kind: 'finished' })
      expect(digest(probe.received)).toBe(digest([sent]))
      expect(probe.stream?.bytesSent).toBe(bulkBytes)
      expect(probe.stream?.bytesReceived).toBe(bulkBytes)
    },
  },
  'hands the opening over together with the stream': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      for (const opening of [Buffer.alloc(0), Buffer.from('hello'), randomBytes(maxStreamMessageBytes)]) {
        const incoming = nextStream(far)
        open(near, opening)
        expect((await within(incoming, signal, 'the stream to arrive')).opening).toEqual(opening)
      }
    },
  },
  'keeps messages in order with the bytes': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      for (let round = 0; round < 3; round++) {
        here.stream?.sendMessage(Buffer.from(String(round)))
        await within(writeAll(here, randomBytes(500_000)), signal, 'the bytes to be written')
      }
      here.stream?.sendMessage(Buffer.from('last'))
      here.stream?.end()
      await within(there.ended, signal, 'the end')
      expect(there.events).toEqual(['message:0', 'data', 'message:1', 'data', 'message:2', 'data', 'message:last', 'end'])
    },
  },
  'loses nothing that arrives before the stream is accepted within the turn': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const there = createStreamProbe()
      far.onStream = (incoming) => {
        void Promise.resolve().then(() => {
          there.stream = incoming.accept(there.handlers)
        })
      }
      const here = open(near)
      here.stream?.write(Buffer.from('early'))
      here.stream?.sendMessage(Buffer.from('bird'))
      here.stream?.end()
      await within(there.ended, signal, 'the end of what was sent early')
      expect(there.events).toEqual(['data', 'message:bird', 'end'])
      expect(Buffer.concat(there.received).toString()).toBe('early')
    },
  },
  'lets the peer finish its answer after our side has ended': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const answer = randomBytes(1_000_000)
      const { probe: there } = accepting(far, {
        onEnd: () =>
          void writeAll(there, answer).then(() => {
            there.stream?.end()
          }),
      })
      const here = open(near)
      here.stream?.write(Buffer.from('question'))
      here.stream?.end()
      expect(await within(here.closed, signal, 'the answer')).toEqual({ kind: 'finished' })
      expect(digest(here.received)).toBe(digest([answer]))
      expect(await within(there.closed, signal, 'the end on the far side')).toEqual({ kind: 'finished' })
    },
  },
  'keeps many streams apart': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      far.onStream = echo
      const probes = Array.from({ length: 300 }, () => open(near))
      expect(near.openStreams).toBe(300)
      const texts = probes.map((_, index) => Buffer.from(`stream ${index} `.repeat(1 + (index % 50))))
      probes.forEach((probe, index) => {
        probe.stream?.write(texts[index] ?? Buffer.alloc(0))
        probe.stream?.end()
      })
      const reasons = await within(Promise.all(probes.map(async (probe) => probe.closed)), signal, 'every stream to finish')
      expect(new Set(reasons.map((reason) => reason.kind))).toEqual(new Set(['finished']))
      expect(probes.map((probe) => Buffer.concat(probe.received))).toEqual(texts)
      expect(near.openStreams).toBe(0)
    },
  },
  'stops the writer while the reader has enough': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      there.reading = false
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      const chunk = randomBytes(50_000)
      const sent: Buffer[] = []
      // A transport that never says "full" is stopped here and not by the memory of the machine.
      while (sent.length * chunk.length < heldAtMostBytes * 4) {
        sent.push(chunk)
        if (here.stream?.write(chunk) === true) continue
        const drained = await Promise.race([here.drained().then(() => true), roundTrips(near, far, signal).then(() => false)])
        if (!drained) break
      }
      expect(sent.length * chunk.length).toBeLessThanOrEqual(heldAtMostBytes)
      expect(there.receivedBytes).toBeLessThanOrEqual(heldAtMostBytes)
      there.reading = true
      there.stream?.resume()
      here.stream?.end()
      await within(there.ended, signal, 'the rest after the reader went on')
      expect(digest(there.received)).toBe(digest(sent))
    },
  },
  'does not let a stopped reader hold up its neighbours': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      there.reading = false
      const stopped = open(near)
      await within(begun, signal, 'the stream to arrive')
      for (let written = 0; written < heldAtMostBytes; written += 50_000) stopped.stream?.write(randomBytes(50_000))
      far.onStream = echo
      const neighbour = open(near)
      await within(writeAll(neighbour, randomBytes(bulkBytes)), signal, 'a neighbour of a stopped stream')
      neighbour.stream?.end()
      expect(await within(neighbour.closed, signal, 'the neighbour to finish')).toEqual({ kind: 'finished' })
    },
  },
  'refuses a stream that nobody takes': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const handlers: readonly TunnelConnection['onStream'][] = [undefined, () => {}, (incoming) => incoming.refuse()]
      for (const onStream of handlers) {
        far.onStream = onStream
        const probe = open(near)
        expect(await within(probe.closed, signal, 'the refusal')).toEqual({ kind: 'reset', by: 'peer', code: 'refused' })
      }
      expect(far.openStreams).toBe(0)
    },
  },
  'tells the peer why a stream is reset, and nothing more': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      for (const code of Object.keys(streamResetCodes) as StreamResetCode[]) {
        const { probe: there, begun } = accepting(far)
        const here = open(near)
        await within(begun, signal, 'the stream to arrive')
        there.stream?.write(Buffer.from('on its way'))
        here.stream?.reset(code)
        here.stream?.reset('cancelled')
        expect(await within(there.closed, signal, 'the reset')).toEqual({ kind: 'reset', by: 'peer', code })
        expect(await within(here.closed, signal, 'our own close')).toEqual({ kind: 'reset', by: 'local', code })
        await roundTrips(near, far, signal)
        expect(here.events).toEqual(['close'])
        expect(there.events).toEqual(['close'])
      }
    },
  },
  'resets a stream whose handler throws': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there } = accepting(far, {
        onData() {
          throw new Error('a fault of the owner')
        },
      })
      const here = open(near)
      here.stream?.write(Buffer.from('x'))
      expect(await within(here.closed, signal, 'the reset')).toEqual({ kind: 'reset', by: 'peer', code: 'failed' })
      expect(await within(there.closed, signal, 'the reset at the owner')).toEqual({ kind: 'reset', by: 'local', code: 'failed' })
      await roundTrips(near, far, signal)
    },
  },
  'refuses openings and messages that are too large': {
    async run({ connect }) {
      const { near } = await connect()
      const tooLarge = Buffer.alloc(maxStreamMessageBytes + 1)
      expect(codeOfThrown(() => open(near, tooLarge))).toBe('MESSAGE_INVALID')
      expect(codeOfThrown(() => open(near).stream?.sendMessage(tooLarge))).toBe('MESSAGE_INVALID')
    },
  },
  'finishes open streams before it closes': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      let isClosed = false
      const closing = near.close().then(() => {
        isClosed = true
      })
      expect(codeOfThrown(() => open(near))).toBe('TUNNEL_LOST')
      const sent = randomBytes(bulkBytes)
      await within(writeAll(here, sent), signal, 'an open stream to go on while the connection drains')
      here.stream?.end()
      await within(there.ended, signal, 'the end of our side')
      expect(digest(there.received)).toBe(digest([sent]))
      expect(codeOfThrown(() => open(far))).toBe('TUNNEL_LOST')
      expect(isClosed).toBe(false)
      there.stream?.end()
      await within(closing, signal, 'the connection to close')
      expect(await within(near.closed, signal, 'the close reason')).toEqual({ kind: 'local' })
      expect(await within(far.closed, signal, 'the close reason of the peer')).toEqual({ kind: 'peer' })
    },
  },
  'ends every stream when it is aborted': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      near.abort(new Error('enough'))
      expect(await within(here.closed, signal, 'our stream to end')).toEqual({ kind: 'lost' })
      expect(await within(there.closed, signal, 'the stream of the peer to end')).toEqual({ kind: 'lost' })
      const reason = await within(near.closed, signal, 'the close reason')
      expect(reason.kind === 'lost' && reason.error.message).toBe('enough')
      expect((await within(far.closed, signal, 'the peer to notice')).kind).toBe('lost')
      expect(codeOfThrown(() => open(near))).toBe('TUNNEL_LOST')
    },
  },
  'does not connect once the signal has fired': {
    async run({ transport, listener, arrived }) {
      const error = await reasonOf(transport.connect(listener.endpoint, { signal: AbortSignal.abort() }))
      expect(ConnectivityError.is(error, 'ABORTED')).toBe(true)
      expect(arrived).toEqual([])
    },
  },
  'says so when nobody listens': {
    async run({ transport, listener, signal }) {
      await listener.close()
      const error = await reasonOf(transport.connect(listener.endpoint, { signal }))
      expect(ConnectivityError.is(error, 'PEER_UNREACHABLE')).toBe(true)
    },
  },
  'accepts no more once the listener is closed, and keeps what is open': {
    async run({ connect, transport, listener, signal }) {
      const { near, far } = await connect()
      await within(listener.close(), signal, 'the listener to close')
      await within(listener.close(), signal, 'the listener to close a second time')
      await roundTrips(near, far, signal)
      expect(ConnectivityError.is(await reasonOf(transport.connect(listener.endpoint, { signal })))).toBe(true)
    },
  },
  'measures the round trip': {
    async run({ connect, signal }) {
      const { near, far } = await connect()
      await roundTrips(near, far, signal)
      for (const end of [near, far]) {
        expect(end.roundTripMs).toBeGreaterThan(0)
        expect(end.roundTripMs).toBeLessThan(10_000)
      }
    },
  },
  'gives up connecting when the signal fires': {
    requires: 'network',
    async run({ transport, listener, signal }) {
      await using silent = await createSilentPort(listener.endpoint)
      const controller = new AbortController()
      const attempt = reasonOf(transport.connect(silent.endpoint, { signal: controller.signal }))
      setImmediate(() => controller.abort())
      expect(ConnectivityError.is(await within(attempt, signal, 'the attempt to be given up'), 'ABORTED')).toBe(true)
    },
  },
  'ends its streams when the peer is reset': {
    requires: 'network',
    async run({ connect, listener, signal }) {
      await using network = await createNetwork(listener.endpoint)
      const { near, far } = await connect(network.endpoint)
      const { probe: there, begun } = accepting(far)
      const here = open(near)
      await within(begun, signal, 'the stream to arrive')
      here.stream?.write(randomBytes(100_000))
      network.cut()
      expect(await within(here.closed, signal, 'our stream to end')).toEqual({ kind: 'lost' })
      expect(await within(there.closed, signal, 'the stream of the peer to end')).toEqual({ kind: 'lost' })
      for (const end of [near, far]) expectLost(await within(end.closed, signal, 'the connection to end'))
    },
  },
  'notices a peer that has fallen silent': {
    requires: 'network',
    async run({ connect, listener, clock, silenceMs, signal }) {
      await using network = await createNetwork(listener.endpoint)
      const { near, far } = await connect(network.endpoint)
      const here = open(near)
      await roundTrips(near, far, signal)
      network.freeze()
      for (let passed = 0; passed < silenceMs; passed += 1_000) clock.advance(1_000)
      for (const end of [near, far]) expectLost(await within(end.closed, signal, 'the silence to be noticed'))
      expect((await within(here.closed, signal, 'its stream to end')).kind).not.toBe('finished')
    },
  },
  'goes on serving after garbage on its port': {
    requires: 'network',
    async run({ connect, listener, clock, arrived, signal }) {
      const garbage = [randomBytes(300), Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'), Buffer.alloc(70_000)]
      const closes = Promise.all(garbage.map(async (bytes) => sendAndAwaitClose(listener.endpoint, bytes)))
      // What is not refused at sight has to run into a limit.
      const patience = setInterval(() => clock.advance(1_000), 10)
      try {
        await within(closes, signal, 'the garbage to be shut out')
      } finally {
        clearInterval(patience)
      }
      expect(arrived).toEqual([])
      const { near, far } = await connect()
      await roundTrips(near, far, signal)
    },
  },
  'leaves nothing open': {
    requires: 'network',
    async run({ connect, listener, signal }) {
      const before = openHandles()
      for (let round = 0; round < 5; round++) {
        const { near, far } = await connect()
        await roundTrips(near, far, signal)
        await within(near.close(), signal, 'the connection to close')
        await within(far.closed, signal, 'the peer to close')
      }
      await listener.close()
      await within(
        (async () => {
          while (openHandles() > before && !signal.aborted) await new Promise((resolve) => setImmediate(resolve))
        })(),
        signal,
        'every handle to be closed',
      )
      expect(openHandles()).toBeLessThanOrEqual(before)
    },
  },
  'proves who the peer is': {
    requires: 'peerIdentity',
    async run({ connect }) {
      const { near, far } = await connect()
      expect(near.peerCertificate?.fingerprint256).toMatch(/^[0-9A-F:]{95}$/)
      expect(far.peerCertificate?.fingerprint256).toMatch(/^[0-9A-F:]{95}$/)
      expect(near.peerCertificate?.fingerprint256).not.toBe(far.peerCertificate?.fingerprint256)
    },
  },
  'turns strangers away on both sides': {
    requires: 'peerIdentity',
    async run({ connect, listener, strangers, arrived, signal }) {
      expect(strangers.length).toBeGreaterThan(0)
      for (const { who, transport } of strangers) {
        const error = await within(reasonOf(transport.connect(listener.endpoint, { signal })), signal, `${who} to be turned away`)
        expect(ConnectivityError.is(error, 'PEER_UNTRUSTED'), `${who}: ${String(error)}`).toBe(true)
      }
      expect(arrived).toEqual([])
      const { near, far } = await connect()
      await roundTrips(near, far, signal)
    },
  },
}

function open(connection: TunnelConnection, opening: Buffer = Buffer.from('opening')): StreamProbe {
  const probe = createStreamProbe()
  probe.stream = connection.openStream(opening, probe.handlers)
  return probe
}

/** Takes the next stream with a probe. */
function accepting(
  connection: TunnelConnection,
  overrides: Partial<TunnelStreamHandlers> = {},
): { readonly probe: StreamProbe; readonly begun: Promise<void> } {
  const probe = createStreamProbe(overrides)
  const begun = new Promise<void>((resolve) => {
    connection.onStream = (incoming) => {
      probe.stream = incoming.accept(probe.handlers)
      resolve()
    }
  })
  return { probe, begun }
}

function nextStream(connection: TunnelConnection): Promise<IncomingTunnelStream> {
  return new Promise((resolve) => {
    connection.onStream = (incoming) => {
      incoming.accept(createStreamProbe().handlers)
      resolve(incoming)
    }
  })
}

/** Sends back what arrives, with back pressure, and ends when the peer ends. */
function echo(incoming: IncomingTunnelStream): void {
  const stream = incoming.accept({
    onData: (chunk) => stream.write(chunk),
    onMessage: (message) => void stream.sendMessage(message),
    onEnd: () => stream.end(),
    onDrain: () => stream.resume(),
    onClose() {},
  })
}

/** Writes in pieces of many sizes and waits whenever the stream is full. */
async function writeAll(probe: StreamProbe, bytes: Buffer): Promise<void> {
  const sizes = [1, 100_000, 7, 65_536, 16_384, 3_000]
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    const chunk = Buffer.from(bytes.subarray(at, at + size))
    at += chunk.length
    if (probe.stream?.write(chunk) === false) await probe.drained()
  }
}

/** Asks back and forth a few times: whatever was on its way before has then arrived. */
async function roundTrips(near: TunnelConnection, far: TunnelConnection, signal: AbortSignal): Promise<void> {
  const before = far.onStream
  far.onStream = echo
  for (let round = 0; round < 5; round++) {
    const probe = open(near)
    probe.stream?.write(Buffer.from('ping'))
    probe.stream?.end()
    await within(probe.closed, signal, 'a round trip')
    expect(Buffer.concat(probe.received).toString()).toBe('ping')
  }
  far.onStream = before
}

function expectLost(reason: CloseReason): void {
  expect(reason.kind).toBe('lost')
  expect(reason.kind === 'lost' && ConnectivityError.is(reason.error, 'TUNNEL_LOST')).toBe(true)
}

function codeOfThrown(act: () => unknown): string | undefined {
  try {
    act()
  } catch (error) {
    return ConnectivityError.is(error) ? error.code : 'another error'
  }
  return undefined
}

function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => name.startsWith('TCP')).length
}

function digest(chunks: readonly Buffer[]): string {
  const hash = createHash('sha256')
  for (const chunk of chunks) hash.update(chunk)
  return hash.digest('hex')
}
