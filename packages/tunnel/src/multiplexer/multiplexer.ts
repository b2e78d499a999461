import type { X509Certificate } from 'node:crypto'
import {
  type Clock,
  type CloseReason,
  ConnectivityError,
  type IncomingTunnelStream,
  type Logger,
  maxStreamMessageBytes,
  type StreamResetCode,
  streamResetCodes,
  type TunnelConnection,
  type TunnelStream,
  type TunnelStreamHandlers,
} from '@sallyport/core'
import { defaultMultiplexerLimits, initialWindowBytes, maxStreams, messageOverheadBytes, type MultiplexerLimits } from '../limits.ts'
import type { ByteLink } from './byte-link.ts'
import { DATA, frameNames, GOAWAY, MESSAGE, OPEN, RESET, WINDOW } from './frame.ts'
import { Lane, type LaneOwner } from './lane.ts'
import { MultiplexedStream, type StreamOwner } from './stream.ts'

/** What a connection is made of. */
export interface MultiplexOptions {
  /** The lanes, in the order both sides agreed on. The first carries everything new and small, and the life of the connection. */
  readonly links: readonly ByteLink[]
  /** Who dialled: that side numbers its streams odd. */
  readonly side: 'dialler' | 'listener'
  readonly peerCertificate: X509Certificate | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly limits?: Partial<MultiplexerLimits> | undefined
  /** Milliseconds of a stopwatch with fractions, for round trips; `performance.now` unless a test says otherwise. */
  readonly stopwatch?: (() => number) | undefined
}

/** Streams that are left when a connection starts to look for a successor: about a million openings before identifiers run out. */
const lastStreamId = 0xffff_ffff
const identifierReserve = 2_097_152
/** Pings in a row at the start: the first ones measure how cold the code is, not how long the path. */
const initialPings = 8
/** Frames that may be held for another lane, over all streams. */
const maxHeldFrames = 65_536
/** How much the measured round trip may rise per ping, so that one route change is noticed within minutes and one busy second is not. */
const roundTripRise = 1.02

const resetCodeNames = Object.keys(streamResetCodes) as StreamResetCode[]

/** Makes one connection that carries streams out of one or more byte links. */
export function multiplex(options: MultiplexOptions): TunnelConnection {
  return new Multiplexer(options)
}

class Multiplexer implements TunnelConnection, StreamOwner, LaneOwner {
  readonly peerCertificate: X509Certificate | undefined
  readonly limits: MultiplexerLimits
  readonly lanes: readonly Lane[]
  readonly closed: Promise<CloseReason>
  readonly weakened: Promise<void>
  readonly now: () => number
  onStream: ((stream: IncomingTunnelStream) => void) | undefined = undefined
  roundTripMs: number | undefined = undefined

  private readonly clock: Clock
  private readonly log: Logger
  private readonly streams = new Map<number, MultiplexedStream>()
  private state: 'open' | 'draining' | 'ending' | 'closed' = 'open'
  private endedBy: 'local' | 'peer' = 'local'
  private saidGoaway = false
  private heardGoaway = false
  private settleClosed: (reason: CloseReason) => void = () => {}
  private settleWeakened: () => void = () => {}
  private nextId: number
  private readonly ownParity: number
  private ownStreams = 0
  private highestPeerId = 0
  /** Bytes that may still arrive for streams that are over here. */
  private unspent = 0
  private heldFrames = 0
  /** Streams of ours whose OPEN has not left yet. */
  private waitingOpenings = 0
  private undecided: MultiplexedStream[] = []
  private initialPingsLeft = initialPings
  private stopTimer: () => void

  constructor(options: MultiplexOptions) {
    this.peerCertificate = options.peerCertificate
    this.limits = { ...defaultMultiplexerLimits, ...options.limits }
    this.clock = options.clock
    this.log = options.log
    this.now = options.stopwatch ?? (() => performance.now())
    this.nextId = options.side === 'dialler' ? 1 : 2
    this.ownParity = this.nextId & 1
    this.closed = new Promise((resolve) => {
      this.settleClosed = resolve
    })
    this.weakened = new Promise((resolve) => {
      this.settleWeakened = resolve
    })
    this.lanes = options.links.map((link, index) => new Lane(this, index, link))
    this.stopTimer = this.clock.after(this.limits.pingIntervalMs, () => this.checkLife())
    for (const lane of this.lanes) lane.start()
    this.lanes[0]?.ping()
  }

  // ── TunnelConnection ────────────────────────────────────────────────────────────────────────────

  get openStreams(): number {
    return this.streams.size
  }

