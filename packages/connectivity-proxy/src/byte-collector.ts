import { firstPieceBytes } from './limits.ts'

/** Gathers a message that arrives in pieces. Its memory follows what has arrived, never what a length field promises. */
export interface ByteCollector {
  /** What has been gathered; a view, valid until the next call. */
  readonly bytes: Buffer
  readonly length: number
  /** Memory held. */
  readonly capacity: number
  add(chunk: Buffer, from: number, to: number): void
  /** Forgets everything and gives the memory back. */
  clear(): void
}

const nothing: Buffer = Buffer.alloc(0)

/** The buffer doubles, so bytes that arrive one by one cost linear time. */
export function createByteCollector(): ByteCollector {
  let buffer = nothing
  let length = 0
  return {
    get bytes() {
      return buffer.subarray(0, length)
    },
    get length() {
      return length
    },
    get capacity() {
      return buffer.length
    },
    add(chunk, from, to) {
      const wanted = length + to - from
      if (wanted > buffer.length) {
        const grown = Buffer.allocUnsafeSlow(Math.max(firstPieceBytes, buffer.length * 2, wanted))
        buffer.copy(grown, 0, 0, length)
        buffer = grown
      }
      length += chunk.copy(buffer, length, from, to)
    },
    clear() {
      buffer = nothing
      length = 0
    },
  }
}
