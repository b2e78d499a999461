import { type BodyScanner, createBodyScanner, parseResponseHead, type ResponseHead } from '@sallyport/http-head'
import { maxInterimAnswers, responseHeadLimits } from '../limits.ts'
import { createHeadCollector } from './head-collector.ts'

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

/** Reads the answers that come over one backend connection, one request at a time. */
export interface AnswerReader {
  /** From here on an answer is due. */
  expect(method: string, upgradeAsked: boolean): void
  feed(chunk: Buffer): void
  /** The backend has ended its side in an orderly way: completes a body that ends so, breaks any other answer. */
  end(): void
  /** Whether no answer is due. */
  readonly idle: boolean
  /** Whether a byte of the answer that is due has arrived. */
  readonly begun: boolean
}

/** Splits what a backend sends into heads and bodies and refuses whatever does not belong to the request that is open. */
export function createAnswerReader(handlers: AnswerHandlers): AnswerReader {
  let state: 'idle' | 'head' | 'body' | 'broken' = 'idle'
  let method = 'GET'
  let upgradeAsked = false
  let begun = false
  let interim = 0
  let untilClose = false
  let body: BodyScanner | undefined
  const heads = createHeadCollector(responseHeadLimits, (bytes) => parseResponseHead(bytes, 0, method, responseHeadLimits))

  const fail = (reason: string): void => {
    state = 'broken'
    handlers.onBroken(reason)
  }

  const complete = (): void => {
    state = 'idle'
    body = undefined
    handlers.onComplete()
  }

  /** `head` is what goes before the body bytes in the same write. */
  const readBody = (chunk: Buffer, from: number, head: Buffer | undefined): void => {
    const scanner = body as BodyScanner
    const end = scanner.scan(chunk, from)
    if (end < 0) return fail('its body is malformed')
    if (head !== undefined) {
      handlers.onBytes(end === from ? head : Buffer.concat([head, chunk.subarray(from, end)]))
    } else if (end > 0) handlers.onBytes(end === chunk.length ? chunk : chunk.subarray(0, end))
    if (!scanner.done) return
    // What is left belongs to no request; the next one would take it for its answer.
    if (end < chunk.length) return fail('there are bytes behind it that nobody asked for')
    complete()
  }

  const readHead = (chunk: Buffer): void => {
    begun = true
    const result = heads.feed(chunk)
    if (result.state === 'incomplete') return
    if (result.state === 'refused') return fail(result.refusal.reason)
    const { head, raw, rest } = result
    if (head.status === 101) {
      if (!upgradeAsked) return fail('it changes the protocol, which was not asked for')
      state = 'idle'
      return handlers.onUpgraded(raw, rest)
    }
    if (head.status < 200) {
      if (++interim > maxInterimAnswers) return fail('it has too many interim answers')
      handlers.onInterim(raw)
      if (rest !== undefined) feed(rest)
      return
    }
    state = 'body'
    untilClose = head.framing.kind === 'until-close'
    body = createBodyScanner(head.framing, { limits: responseHeadLimits })
    const replacement = handlers.onFinal(head)
    if (replacement !== undefined) return readBody(rest ?? emptyBuffer, 0, replacement)
    const whole = rest === undefined ? raw : wholeOf(raw, rest)
    readBody(whole, raw.length, undefined)
  }

  const feed = (chunk: Buffer): void => {
    if (state === 'head') readHead(chunk)
    else if (state === 'body') readBody(chunk, 0, undefined)
    else if (state === 'idle') fail('it was sent without a request')
  }

  return {
    expect(requestMethod, upgrade) {
      state = 'head'
      method = requestMethod
      upgradeAsked = upgrade
      begun = false
      interim = 0
    },
    feed,
    end() {
      if (state === 'body' && untilClose) complete()
      else if (state === 'body') fail('the connection was closed in the middle of it')
      else if (state === 'head') fail('the connection was closed before it')
    },
    get idle() {
      return state === 'idle'
    },
    get begun() {
      return begun
    },
  }
}

const emptyBuffer = Buffer.alloc(0)

/** The two parts of one chunk as one again; they lie side by side in memory. */
function wholeOf(raw: Buffer, rest: Buffer): Buffer {
  return Buffer.from(raw.buffer as ArrayBuffer, raw.byteOffset, raw.length + rest.length)
}