  openStream(opening: Buffer, handlers: TunnelStreamHandlers): TunnelStream {
    if (opening.length > maxStreamMessageBytes) {
      throw new ConnectivityError('MESSAGE_INVALID', `an opening of ${opening.length} bytes does not fit into a tunnel stream`)
    }
    const lane = this.lanes[0]
    if (this.state !== 'open' || lane === undefined)
      throw new ConnectivityError('TUNNEL_LOST', 'the tunnel connection is closed or closing')
    if (this.ownStreams >= this.limits.maxOpenedStreams || this.nextId > lastStreamId) {
      throw new ConnectivityError('TUNNEL_LOST', `the tunnel connection has ${this.ownStreams} streams open and can carry no more`)
    }
    const stream = new MultiplexedStream(this, lane, this.nextId, handlers)
    this.nextId += 2
    this.ownStreams++
    this.streams.set(stream.id, stream)
    if (this.nextId > lastStreamId - identifierReserve) this.settleWeakened()
    stream.announce(opening)
    return stream
  }

  async close(): Promise<void> {
    this.drain('local')
    await this.closed
  }

  abort(error: Error): void {
    this.settle({ kind: 'lost', error })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Whoever leaves the scope with streams open has failed already: they get the linger time and no more.
    const cancel = this.clock.after(this.limits.lingerMs, () =>
      this.abort(new ConnectivityError('ABORTED', 'the tunnel connection was disposed of with streams open')),
    )
    await this.close()
    cancel()
  }

  // ── frames ──────────────────────────────────────────────────────────────────────────────────────

  dataFor(streamId: number, length: number): MultiplexedStream | undefined {
    const stream = this.streams.get(streamId)
    if (stream === undefined) this.stray(DATA, streamId, length)
    else if (!stream.spend(length)) this.violation(`stream ${streamId} sent more than its credit`)
    else return stream
    return undefined
  }

  frame(lane: Lane, type: number, streamId: number, body: Buffer): void {
    if (type === OPEN) return this.opened(lane, streamId, body)
    if (type === GOAWAY) return this.goneAway(lane)
    const cost = type === MESSAGE ? body.length + messageOverheadBytes : 0
    const stream = this.streams.get(streamId)
    if (stream === undefined) this.stray(type, streamId, cost)
    else if (type === WINDOW) stream.granted(body.readUInt32BE(0))
    else if (type === RESET) {
      const code = resetCodeNames.find((name) => streamResetCodes[name] === body[0])
      if (code === undefined) this.violation(`RESET with code ${body[0]}`)
      else stream.resetByPeer(code)
    } else if (!stream.spend(cost)) this.violation(`stream ${streamId} sent more than its credit`)
    else stream.receive(lane, type, body)
  }

  violation(message: string): void {
    if (this.state === 'closed') return
    const error = new ConnectivityError('PROTOCOL_VIOLATION', `the peer of the tunnel broke the protocol: ${message}`)
    this.log.warn({ code: error.code, reason: message }, 'tunnel connection aborted')
    this.abort(error)
  }

  private opened(lane: Lane, streamId: number, opening: Buffer): void {
    const lane0 = this.lanes[0]
    if (lane0 === undefined || lane !== lane0) return this.violation('OPEN outside lane 0')
    if ((streamId & 1) === this.ownParity || streamId <= this.highestPeerId)
      return this.violation(`OPEN of stream ${streamId} out of order`)
    if (this.heardGoaway) return this.violation('OPEN after GOAWAY')
    if (this.streams.size - this.ownStreams >= maxStreams) return this.violation(`more than ${maxStreams} streams`)
    this.highestPeerId = streamId
    if (this.state !== 'open' || this.onStream === undefined) {
      this.unspent += initialWindowBytes
      lane0.send8(RESET, streamId, streamResetCodes.refused)
      return
    }
    const stream = new MultiplexedStream(this, lane0, streamId, undefined)
    this.streams.set(streamId, stream)
    try {
      this.onStream(new IncomingStream(stream, opening))
    } catch (error) {
      this.handlerFailed(stream, error)
    }
    if (!stream.isAccepted && stream.closed === undefined) this.decideLater(stream)
  }

  /** Frames of streams that are over are to be expected for a while; of streams that never were, and without end, they are not. */
  private stray(type: number, streamId: number, cost: number): void {
    const known = (streamId & 1) === this.ownParity ? streamId < this.nextId : streamId <= this.highestPeerId
    if (!known) this.violation(`${frameNames[type]} for stream ${streamId}, which was never opened`)
    else if (cost > this.unspent) this.violation(`${frameNames[type]} for stream ${streamId}, which is over`)
    else this.unspent -= cost
  }

  private decideLater(stream: MultiplexedStream): void {
    if (this.undecided.length === 0) {
      setImmediate(() => {
        const due = this.undecided
        this.undecided = []
        for (const one of due) if (!one.isAccepted) one.reset('refused')
      })
    }
    this.undecided.push(stream)
  }

  // ── streams ─────────────────────────────────────────────────────────────────────────────────────

  bulkLane(): Lane | undefined {
    let best: Lane | undefined
    for (const lane of this.lanes) {
      if (lane.index > 0 && lane.isAlive && (best === undefined || lane.bulkStreams < best.bulkStreams)) best = lane
    }
    return best
  }

  held(count: number): void {
    this.heldFrames += count
    if (this.heldFrames > maxHeldFrames) this.violation('too many frames ahead of their turn')
  }

