import type { MESSAGE, OPEN } from './frame.ts'
import type { FrameWriter } from './frame-writer.ts'

/** An opening or a message that waits; data waits as plain buffers. */
export interface QueuedFrame {
  readonly type: typeof OPEN | typeof MESSAGE
  readonly body: Buffer
}

/** Stands for what has been sent, so that the queue does not hold it. */
const spent = Buffer.alloc(0)
/** Sent items at the front before the queue is shortened: one that never runs dry must not grow either. */
const shortenAfter = 64

/** What a stream has to send and cannot yet, in order. Exists only while there is something; it never holds nothing. */
export class OutgoingQueue {
  private readonly items: (Buffer | QueuedFrame)[]
  private head = 0
  /** Bytes of the first chunk that have been sent. */
  private offset = 0

  constructor(first: Buffer | QueuedFrame) {
    this.items = [first]
  }

  get isEmpty(): boolean {
    return this.head === this.items.length
  }

  /** The opening or message in front, if it is not data. */
  get frame(): QueuedFrame | undefined {
    const first = this.items[this.head]
    return first === undefined || Buffer.isBuffer(first) ? undefined : first
  }

  push(item: Buffer | QueuedFrame): void {
    this.items.push(item)
  }

  shift(): void {
    this.items[this.head] = spent
    this.head++
    this.offset = 0
    if (this.head < shortenAfter || this.isEmpty) return
    this.items.splice(0, this.head)
    this.head = 0
  }

  /** Bytes of data in front, over as many chunks as there are, at most `limit`. */
  dataLength(limit: number): number {
    let length = -this.offset
    for (let at = this.head; at < this.items.length && length < limit; at++) {
      const chunk = this.items[at]
      if (!Buffer.isBuffer(chunk)) break
      length += chunk.length
    }
    return Math.min(length, limit)
  }

  /** Writes so many of them, as {@link dataLength} allowed. */
  writeData(length: number, writer: FrameWriter): void {
    for (let left = length; left > 0;) {
      const chunk = this.items[this.head]
      if (!Buffer.isBuffer(chunk)) return
      const taken = Math.min(left, chunk.length - this.offset)
      writer.body(taken === chunk.length ? chunk : chunk.subarray(this.offset, this.offset + taken))
      this.offset += taken
      left -= taken
      if (this.offset === chunk.length) this.shift()
    }
  }
}
