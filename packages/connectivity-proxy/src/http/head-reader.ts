import type { HeadResult } from '@sallyport/http-head'
import { ByteCollector } from '../byte-collector.ts'
import { firstPieceBytes } from '../limits.ts'

const incomplete = { state: 'incomplete' } as const
const nothing: Buffer = Buffer.alloc(0)

/**
 * Reads heads out of a byte stream. A head that lies in one piece is read where it is, without a copy.
 *
 * The parser begins at the start of the head each time, so a head that arrives byte by byte would cost quadratic time. It is only asked again when a line has
 * ended or a good number of bytes have come: the number of lines is bounded, and so is the work.
 */
export class HeadReader<Head extends { readonly bytes: number }> {
  /** Where a complete head was found; the bytes behind it begin at `next`. */
  source: Buffer = nothing
  next = 0
  private readonly parse: (bytes: Buffer, from: number) => HeadResult<Head>
  private readonly collected = new ByteCollector()
  private unseen = 0

  constructor(parse: (bytes: Buffer, from: number) => HeadResult<Head>) {
    this.parse = parse
  }

  /** Memory held for an unfinished head. */
  get heldBytes(): number {
    return this.collected.capacity
  }

  /** Reads on with everything behind `from`. */
  read(chunk: Buffer, from: number): HeadResult<Head> {
    const { collected } = this
    if (collected.length === 0) {
      const result = this.parse(chunk, from)
      if (result.state === 'complete') {
        this.source = chunk
        this.next = from + result.head.bytes
      } else if (result.state === 'incomplete') {
        collected.add(chunk, from, chunk.length)
        this.unseen = 0
      }
      return result
    }
    collected.add(chunk, from, chunk.length)
    this.unseen += chunk.length - from
    if (this.unseen < firstPieceBytes && chunk.indexOf(0x0a, from) < 0) return incomplete
    this.unseen = 0
    const result = this.parse(collected.bytes, 0)
    if (result.state === 'complete') {
      this.source = collected.bytes
      this.next = result.head.bytes
      collected.clear()
    }
    return result
  }

  /** Lets go of the last head's bytes. */
  release(): void {
    this.source = nothing
  }
}
