import { Readable } from 'node:stream'
import { longContentBytes } from '../limits.ts'

/** Content that goes on until it is told to finish, or beyond what any path may hold. */
export interface LongContent {
  readonly stream: Readable
  /** Bytes that somebody has asked for so far. */
  readonly taken: number
  /** A few pieces more, and that is all. */
  finish(): void
}

const pieceBytes = 64 * 1024
const lastPieces = 16
/** Letters in short lines that no protocol has to write in another way. */
const piece = Buffer.from(`${'x'.repeat(62)}\r\n`.repeat(pieceBytes / 64))

/** Makes content whose pieces come into being when they are asked for. */
export function createLongContent(): LongContent {
  let taken = 0
  let left = longContentBytes / pieceBytes
  function* pieces(): Generator<Buffer> {
    for (; left > 0; left--) {
      taken += piece.length
      yield piece
    }
  }
  return {
    stream: Readable.from(pieces(), { objectMode: false, highWaterMark: pieceBytes }),
    get taken() {
      return taken
    },
    finish: () => void (left = Math.min(left, lastPieces)),
  }
}
