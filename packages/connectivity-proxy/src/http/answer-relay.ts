import {
  type BodyScannerOptions,
  createDechunker,
  type Dechunker,
  formatResponseHead,
  type HeadLimits,
  parseResponseHead,
  type ResponseHead,
} from '@sallyport/http-head'
import { BodyCursor } from './body-cursor.ts'
import { HeadReader } from './head-reader.ts'

/** `more`: the answer goes on. `upgraded`: from here on both directions are opaque. `broken`: it is not HTTP, or not an answer to this request. */
export type AnswerState = 'more' | 'complete' | 'upgraded' | 'broken'

/**
 * Passes answers from the tunnel to the application: heads are read to know where bodies end, but what is written are the bytes as they came. Serves one
 * connection, one answer after the other.
 */
export class AnswerRelay {
  /** Whether a byte of the answer has been written: from then on no other answer can take its place. */
  hasStarted = false
  /** Whether the connection may carry another request after this answer. */
  keepAlive = true
  private readonly write: (chunk: Buffer) => void
  private readonly heads: HeadReader<ResponseHead>
  private readonly body: BodyCursor
  private state: 'head' | 'body' | 'opaque' | 'done' = 'done'
  private method = 'GET'
  /** HTTP/1.0: no interim answers, no chunks. */
  private isOldClient = false
  private mayUpgrade = false
  private untilClose = false
  private dechunker: Dechunker | undefined

  constructor(write: (chunk: Buffer) => void, limits: HeadLimits, scanner: BodyScannerOptions) {
    this.write = write
    this.body = new BodyCursor(scanner)
    this.heads = new HeadReader((bytes, from) => parseResponseHead(bytes, from, this.method, limits))
  }

  /** Awaits the answer to a request. */
  begin(method: string, isOldClient: boolean, mayUpgrade: boolean): void {
    this.method = method
    this.isOldClient = isOldClient
    this.mayUpgrade = mayUpgrade
    this.state = 'head'
    this.hasStarted = false
    this.keepAlive = true
    this.untilClose = false
    this.dechunker = undefined
  }

  feed(piece: Buffer): AnswerState {
    if (this.state === 'opaque') {
      this.write(piece)
      return 'upgraded'
    }
    let chunk = piece
    let unsent = 0
    let at = 0
    while (this.state === 'head') {
      const result = this.heads.read(chunk, at)
      if (result.state === 'refused') return 'broken'
      if (result.state === 'incomplete') {
        this.pass(chunk, unsent, at)
        return 'more'
      }
      const { head } = result
      if (this.heads.source !== chunk) unsent = 0
      chunk = this.heads.source
      at = this.heads.next
      this.heads.release()
      if (head.status === 101) {
        if (!this.mayUpgrade) return 'broken'
        this.state = 'opaque'
        this.pass(chunk, unsent, chunk.length)
        return 'upgraded'
      }
      if (head.status >= 200) {
        if (!this.beginBody(head)) unsent = at
      } else if (this.isOldClient) unsent = at
    }
    const end = this.body.scan(chunk, at)
    if (end < 0) return 'broken'
    if (this.dechunker === undefined) this.pass(chunk, unsent, end)
    else this.dechunker.feed(chunk, at, end, this.write)
    if (!this.body.isDone) return 'more'
    this.state = 'done'
    // Nobody asked for what follows; the next request would get it as its answer.
    if (end < chunk.length) this.keepAlive = false
    return 'complete'
  }

  /** The connector has ended its side. */
  end(): AnswerState {
    if (this.state === 'opaque') return 'upgraded'
    if (this.state !== 'body' || !this.untilClose) return 'broken'
    this.state = 'done'
    return 'complete'
  }

  /** Settles what follows a final head; returns whether the head itself may go out as it is. */
  private beginBody(head: ResponseHead): boolean {
    this.keepAlive = head.keepAlive
    this.untilClose = head.framing.kind === 'until-close'
    this.body.begin(head.framing)
    this.state = 'body'
    if (!this.isOldClient || head.framing.kind !== 'chunked') return true
    this.dechunker = createDechunker()
    const lines = head.lines.filter((_, at) => head.names[at] !== 'transfer-encoding' && head.names[at] !== 'connection')
    this.hasStarted = true
    this.write(formatResponseHead(1, head.status, head.reason, [...lines, 'Connection: close']))
    return false
  }

  private pass(chunk: Buffer, from: number, to: number): void {
    if (to === from) return
    this.hasStarted = true
    this.write(to - from === chunk.length ? chunk : chunk.subarray(from, to))
  }
}
