import {
  type BodyFraming,
  type BodyScanner,
  type BodyScannerOptions,
  createBodyScanner,
  type HeadRefusal,
  type HeadResult,
  parseRequestHead,
  type RequestHead,
} from '@sallyport/http-head'
import type { PrincipalMessage } from '@sallyport/tunnel'
import { requestHeadLimits } from '../limits.ts'
import { HeadCollector } from './head-collector.ts'
import { isReservedHeader } from './request-transformation.ts'
import { WaitingPieces } from './waiting-pieces.ts'

/**
 * What happens to the next bytes. `hold`: they wait. `head`: a request head is due. `body`: they belong to the request. `discard`: they belong to
 * a request that was refused; a head is due behind them. `opaque`: they are no HTTP. `drop`: nobody wants them.
 */
type InputMode = 'hold' | 'head' | 'body' | 'discard' | 'opaque' | 'drop'

/** What comes out of the input. Handlers may change the mode; it holds for the next byte. */
export interface InputHandlers {
  /** The mode is `hold` from here on. */
  onHead(head: RequestHead, raw: Buffer): void
  onHeadRefused(refusal: HeadRefusal): void
  /** Between two requests. */
  onPrincipal(message: PrincipalMessage): void
  onBody(chunk: Buffer): void
  /** The mode is `hold` from here on. */
  onBodyEnd(): void
  /** What was to be body or its rest cannot be. */
  onBodyMalformed(): void
  onOpaque(chunk: Buffer): void
  /** The peer has ended its side and everything before has been handed out. May be called again after changes of the mode. */
  onEnd(): void
  /** A principal came in the middle of a request. */
  onViolation(): void
}

/**
 * Takes requests apart as they come from the cloud side, in order, no faster than they are worked off. Begins in mode `head`; `resume` lets the stream send again
 * after a `push` that returned `false`.
 */
export class RequestInput {
  mode: InputMode = 'head'
  private readonly handlers: InputHandlers
  private readonly resume: () => void
  private readonly waiting = new WaitingPieces<PrincipalMessage>()
  private readonly heads = new HeadCollector<RequestHead>(requestHeadLimits, parseHead)
  private body: BodyScanner | undefined = undefined
  private peerHasEnded = false
  private isFull = false
  private isHeld = false
  private isPumping = false

  constructor(handlers: InputHandlers, resume: () => void) {
    this.handlers = handlers
    this.resume = resume
  }

  /** Whether the peer has ended its side and nothing waits. */
  get ended(): boolean {
    return this.peerHasEnded && this.waiting.isEmpty
  }

  /** Whether the input is between two requests and has nothing of the next one. */
  get atRest(): boolean {
    return this.mode === 'head' && this.heads.isEmpty && this.waiting.isEmpty
  }

  /** Whether part of a request has come and the rest is due. */
  get requestDue(): boolean {
    const { mode } = this
    return mode === 'discard' || (mode === 'body' && !this.isFull) || (mode === 'head' && !this.heads.isEmpty)
  }

  /** `false`: enough for now, `resume` will be called. */
  push(piece: Buffer | PrincipalMessage): boolean {
    if (this.waiting.isEmpty && !this.isPumping && this.accepts) this.accept(piece)
    else this.waiting.push(piece)
    this.proceed()
    if (this.waiting.isEmpty && !this.isFull) return true
    this.isHeld = true
    return false
  }

  end(): void {
    this.peerHasEnded = true
    this.proceed()
  }

  /** How the body of the request whose head has just come is framed. */
  expectBody(framing: BodyFraming): void {
    this.body = createBodyScanner(framing, bodyOptions)
  }

  /** Changes the mode and works off what waits. */
  become(mode: InputMode): void {
    this.mode = mode
    this.proceed()
  }

  /** Body and opaque bytes have nowhere to go (`true`), or have again. Works nothing off by itself. */
  setFull(full: boolean): void {
    this.isFull = full
  }

  /** Works off what waits. */
  proceed(): void {
    if (this.isPumping) return
    this.isPumping = true
    while (!this.waiting.isEmpty && this.accepts) this.accept(this.waiting.shift() as Buffer | PrincipalMessage)
    this.isPumping = false
    if (!this.waiting.isEmpty) return
    if (this.peerHasEnded) this.handlers.onEnd()
    else if (this.isHeld && !this.isFull) {
      this.isHeld = false
      this.resume()
    }
  }

  clear(): void {
    this.mode = 'drop'
    this.waiting.clear()
  }

  private get accepts(): boolean {
    return this.mode !== 'hold' && !(this.isFull && (this.mode === 'body' || this.mode === 'opaque'))
  }

  private accept(piece: Buffer | PrincipalMessage): void {
    if (!Buffer.isBuffer(piece)) {
      if (this.mode === 'drop') return
      // Within a request it would not be clear which one it is for.
      if (this.mode !== 'head' || !this.heads.isEmpty) return this.handlers.onViolation()
      return this.handlers.onPrincipal(piece)
    }
    if (this.mode === 'head') this.readHead(piece)
    else if (this.mode === 'body' || this.mode === 'discard') this.readBody(piece)
    else if (this.mode === 'opaque') this.handlers.onOpaque(piece)
  }

  private readHead(chunk: Buffer): void {
    const { heads } = this
    const result = heads.feed(chunk)
    if (result.state === 'incomplete') return
    if (result.state === 'refused') return this.handlers.onHeadRefused(result.refusal)
    const { source, next } = heads
    heads.release()
    const isWhole = next === source.length
    if (!isWhole) this.waiting.unshift(source.subarray(next))
    this.mode = 'hold'
    this.handlers.onHead(result.head, isWhole ? source : source.subarray(0, next))
  }

  private readBody(chunk: Buffer): void {
    const scanner = this.body as BodyScanner
    const discards = this.mode === 'discard'
    const end = scanner.scan(chunk, 0)
    if (end < 0) return this.handlers.onBodyMalformed()
    if (!discards && end > 0) this.handlers.onBody(end === chunk.length ? chunk : chunk.subarray(0, end))
    if (!scanner.done) return
    if (end < chunk.length) this.waiting.unshift(chunk.subarray(end))
    // The handler may have given the request up meanwhile.
    if (discards) this.mode = 'head'
    else if (this.mode === 'body') {
      this.mode = 'hold'
      this.handlers.onBodyEnd()
    }
  }
}

const bodyOptions: BodyScannerOptions = { limits: requestHeadLimits, refusesTrailer: isReservedHeader }

function parseHead(bytes: Buffer): HeadResult<RequestHead> {
  return parseRequestHead(bytes, 0, requestHeadLimits)
}
