import type { Socket } from 'node:net'
import type { Clock } from '@sallyport/core'
import { atEndOfTurn, currentTurn, type TurnMember } from './turn.ts'

/** Who writes to the application. */
export interface WriterOwner {
  /** Everything written so far has gone out. */
  onWritable(): void
  /** The application has not taken a byte for the whole time-out. */
  onStalled(): void
}

/**
 * Writes to an application and notices when it no longer reads.
 *
 * What does not fit into the socket's own buffer waits in a queue and goes out piece by piece, so that each piece that leaves is progress that can be seen: an
 * application on a slow line is not taken for one that has stopped. What can wait here is bounded by the window of the tunnel stream.
 *
 * The first write of a turn of the event loop leaves at once, because it is often the only one; all others leave in one system call at its end.
 */
export class ClientWriter implements TurnMember {
  private readonly socket: Socket
  private readonly clock: Clock
  private readonly timeoutMs: number
  private readonly owner: WriterOwner
  private queue: Buffer[] | undefined
  private isEnding = false
  private isCorked = false
  private lastTurn = -1
  private stopWatching: (() => void) | undefined

  constructor(socket: Socket, clock: Clock, timeoutMs: number, owner: WriterOwner) {
    this.socket = socket
    this.clock = clock
    this.timeoutMs = timeoutMs
    this.owner = owner
    socket.on('drain', () => this.drain())
  }

  /** Whether the application keeps up. */
  get isReady(): boolean {
    return !this.socket.writableNeedDrain && this.queue === undefined
  }

  /** The chunk is accepted in any case; `false` asks to stop until `onWritable`. */
  write(chunk: Buffer): boolean {
    if (this.socket.destroyed) return false
    if (this.socket.writableNeedDrain) {
      if (this.queue === undefined) this.queue = [chunk]
      else this.queue.push(chunk)
      return false
    }
    const turn = currentTurn()
    if (turn !== this.lastTurn) this.lastTurn = turn
    else if (!this.isCorked) {
      this.isCorked = true
      this.socket.cork()
      atEndOfTurn(this)
    }
    if (this.socket.write(chunk)) return true
    this.watch()
    return false
  }

  endTurn(): void {
    this.isCorked = false
    this.socket.uncork()
  }

  /** Ends our side behind everything written. */
  end(): void {
    if (this.isEnding) return
    this.isEnding = true
    // Less than a full buffer may wait for a reader as well.
    this.watch()
    this.socket.once('finish', () => this.dispose())
    if (!this.socket.writableNeedDrain) this.socket.end()
  }

  /** Stops watching. */
  dispose(): void {
    this.stopWatching?.()
    this.stopWatching = undefined
    this.queue = undefined
  }

  private watch(): void {
    this.stopWatching?.()
    this.stopWatching = this.clock.after(this.timeoutMs, () => this.owner.onStalled())
  }

  private drain(): void {
    const queue = this.queue
    if (queue !== undefined) {
      for (let at = 0; at < queue.length; at += 1) {
        if (this.socket.write(queue[at] as Buffer)) continue
        queue.splice(0, at + 1)
        if (queue.length === 0) this.queue = undefined
        this.watch()
        return
      }
      this.queue = undefined
    }
    this.stopWatching?.()
    this.stopWatching = undefined
    if (this.isEnding) {
      this.watch()
      this.socket.end()
    } else this.owner.onWritable()
  }
}