  unannounced(count: 1 | -1): void {
    this.waitingOpenings += count
    if (this.waitingOpenings === 0) this.sayFarewell()
  }

  released(stream: MultiplexedStream, unspent: number): void {
    if (!this.streams.delete(stream.id)) return
    if ((stream.id & 1) === this.ownParity) this.ownStreams--
    this.unspent += unspent
    if (this.streams.size === 0 && this.state === 'draining') this.endWhenDrained()
  }

  handlerFailed(stream: MultiplexedStream, error: unknown): void {
    this.log.error({ streamId: stream.id, error: error instanceof Error ? error.message : String(error) }, 'stream handler threw')
    stream.reset('failed')
  }

  // ── lanes and life ──────────────────────────────────────────────────────────────────────────────

  measured(sampleMs: number): void {
    this.roundTripMs = this.roundTripMs === undefined ? sampleMs : Math.min(sampleMs, this.roundTripMs * roundTripRise)
    if (this.initialPingsLeft-- > 1) this.lanes[0]?.ping()
  }

  laneEnded(lane: Lane): void {
    if (this.state === 'closed' || this.state === 'ending') return
    // The peer ends its lanes once it has sent everything; another lane may still bring the rest.
    if (this.state === 'draining' && this.heardGoaway && this.lanes.some((other) => other.isAlive && !other.hasEnded)) return
    if (this.state === 'draining' && this.heardGoaway) this.settle(this.lostReason('the peer ended the connection with streams open'))
    else lane.destroy()
  }

  laneClosed(lane: Lane, error: Error | undefined): void {
    if (this.state === 'closed') return
    if (this.state === 'ending') {
      if (this.lanes.every((other) => !other.isAlive)) this.settle({ kind: this.endedBy })
      return
    }
    if (lane.index === 0) return this.settle(this.lostReason('the connection to the peer is gone', error))
    this.log.warn({ lane: lane.index, reason: error?.message }, 'a lane of the tunnel is gone, its streams with it')
    this.settleWeakened()
    for (const stream of this.streams.values()) stream.laneLost(lane)
  }

  private checkLife(): void {
    this.stopTimer = this.clock.after(this.limits.pingIntervalMs, () => this.checkLife())
    for (const lane of this.lanes) {
      if (!lane.isAlive || lane.checkLife()) continue
      lane.onClose(new ConnectivityError('TUNNEL_LOST', 'the peer of the tunnel has fallen silent'))
      lane.destroy()
    }
  }

  private lostReason(message: string, cause?: Error): CloseReason {
    if (ConnectivityError.is(cause)) return { kind: 'lost', error: cause }
    return { kind: 'lost', error: new ConnectivityError('TUNNEL_LOST', message, { cause }) }
  }

  // ── the end ─────────────────────────────────────────────────────────────────────────────────────

  private drain(by: 'local' | 'peer'): void {
    if (this.state !== 'open') return
    this.state = 'draining'
    this.endedBy = by
    this.sayFarewell()
  }

  /** A GOAWAY promises that no OPEN follows, so it waits for those that wait for their turn. */
  private sayFarewell(): void {
    if (this.state !== 'draining' || this.waitingOpenings > 0 || this.saidGoaway) return
    this.saidGoaway = true
    this.lanes[0]?.send8(GOAWAY, 0, 0)
    this.endWhenDrained()
  }

  private goneAway(lane: Lane): void {
    if (lane.index !== 0 || this.heardGoaway) return this.violation('unexpected GOAWAY')
    this.heardGoaway = true
    if (this.state === 'open') this.drain('peer')
    else this.endWhenDrained()
  }

  /** Both sides have said that they open nothing more, and nothing is open: the lanes end, each after what it still has to send. */
  private endWhenDrained(): void {
    if (this.state !== 'draining' || !this.saidGoaway || !this.heardGoaway || this.streams.size > 0) return
    this.state = 'ending'
    this.stopTimer()
    for (const lane of this.lanes) if (lane.isAlive) lane.end()
    this.stopTimer = this.clock.after(this.limits.lingerMs, () => this.settle({ kind: this.endedBy }))
    if (this.lanes.every((lane) => !lane.isAlive)) this.settle({ kind: this.endedBy })
  }

  private settle(reason: CloseReason): void {
    if (this.state === 'closed') return
    this.state = 'closed'
    this.stopTimer()
    this.onStream = undefined
    for (const lane of this.lanes) lane.destroy()
    for (const stream of this.streams.values()) stream.close({ kind: 'lost' })
    this.settleClosed(reason)
  }
}

class IncomingStream implements IncomingTunnelStream {
  readonly opening: Buffer
  private readonly stream: MultiplexedStream

  constructor(stream: MultiplexedStream, opening: Buffer) {
    this.stream = stream
    this.opening = opening
  }

  accept(handlers: TunnelStreamHandlers): TunnelStream {
    this.stream.accept(handlers)
    return this.stream
  }

  refuse(): void {
    if (!this.stream.isAccepted) this.stream.reset('refused')
  }
}
