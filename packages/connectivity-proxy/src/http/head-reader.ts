import type { HeadResult } from '@sallyport/http-head'
import { createByteCollector } from '../byte-collector.ts'
import { firstPieceBytes } from '../limits.ts'

/** Reads heads out of a byte stream; a head that lies in one piece is read where it is, without a copy. */
export interface HeadReader<Head> {
  /** Reads on with everything behind `from`. When complete, the bytes behind the head begin at {@link next} of {@link source}. */
  read(chunk: Buffer, from: number): HeadResult<Head>
  readonly source: Buffer
  readonly next: number
  /** Memory held for an unfinished head. */
  readonly heldBytes: number
  clear(): void
}

const incomplete = { state: 'incomplete' } as const
const nothing: Buffer = Buffer.alloc(0)

/**
 * The parser begins at the start of the head each time, so a head that arrives byte by byte would cost quadratic time. It is only asked again when a line has
 * ended or a good number of bytes have come: the number of lines is bounded, and so is the work.
 */
export function createHeadReader<Head extends { readonly bytes: number }>(
  parse: (bytes: Buffer, from: number) => HeadResult<Head>,
): HeadReader<Head> {
  const collected = createByteCollector()
  let source = nothing
  let next = 0
  let unseen = 0
  return {
    get source() {
      return source
    },
    get next() {
      return next
    },
    get heldBytes() {
      return collected.capacity
    },
    clear() {
      collected.clear()
      source = nothing
    },
    read(chunk, from) {
      if (collected.length === 0) {
        const result = parse(chunk, from)
        if (result.state === 'complete') {
          source = chunk
          next = from + result.head.bytes
        } else if (result.state === 'incomplete') {
          collected.add(chunk, from, chunk.length)
          unseen = 0
        }
        return result
      }
      collected.add(chunk, from, chunk.length)
      unseen += chunk.length - from
      if (unseen < firstPieceBytes && chunk.indexOf(0x0a, from) < 0) return incomplete
      unseen = 0
      const result = parse(collected.bytes, 0)
      if (result.state === 'complete') {
        // The collector lets go of its memory, so the bytes now belong to the caller alone.
        source = collected.bytes
        next = result.head.bytes
        collected.clear()
      }
      return result
    },
  }
}
