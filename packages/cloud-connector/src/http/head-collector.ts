import type { HeadLimits, HeadResult } from '@sallyport/http-head'

const incomplete = { state: 'incomplete' } as const
const nothing: Buffer = Buffer.alloc(0)

/**
 * Gathers chunks until a head is complete. They are borrowed: what has to wait is copied.
 *
 * A head usually arrives in one chunk and is read in place. One that drips in is read again only when a line has ended or a line's limit is
 * passed, so that single bytes cannot make the work grow with the square of the head.
 */
export class HeadCollector<Head extends { readonly bytes: number }> {
  /** What the last complete head begins; the bytes behind it begin at `next`. */
  source: Buffer = nothing
  next = 0
  private readonly limits: HeadLimits
  private readonly parse: (bytes: Buffer) => HeadResult<Head>
  private kept: Buffer[] | undefined = undefined
  private unread = 0

  constructor(limits: HeadLimits, parse: (bytes: Buffer) => HeadResult<Head>) {
    this.limits = limits
    this.parse = parse
  }

  /** Whether no byte of a head has arrived. */
  get isEmpty(): boolean {
    return this.kept === undefined
  }

  feed(chunk: Buffer): HeadResult<Head> {
    if (this.kept === undefined) return this.read(chunk)
    this.kept.push(Buffer.from(chunk))
    this.unread += chunk.length
    if (this.unread <= this.limits.maxLineBytes && !chunk.includes(10)) return incomplete
    return this.read(Buffer.concat(this.kept))
  }

  /** Lets go of the last head's bytes. */
  release(): void {
    this.source = nothing
  }

  private read(bytes: Buffer): HeadResult<Head> {
    const result = this.parse(bytes)
    this.unread = 0
    this.kept = result.state === 'incomplete' ? [Buffer.from(bytes)] : undefined
    if (result.state === 'complete') {
      this.source = bytes
      this.next = result.head.bytes
    }
    return result
  }
}
