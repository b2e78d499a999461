import { firstPieceBytes } from './limits.ts'

const nothing: Buffer = Buffer.alloc(0)

/**
 * Gathers a message that arrives in pieces. Its memory follows what has arrived, never what a length field promises, and doubles, so bytes that come one by
 * one cost linear time.
 */
export class ByteCollector {
  length = 0
  private buffer: Buffer = nothing

  /** What has been gathered; a view, valid until the next call that changes something. After `clear` it belongs to the caller. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.length)
  }

  /** Memory held. */
  get capacity(): number {
    return this.buffer.length
  }

  add(chunk: Buffer, from: number, to: number): void {
    const wanted = this.length + to - from
    if (wanted > this.buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(firstPieceBytes, this.buffer.length * 2, wanted))
      this.buffer.copy(grown, 0, 0, this.length)
      this.buffer = grown
    }
    this.length += chunk.copy(this.buffer, this.length, from, to)
  }

  /** Forgets everything and lets go of the memory. */
  clear(): void {
    this.buffer = nothing
    this.length = 0
  }
}
