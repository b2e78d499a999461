import {
  ConnectivityError,
  maxStreamMessageBytes,
  type StreamCloseReason,
  type StreamResetCode,
  streamResetCodes,
  type TunnelStream,
  type TunnelStreamHandlers,
} from '@sallyport/core'
import { initialWindowBytes, maxCreditBytes, maxDataBytes, messageOverheadBytes, type MultiplexerLimits } from '../limits.ts'
import { DATA, END, frameNames, MESSAGE, MOVE, OPEN, RESET, WINDOW } from './frame.ts'
import type { Lane } from './lane.ts'
import { OutgoingQueue, type QueuedFrame } from './outgoing-queue.ts'
import { firstWindow, grownWindow, isGrantDue, resumedWindow, watchMs } from './window.ts'

/** What a stream needs from the connection it belongs to. */
export interface StreamOwner {
  readonly limits: MultiplexerLimits
  readonly lanes: readonly Lane[]
  readonly roundTripMs: number | undefined
  /** Milliseconds of a stopwatch that never goes back. */
  now(): number
  /** The lane for a stream that turned out bulk; `undefined` when there is none besides lane 0. */
  bulkLane(): Lane | undefined
  violation(message: string): void
  /** A frame is kept until its turn comes; `count` may be negative. */
  held(count: number): void
  /** Streams whose opening waits for its turn: one more, or one less. */
  unannounced(count: 1 | -1): void
  /** The stream is over. `unspent` is what the peer may still have on its way. */
  released(stream: MultiplexedStream, unspent: number): void
  handlerFailed(stream: MultiplexedStream, error: unknown): void
}

/** A frame that arrived before its turn: on a lane the stream has not moved to yet, or before somebody took the stream. */
interface HeldFrame {
  readonly lane: Lane
  readonly type: number
  readonly body: Buffer
}

/** Pieces below this are copied when they are held, so that a few bytes do not hold a whole read of the socket. */
const copiedWhenHeldBytes = 4_096

/**
 * One stream of a multiplexed connection. A class with few fields, because there are tens of thousands of them: an idle
 * one is this object and nothing else.
 */
export class MultiplexedStream implements TunnelStream {
  readonly id: number
  bytesSent = 0
  bytesReceived = 0
  /** Next in the queue of the lane, kept by {@link Lane}. */
  nextReady: MultiplexedStream | undefined = undefined
  isReady = false
  /** The lane our frames leave on. */
  lane: Lane
  closed: StreamCloseReason | undefined = undefined

  private readonly owner: StreamOwner
  private handlers: TunnelStreamHandlers | undefined
  private outgoing: 'open' | 'ending' | 'ended' = 'open'
  private incoming: 'unaccepted' | 'flowing' | 'paused' | 'ended'
  private credit: number = initialWindowBytes
  private wasGranted = false
  /** Whether the peer has been sent the opening; streams of the peer count as such. */
  private isAnnounced = true
  private queue: OutgoingQueue | undefined = undefined
  private wantsDrain = false
  /** The lane the peer's frames are due on. */
  private sourceLane: Lane
  private sourceMoved = false
  private window: number = initialWindowBytes
  /** What the peer may still send. */
  private allowance: number = initialWindowBytes
  /** Since when, and from which count of bytes, we watch how much the reader takes. */
  private watchedSince = 0
  private watchedFrom = 0
  private pausedAt = 0
  private heldFrames: HeldFrame[] | undefined = undefined

  constructor(owner: StreamOwner, lane: Lane, id: number, handlers: TunnelStreamHandlers | undefined) {
    this.owner = owner
    this.lane = lane
    this.sourceLane = lane
    this.id = id
    this.handlers = handlers
    this.incoming = handlers === undefined ? 'unaccepted' : 'flowing'
  }

  get isAccepted(): boolean {
    return this.handlers !== undefined
  }

  // ── the owner of the stream speaks ──────────────────────────────────────────────────────────────

