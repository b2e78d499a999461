import { type BodyScanner, type BodyScannerOptions, createBodyScanner, parseResponseHead, type ResponseHead } from '@sallyport/http-head'
import { maxInterimAnswers, responseHeadLimits } from '../limits.ts'
import { HeadCollector } from './head-collector.ts'

/** What the owner of a backend connection hears about an answer, in this order. */
export interface AnswerHandlers {
  /** 1xx other than 101. */
  onInterim(raw: Buffer): void
  /** 101 to a request that asked for it: what follows, `rest` first, is opaque. */
  onUpgraded(raw: Buffer, rest: Buffer | undefined): void
  /** The final head. Returns the head to pass on in place of the received one, or `undefined` for that one. */
  onFinal(head: ResponseHead): Buffer | undefined
  /** Bytes to pass on: the head and the body. */
  onBytes(chunk: Buffer): void
  onComplete(): void
  /** Not an answer to this request, or no HTTP: the connection is unusable. */
  onBroken(reason: string): void
}

/**
 * Reads the answers that come over one backend connection, one request at a time: splits what a backend sends into heads and bodies and refuses whatever does
 * not belong to the request that is open.
 */
export class AnswerReader {
  /** Whether a byte of the answer that is due has arrived. */
  begun = false
  private readonly handlers: AnswerHandlers
  private readonly heads: HeadCollector<ResponseHead>
  private state: 'idle' | 'head' | 'body' | 'broken' = 'idle'
  private method = 'GET'
  private upgradeAsked = false
  private interim = 0
  private untilClose = false
  private body: BodyScanner | undefined = undefined

  constructor(handlers: AnswerHandlers) {
    this.handlers = handlers
    this.heads = new HeadCollector(responseHeadLimits, (bytes) => parseResponseHead(bytes, 0, this.method, responseHeadLimits))
  }

  /** Whether no answer is due. */
  get isIdle(): boolean {
    return this.state === 'idle'
  }

  /** From here on an answer is due. */
  expect(method: string, upgradeAsked: boolean): void {
    this.state = 'head'
    this.method = method
    this.upgradeAsked = upgradeAsked
    this.begun = false
    this.interim = 0
  }

  feed(chunk: Buffer): void {
    if (this.state === 'head') this.readHead(chunk)
    else if (this.state === 'body') this.readBody(chunk, 0, undefined)
    else if (this.state === 'idle') this.fail('it was sent without a request')
  }

  /** The backend has ended its side in an orderly way: completes a body that ends so, breaks any other answer. */
  end(): void {
    if (this.state === 'body' && this.untilClose) this.complete()
    else if (this.state === 'body') this.fail('the connection was closed in the middle of it')
    else if (this.state === 'head') this.fail('the connection was closed before it')
  }

  private readHead(chunk: Buffer): void {
    const { handlers, heads } = this
    this.begun = true
    const result = heads.feed(chunk)
    if (result.state === 'incomplete') return
    if (result.state === 'refused') return this.fail(result.refusal.reason)
    const { head } = result
    const { source, next } = heads
    heads.release()
    if (head.status === 101) {
      if (!this.upgradeAsked) return this.fail('it changes the protocol, which was not asked for')
      this.state = 'idle'
      return handlers.onUpgraded(source.subarray(0, next), next < source.length ? source.subarray(next) : undefined)
    }
    if (head.status < 200) {
      if (++this.interim > maxInterimAnswers) return this.fail('it has too many interim answers')
      handlers.onInterim(source.subarray(0, next))
      if (next < source.length) this.feed(source.subarray(next))
      return
    }
    this.state = 'body'
    this.untilClose = head.framing.kind === 'until-close'
    this.body = createBodyScanner(head.framing, bodyOptions)
    this.readBody(source, next, handlers.onFinal(head))
  }

  /** `from` is where the body begins behind its head in the same chunk; `head` replaces that head. */
  private readBody(chunk: Buffer, from: number, head: Buffer | undefined): void {
    const scanner = this.body as BodyScanner
    const end = scanner.scan(chunk, from)
    if (end < 0) return this.fail('its body is malformed')
    if (head !== undefined) this.handlers.onBytes(end === from ? head : Buffer.concat([head, chunk.subarray(from, end)]))
    else if (end > 0) this.handlers.onBytes(end === chunk.length ? chunk : chunk.subarray(0, end))
    if (!scanner.done) return
    // What is left belongs to no request; the next one would take it for its answer.
    if (end < chunk.length) return this.fail('there are bytes behind it that nobody asked for')
    this.complete()
  }

  private complete(): void {
    this.state = 'idle'
    this.body = undefined
    this.handlers.onComplete()
  }

  private fail(reason: string): void {
    this.state = 'broken'
    this.handlers.onBroken(reason)
  }
}

const bodyOptions: BodyScannerOptions = { limits: responseHeadLimits }
