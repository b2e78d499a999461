import { formatResponseHead, type HeadLimits, parseResponseHead, type ResponseHead } from '@sallyport/http-head'
import { createBodyCursor } from './body-cursor.ts'
import { createDechunker, type Dechunker } from './dechunker.ts'
import { createHeadReader } from './head-reader.ts'

/** `more`: the answer goes on. `upgraded`: from here on both directions are opaque. `broken`: it is not HTTP, or not an answer to this request. */
export type AnswerState = 'more' | 'complete' | 'upgraded' | 'broken'

/** What matters about the request when its answer is read. */
export interface AnsweredRequest {
  readonly method: string
  /** HTTP/1.0: no interim answers, no chunks. */
  readonly oldClient: boolean
  readonly mayUpgrade: boolean
}

/**
 * Passes answers from the tunnel to the application: heads are read to know where bodies end, but what is written are the bytes as they came. Serves one
 * connection, one answer after the other.
 */
export interface AnswerRelay {
  begin(request: AnsweredRequest): void
  feed(chunk: Buffer): AnswerState
  /** The connector has ended its side. */
  end(): AnswerState
  /** Whether a byte of the answer has been written: from then on no other answer can take its place. */
  readonly started: boolean
  /** Whether the connection may carry another request after this answer. */
  readonly keepAlive: boolean
  /** Of the final answer; 0 before. */
  readonly status: number
}

export function createAnswerRelay(options: { readonly write: (chunk: Buffer) => void; readonly limits: HeadLimits }): AnswerRelay {
  const { write } = options
  const body = createBodyCursor({ limits: options.limits })
  let request: AnsweredRequest = { method: 'GET', oldClient: false, mayUpgrade: false }
  let state: 'head' | 'body' | 'opaque' | 'done' = 'done'
  let untilClose = false
  let dechunker: Dechunker | undefined
  let started = false
  let keepAlive = true
  let status = 0
  const heads = createHeadReader((bytes, from) => parseResponseHead(bytes, from, request.method, options.limits))

  function pass(chunk: Buffer, from: number, to: number): void {
    if (to === from) return
    started = true
    write(to - from === chunk.length ? chunk : chunk.subarray(from, to))
  }

  /** Settles what follows a final head; returns whether the head itself may go out as it is. */
  function beginBody(head: ResponseHead): boolean {
    status = head.status
    keepAlive = head.keepAlive
    untilClose = head.framing.kind === 'until-close'
    body.begin(head.framing)
    state = 'body'
    if (!request.oldClient || head.framing.kind !== 'chunked') return true
    dechunker = createDechunker()
    const lines = head.lines.filter((_, at) => head.names[at] !== 'transfer-encoding' && head.names[at] !== 'connection')
    started = true
    write(formatResponseHead(1, head.status, head.reason, [...lines, 'Connection: close']))
    return false
  }

  return {
    get started() {
      return started
    },
    get keepAlive() {
      return keepAlive
    },
    get status() {
      return status
    },
    begin(next) {
      request = next
      state = 'head'
      started = false
      keepAlive = true
      untilClose = false
      status = 0
      dechunker = undefined
    },
    feed(piece) {
      if (state === 'opaque') {
        write(piece)
        return 'upgraded'
      }
      let chunk = piece
      let unsent = 0
      let at = 0
      while (state === 'head') {
        const result = heads.read(chunk, at)
        if (result.state === 'refused') return 'broken'
        if (result.state === 'incomplete') {
          pass(chunk, unsent, at)
          return 'more'
        }
        const { head } = result
        if (heads.source !== chunk) unsent = 0
        chunk = heads.source
        at = heads.next
        if (head.status === 101) {
          if (!request.mayUpgrade) return 'broken'
          state = 'opaque'
          status = 101
          pass(chunk, unsent, chunk.length)
          return 'upgraded'
        }
        if (head.status >= 200) {
          if (!beginBody(head)) unsent = at
        } else if (request.oldClient) unsent = at
      }
      const end = body.scan(chunk, at)
      if (end < 0) return 'broken'
      if (dechunker === undefined) pass(chunk, unsent, end)
      else dechunker.feed(chunk, at, end, write)
      if (!body.done) return 'more'
      state = 'done'
      // Nobody asked for what follows; the next request would get it as its answer.
      if (end < chunk.length) keepAlive = false
      return 'complete'
    },
    end() {
      if (state === 'opaque') return 'upgraded'
      if (state !== 'body' || !untilClose) return 'broken'
      state = 'done'
      return 'complete'
    },
  }
}