  /** First frame of a stream that we open. */
  announce(opening: Buffer): void {
    if (this.lane.isIdle) this.lane.send(OPEN, this.id, opening)
    else {
      this.isAnnounced = false
      this.owner.unannounced(1)
      this.enqueue({ type: OPEN, body: opening })
      // Nobody has written yet and been told to wait.
      this.wantsDrain = false
    }
  }

  write(chunk: Buffer, borrowed = false): boolean {
    if (this.closed !== undefined || chunk.length === 0) return true
    this.assertOpen()
    if (this.queue === undefined && chunk.length <= this.credit && chunk.length <= maxDataBytes && this.lane.isIdle) {
      this.lane.writer.header(DATA, this.id, chunk.length)
      this.lane.writer.body(chunk)
      this.sent(chunk.length)
      if (this.credit > 0) return true
      // Said now and not with the next chunk, which the writer would read and then have to hold.
      this.wantsDrain = true
      return false
    }
    return this.enqueue(borrowed ? Buffer.from(chunk) : chunk)
  }

  sendMessage(message: Buffer): boolean {
    if (message.length > maxStreamMessageBytes) {
      throw new ConnectivityError('MESSAGE_INVALID', `a message of ${message.length} bytes does not fit into a tunnel stream`)
    }
    if (this.closed !== undefined) return true
    this.assertOpen()
    const cost = message.length + messageOverheadBytes
    if (this.queue === undefined && cost <= this.credit && this.lane.isIdle) {
      this.credit -= cost
      this.lane.send(MESSAGE, this.id, message)
      return true
    }
    return this.enqueue({ type: MESSAGE, body: message })
  }

  end(): void {
    if (this.outgoing !== 'open' || this.closed !== undefined) return
    this.outgoing = 'ending'
    if (this.queue === undefined && this.lane.isIdle) this.sendEnd()
    else this.lane.queueStream(this)
  }

  resume(): void {
    if (this.incoming !== 'paused') return
    this.incoming = 'flowing'
    this.window = resumedWindow(this.window, this.owner.now() - this.pausedAt, this.owner.roundTripMs)
    this.grantIfDue()
  }

  reset(code: StreamResetCode): void {
    if (this.closed !== undefined) return
    // The peer hears nothing of a stream whose opening never left.
    if (this.isAnnounced) this.owner.lanes[0]?.send8(RESET, this.id, streamResetCodes[code])
    this.close({ kind: 'reset', by: 'local', code })
  }

  // ── the peer speaks ─────────────────────────────────────────────────────────────────────────────

  /** Somebody takes a stream that the peer opened. What came in meanwhile is delivered once the caller has returned. */
  accept(handlers: TunnelStreamHandlers): void {
    if (this.handlers !== undefined) throw new Error('the stream has been accepted already')
    this.handlers = handlers
    if (this.closed !== undefined) {
      const reason = this.closed
      queueMicrotask(() => this.callClose(reason))
    } else if (this.heldFrames === undefined) this.incoming = 'flowing'
    else
      queueMicrotask(() => {
        if (this.incoming === 'unaccepted') this.incoming = 'flowing'
        this.replay()
      })
  }

  /** Takes the credit for `cost` bytes that the peer sends; `false` when it had none. */
  spend(cost: number): boolean {
    if (cost > this.allowance) return false
    this.allowance -= cost
    return true
  }

  /** A DATA piece, MESSAGE, END or MOVE: those that have an order. */
  receive(lane: Lane, type: number, body: Buffer): void {
    if (lane !== this.sourceLane) {
      if (this.sourceMoved || lane.index === 0) {
        this.owner.violation(`${frameNames[type]} on a lane that stream ${this.id} has left`)
        return
      }
    } else if (this.incoming !== 'unaccepted') {
      this.take(type, body)
      return
    }
    const kept = body.length < copiedWhenHeldBytes ? Buffer.from(body) : body
    ;(this.heldFrames ??= []).push({ lane, type, body: kept })
    this.owner.held(1)
  }

