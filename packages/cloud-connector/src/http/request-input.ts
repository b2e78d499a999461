import {
  type BodyFraming,
  type BodyScanner,
  createBodyScanner,
  type HeadRefusal,
  parseRequestHead,
  type RequestHead,
} from '@sallyport/http-head'
import type { PrincipalMessage } from '@sallyport/tunnel'
import { requestHeadLimits } from '../limits.ts'
import { createHeadCollector } from './head-collector.ts'
import { isReservedHeader } from './request-transformation.ts'
import { createWaitingPieces } from './waiting-pieces.ts'

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

/** Takes requests apart as they come from the cloud side, in order, no faster than they are worked off. */
export interface RequestInput {
  readonly mode: InputMode
  /** Whether the peer has ended its side; something may still wait. */
  readonly ended: boolean
  /** Whether the input is between two requests and has nothing of the next one. */
  readonly atRest: boolean
  /** Whether part of a request has come and the rest is due. */
  readonly requestDue: boolean
  /** `false`: enough for now, `resume` will be called. */
  push(piece: Buffer | PrincipalMessage): boolean
  end(): void
  /** How the body of the request whose head has just come is framed. */
  expectBody(framing: BodyFraming): void
  /** Changes the mode and works off what waits. */
  become(mode: InputMode): void
  /** Body and opaque bytes have nowhere to go (`true`), or have again. Works nothing off by itself. */
  setFull(full: boolean): void
  /** Works off what waits. */
  proceed(): void
  clear(): void
}

/** Begins in mode `head`. `resume` lets the stream send again after a `push` that returned `false`. */
export function createRequestInput(handlers: InputHandlers, resume: () => void): RequestInput {
  const waiting = createWaitingPieces<PrincipalMessage>()
  const heads = createHeadCollector<RequestHead>(requestHeadLimits, (bytes) => parseRequestHead(bytes, 0, requestHeadLimits))
  let mode: InputMode = 'head'
  let body: BodyScanner | undefined
  let ended = false
  let full = false
  let held = false
  let pumping = false

  const accepts = (): boolean => mode !== 'hold' && !(full && (mode === 'body' || mode === 'opaque'))

  const readHead = (chunk: Buffer): void => {
    const result = heads.feed(chunk)
    if (result.state === 'incomplete') return
    if (result.state === 'refused') return handlers.onHeadRefused(result.refusal)
    if (result.rest !== undefined) waiting.unshift(result.rest)
    mode = 'hold'
    handlers.onHead(result.head, result.raw)
  }

  const readBody = (chunk: Buffer): void => {
    const scanner = body as BodyScanner
    const discards = mode === 'discard'
    const end = scanner.scan(chunk, 0)
    if (end < 0) return handlers.onBodyMalformed()
    if (!discards && end > 0) handlers.onBody(end === chunk.length ? chunk : chunk.subarray(0, end))
    if (!scanner.done) return
    if (end < chunk.length) waiting.unshift(chunk.subarray(end))
    // The handler may have given the request up meanwhile.
    if (discards) mode = 'head'
    else if (mode === 'body') {
      mode = 'hold'
      handlers.onBodyEnd()
    }
  }

  const accept = (piece: Buffer | PrincipalMessage): void => {
    if (!Buffer.isBuffer(piece)) {
      if (mode === 'drop') return
      // Within a request it would not be clear which one it is for.
      if (mode !== 'head' || !heads.empty) return handlers.onViolation()
      return handlers.onPrincipal(piece)
    }
    if (mode === 'head') readHead(piece)
    else if (mode === 'body' || mode === 'discard') readBody(piece)
    else if (mode === 'opaque') handlers.onOpaque(piece)
  }

  const pump = (): void => {
    if (pumping) return
    pumping = true
    while (!waiting.empty && accepts()) accept(waiting.shift() as Buffer | PrincipalMessage)
    pumping = false
    if (!waiting.empty) return
    if (ended) handlers.onEnd()
    else if (held && !full) {
      held = false
      resume()
    }
  }

  return {
    get mode() {
      return mode
    },
    get ended() {
      return ended && waiting.empty
    },
    get atRest() {
      return mode === 'head' && heads.empty && waiting.empty
    },
    get requestDue() {
      return mode === 'discard' || (mode === 'body' && !full) || (mode === 'head' && !heads.empty)
    },
    push(piece) {
      if (waiting.empty && !pumping && accepts()) accept(piece)
      else waiting.push(piece)
      pump()
      if (waiting.empty && !full) return true
      held = true
      return false
    },
    end() {
      ended = true
      pump()
    },
    expectBody(framing) {
      body = createBodyScanner(framing, { limits: requestHeadLimits, refusesTrailer: isReservedHeader })
    },
    become(next) {
      mode = next
      pump()
    },
    setFull(now) {
      full = now
    },
    proceed: pump,
    clear() {
      mode = 'drop'
      waiting.clear()
    },
  }
}
