import { atEndOfTurn, type Batched } from '../batch.ts'
import { smallFramesPerTurn, type MultiplexerLimits } from '../limits.ts'
import type { ByteLink, ByteLinkHandlers } from './byte-link.ts'
import { DATA, PING, PONG } from './frame.ts'
import { FrameReader, type FrameSink } from './frame-reader.ts'
import { FrameWriter } from './frame-writer.ts'
import type { MultiplexedStream } from './stream.ts'

/** What a lane needs from the connection it belongs to. */
export interface LaneOwner {
  readonly limits: Pick<MultiplexerLimits, 'laneBufferBytes' | 'bulkLaneBufferBytes' | 'maxLaneBacklogBytes' | 'maxMissedPings'>
  now(): number
  /** The stream a DATA frame is for, its credit taken; `undefined` when the bytes are to be thrown away. */
  dataFor(streamId: number, length: number): MultiplexedStream | undefined
  frame(lane: Lane, type: number, streamId: number, body: Buffer): void
  violation(message: string): void
  measured(roundTripMs: number): void
  laneEnded(lane: Lane): void
  laneClosed(lane: Lane, error: Error | undefined): void
}

/** One byte link of a connection: reads frames from it, lets streams take turns in writing to it, and knows whether it lives. */
export class Lane implements FrameSink, ByteLinkHandlers, Batched {
  readonly index: number
  readonly writer: FrameWriter
  isAlive = true
  /** The peer has written its last byte. */
  hasEnded = false
  /** Streams whose data leaves on this lane because they are bulk. */
  bulkStreams = 0

  private readonly owner: LaneOwner
  private readonly link: ByteLink
  private readonly reader: FrameReader
  private readonly bufferBytes: number
  private isFull = false
  private isPumping = false
  private firstReady: MultiplexedStream | undefined = undefined
  private lastReady: MultiplexedStream | undefined = undefined
  /** Whose DATA frame is being read. */
  private current: MultiplexedStream | undefined = undefined
  /** Small frames up to the beginning of this turn, if something has been read in it. */
  private framesBefore: number | undefined = undefined
  private heardSincePing = true
  private missedPings = 0
  private pingToken = 0
  private pingSentAt = 0
  private owedPong: number | undefined = undefined

  constructor(owner: LaneOwner, index: number, link: ByteLink) {
    this.owner = owner
    this.index = index
    this.link = link
    this.bufferBytes = index === 0 ? owner.limits.laneBufferBytes : owner.limits.bulkLaneBufferBytes
    this.writer = new FrameWriter(link)
    this.reader = new FrameReader(this)
  }

  start(): void {
    this.link.start(this)
  }

  // ── writing ─────────────────────────────────────────────────────────────────────────────────────

  /** Whether a frame may be written without waiting for its turn. */
  get isIdle(): boolean {
    return !this.isFull && this.firstReady === undefined
  }

  send(type: number, streamId: number, body?: Buffer): void {
    this.writer.frame(type, streamId, body)
    this.wrote()
  }

  send32(type: number, streamId: number, value: number): void {
    this.writer.frame32(type, streamId, value)
    this.wrote()
  }

  send8(type: number, streamId: number, value: number): void {
    this.writer.frame8(type, streamId, value)
    this.wrote()
  }

  /** To be called after writing a frame through `writer`. */
  wrote(): void {
    this.writer.endFrame()
    const buffered = this.writer.bufferedBytes
    if (buffered < this.bufferBytes) return
    if (!this.isFull) this.isFull = true
    else if (buffered > this.owner.limits.maxLaneBacklogBytes) this.owner.violation('asks and does not read the answers')
  }

  /** Puts a stream that can send at the end of the queue and, when there is room, lets it send. */
  queueStream(stream: MultiplexedStream): void {
    if (!stream.isReady) {
      stream.isReady = true
      if (this.lastReady === undefined) this.firstReady = stream
      else this.lastReady.nextReady = stream
      this.lastReady = stream
    }
    this.pump()
  }

  /** Round robin: each stream one frame, until the lane is full or nobody has anything left. */
  private pump(): void {
    if (this.isPumping) return
    this.isPumping = true
    for (let stream = this.firstReady; stream !== undefined && !this.isFull; stream = this.firstReady) {
      this.firstReady = stream.nextReady
      if (this.firstReady === undefined) this.lastReady = undefined
      stream.nextReady = undefined
      stream.isReady = false
      if (stream.canSend) stream.takeTurn()
      if (stream.canSend) stream.lane.queueStream(stream)
    }
    this.isPumping = false
  }

  onDrain(): void {
    this.isFull = false
    if (this.owedPong !== undefined) {
      const token = this.owedPong
      this.owedPong = undefined
      this.send32(PONG, 0, token)
    }
    this.pump()
  }

  // ── reading ─────────────────────────────────────────────────────────────────────────────────────

  onData(chunk: Buffer): boolean {
    const { reader } = this
    this.heardSincePing = true
    if (this.framesBefore === undefined) {
      this.framesBefore = reader.smallFrames
      atEndOfTurn(this)
    }
    reader.push(chunk)
    return reader.smallFrames - this.framesBefore < smallFramesPerTurn
  }

  endTurn(): void {
    this.framesBefore = undefined
  }

  onDataHeader(streamId: number, length: number): void {
    this.current = this.owner.dataFor(streamId, length)
  }

  onDataBytes(chunk: Buffer): void {
    if (this.current !== undefined && this.current.closed === undefined) this.current.receive(this, DATA, chunk)
  }

  onFrame(type: number, streamId: number, body: Buffer): void {
    if (type === PING) this.answer(body.readUInt32BE(0))
    else if (type === PONG) {
      if (body.readUInt32BE(0) === this.pingToken) this.owner.measured(this.owner.now() - this.pingSentAt)
    } else this.owner.frame(this, type, streamId, body)
  }

  onViolation(message: string): void {
    this.owner.violation(message)
  }

  onEnd(): void {
    this.hasEnded = true
    this.owner.laneEnded(this)
  }

  onClose(error: Error | undefined): void {
    if (!this.isAlive) return
    this.isAlive = false
    this.owner.laneClosed(this, error)
  }

  // ── life ────────────────────────────────────────────────────────────────────────────────────────

  ping(): void {
    this.pingToken = (this.pingToken + 1) >>> 0
    this.pingSentAt = this.owner.now()
    this.send32(PING, 0, this.pingToken)
  }

  /** Called once per interval. `false`: nothing has arrived for too many of them. Any byte counts, because a pong may stand behind bulk. */
  checkLife(): boolean {
    this.missedPings = this.heardSincePing ? 0 : this.missedPings + 1
    this.heardSincePing = false
    if (this.missedPings >= this.owner.limits.maxMissedPings) return false
    this.ping()
    return true
  }

  /** Writes what is left, then ends our half. */
  end(): void {
    this.writer.endTurn()
    this.link.end()
  }

  destroy(): void {
    this.reader.stop()
    this.current = undefined
    this.link.destroy()
  }

  /** At most one answer waits: a peer that pings without reading costs one number. */
  private answer(token: number): void {
    if (this.isFull) this.owedPong = token
    else this.send32(PONG, 0, token)
  }
}