  /** A WINDOW frame. */
  granted(bytes: number): void {
    this.credit += bytes
    this.wasGranted = true
    if (bytes === 0 || this.credit > maxCreditBytes) this.owner.violation(`credit of stream ${this.id} out of range`)
    else if (this.canSend) this.lane.queueStream(this)
  }

  /** A RESET frame. */
  resetByPeer(code: StreamResetCode): void {
    this.close({ kind: 'reset', by: 'peer', code })
  }

  /** A lane is gone, and the stream with it if it runs over that lane in either direction. */
  laneLost(lane: Lane): void {
    const concerned = this.lane === lane || this.sourceLane === lane || this.heldFrames?.some((held) => held.lane === lane) === true
    if (concerned) this.lose()
  }

  /** The peer has to learn it, because its half of the stream may run over a lane that still works. */
  private lose(): void {
    this.owner.lanes[0]?.send8(RESET, this.id, streamResetCodes.failed)
    this.close({ kind: 'lost' })
  }

  close(reason: StreamCloseReason): void {
    if (this.closed !== undefined) return
    this.closed = reason
    this.queue = undefined
    if (this.heldFrames !== undefined) {
      this.owner.held(-this.heldFrames.length)
      this.heldFrames = undefined
    }
    if (this.lane.index > 0) this.lane.bulkStreams--
    if (!this.isAnnounced) this.owner.unannounced(-1)
    this.owner.released(this, this.incoming === 'ended' ? 0 : this.allowance)
    this.callClose(reason)
  }

  // ── the lane has room ───────────────────────────────────────────────────────────────────────────

  /** Whether a turn would send something, or tell the writer that there is room. */
  get canSend(): boolean {
    if (this.closed !== undefined) return false
    const { queue } = this
    if (queue === undefined) return this.outgoing === 'ending' || (this.wantsDrain && this.credit > 0)
    const { frame } = queue
    if (frame === undefined) return this.credit > 0
    return frame.type === OPEN || frame.body.length + messageOverheadBytes <= this.credit
  }

  /** Sends at most one frame. */
  takeTurn(): void {
    const { queue } = this
    if (queue !== undefined) {
      const { frame } = queue
      if (frame === undefined) this.sendQueuedData(queue)
      else this.sendQueuedFrame(queue, frame)
      if (!queue.isEmpty || this.closed !== undefined) return
      this.queue = undefined
    }
    if (this.outgoing === 'ending') this.sendEnd()
    else if (this.wantsDrain && this.credit > 0) {
      this.wantsDrain = false
      try {
        this.handlers?.onDrain()
      } catch (error) {
        this.owner.handlerFailed(this, error)
      }
    }
  }

  private assertOpen(): void {
    if (this.outgoing !== 'open') throw new Error('write after end')
  }

  private enqueue(item: Buffer | QueuedFrame): boolean {
    if (this.queue === undefined) this.queue = new OutgoingQueue(item)
    else this.queue.push(item)
    if (this.canSend) this.lane.queueStream(this)
    // The lane may have sent everything at once, or the stream may even be over.
    if (this.queue === undefined) return true
    this.wantsDrain = true
    return false
  }

  private sendQueuedFrame(queue: OutgoingQueue, frame: QueuedFrame): void {
    if (frame.type === MESSAGE) this.credit -= frame.body.length + messageOverheadBytes
    this.lane.send(frame.type, this.id, frame.body)
    queue.shift()
    if (frame.type !== OPEN) return
    this.isAnnounced = true
    this.owner.unannounced(-1)
  }

  /** One frame of as many queued chunks as fit. */
  private sendQueuedData(queue: OutgoingQueue): void {
    const length = queue.dataLength(Math.min(this.credit, maxDataBytes))
    this.lane.writer.header(DATA, this.id, length)
    queue.writeData(length, this.lane.writer)
    this.sent(length)
  }

  private sent(bytes: number): void {
    this.credit -= bytes
    this.bytesSent += bytes
    this.lane.wrote()
    // A stream moves at most once, and only after the peer has granted it credit: then its OPEN has surely arrived there.
    if (this.lane.index > 0 || !this.wasGranted || this.bytesSent <= this.owner.limits.bulkAfterBytes) return
    const lane = this.owner.bulkLane()
    if (lane === undefined) return
    this.lane.send8(MOVE, this.id, lane.index)
    this.lane = lane
    lane.bulkStreams++
  }

  private sendEnd(): void {
    this.outgoing = 'ended'
    this.lane.send(END, this.id)
    if (this.incoming === 'ended') this.close({ kind: 'finished' })
  }

  // ── delivery ────────────────────────────────────────────────────────────────────────────────────

  private take(type: number, body: Buffer): void {
    if (this.incoming === 'ended') {
      this.owner.violation(`${frameNames[type]} after the end of stream ${this.id}`)
      return
    }
    try {
      if (type === DATA) this.takeData(body)
      else if (type === MESSAGE) {
        this.handlers?.onMessage?.(body)
        this.grantIfDue()
      } else if (type === END) {
        this.incoming = 'ended'
        this.handlers?.onEnd()
        if (this.outgoing === 'ended') this.close({ kind: 'finished' })
      } else this.takeMove(body[0] ?? 0)
    } catch (error) {
      this.owner.handlerFailed(this, error)
    }
  }

  private takeData(chunk: Buffer): void {
    this.bytesReceived += chunk.length
    const more = this.handlers?.onData(chunk) === true
    if (!more && this.incoming === 'flowing') {
      this.incoming = 'paused'
      this.pausedAt = this.owner.now()
    } else this.grantIfDue()
  }

  private takeMove(index: number): void {
    const lane = this.owner.lanes[index]
    if (lane === undefined || index === 0 || this.sourceMoved) {
      this.owner.violation(`stream ${this.id} moved to lane ${index}`)
      return
    }
    this.sourceMoved = true
    this.sourceLane = lane
    if (!lane.isAlive) this.lose()
    else this.replay()
  }

  /** Delivers what was held and is due now. */
  private replay(): void {
    for (;;) {
      const frames = this.heldFrames
      if (frames === undefined || this.closed !== undefined || this.incoming === 'unaccepted') return
      const lane = this.sourceLane
      const later = frames.filter((frame) => frame.lane !== lane)
      if (later.length === frames.length) return
      this.heldFrames = later.length > 0 ? later : undefined
      this.owner.held(later.length - frames.length)
      for (const frame of frames) {
        if (frame.lane !== lane) continue
        if (this.closed !== undefined) return
        this.receive(frame.lane, frame.type, frame.body)
      }
    }
  }

  private grantIfDue(): void {
    if (this.incoming !== 'flowing' || !isGrantDue(this.window, this.allowance) || this.closed !== undefined) return
    this.adaptWindow()
    if (!isGrantDue(this.window, this.allowance)) return
    const bytes = this.window - this.allowance
    this.allowance = this.window
    this.owner.lanes[0]?.send32(WINDOW, this.id, bytes)
  }

  /** Watches how much the reader takes per round trip and lets the window follow. */
  private adaptWindow(): void {
    const { roundTripMs } = this.owner
    const neededMs = watchMs(roundTripMs)
    if (roundTripMs === undefined || neededMs === undefined) return
    const now = this.owner.now()
    const elapsedMs = now - this.watchedSince
    if (elapsedMs < neededMs) return
    if (this.watchedSince === 0) this.window = firstWindow(roundTripMs)
    else {
      this.window = grownWindow({
        windowBytes: this.window,
        maxWindowBytes: this.owner.limits.maxWindowBytes,
        elapsedMs,
        roundTripMs,
        takenBytes: this.bytesReceived - this.watchedFrom,
        receivedBytes: this.bytesReceived,
      })
    }
    this.watchedSince = now
    this.watchedFrom = this.bytesReceived
  }

  private callClose(reason: StreamCloseReason): void {
    try {
      this.handlers?.onClose(reason)
    } catch (error) {
      this.owner.handlerFailed(this, error)
    }
  }
}
