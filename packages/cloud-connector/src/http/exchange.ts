import type { RequestHead, ResponseHead } from '@sallyport/http-head'
import type { WirePrincipal } from '@sallyport/tunnel'
import type { VirtualAddress } from '../access-control/access-decision.ts'
import type { HttpResource } from '../access-control/http-resource.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import type { BackendTarget } from '../backend/backend-connection.ts'
import type { ConnectorState } from '../connector-state.ts'
import { maxDiscardedBodyBytes } from '../limits.ts'
import type { LinkContext } from '../link-context.ts'
import { eventTarget } from './access-record.ts'
import { countExchange } from './exchange-record.ts'
import type { Refusal } from './refusals.ts'
import { type AddedHeaders, noUserCertificate } from './request-transformation.ts'

/** One request with its answer. */
export interface Exchange {
  readonly address: VirtualAddress
  readonly head: RequestHead
  /** The head as received. */
  readonly raw: Buffer
  /** Request target up to the query. */
  readonly path: string
  /** Protocols the request asks to change to, `''` when it names none; `undefined` when it does not ask. */
  readonly upgradeAsked: string | undefined
  readonly principal: WirePrincipal | null
  readonly correlationId: string
  readonly startMs: number
  /** The state that decides about this request, whatever is configured meanwhile. */
  readonly state: ConnectorState
  /** Where an allowed request goes. */
  route: { readonly mapping: SystemMapping; readonly target: BackendTarget; readonly resource: HttpResource | undefined } | undefined
  /** The principal's name once it is known. */
  user: string
  added: AddedHeaders
  /** Pieces of the body that have been read before the request was decided; they go first. */
  held: readonly Buffer[]
  /** The whole request has been passed on, or waits in `held`. */
  requestDone: boolean
  /** Head of the final answer, once it has been passed on. */
  answer: ResponseHead | undefined
  answerDone: boolean
  /** Sent over a connection that had served requests before. */
  reused: boolean
  retried: boolean
  bytesToBackend: number
  bytesToClient: number
  readonly timing: ExchangeTiming
  /** What the connector answered instead of the backend. */
  refused: Refusal | undefined
  /** Ends work of other processes for this request; called when the application has gone. */
  abandon: (() => void) | undefined
}

/** Moments and sums of one exchange, for the performance monitor. */
interface ExchangeTiming {
  openMs: number
  validateMs: number
  generateMs: number
  /** The cloud side would not take more of the answer. */
  stalledMs: number
  /** The head was given to the backend; 0: not yet. */
  sentAtMs: number
  /** The body had arrived as a whole; 0: there is none, or not yet. */
  bodyAtMs: number
  /** The connection changed its protocol; 0: it has not. */
  upgradedAtMs: number
}

/** A request whose head has just been read. */
export function createExchange(
  known: Pick<Exchange, 'address' | 'head' | 'raw' | 'principal' | 'correlationId' | 'startMs' | 'state'>,
): Exchange {
  const { head } = known
  const query = head.target.indexOf('?')
  return {
    address: known.address,
    head,
    raw: known.raw,
    path: query < 0 ? head.target : head.target.slice(0, query),
    upgradeAsked: head.connectionOptions.length > 0 && head.connectionOptions.includes('upgrade') ? (head.upgrade ?? '') : undefined,
    principal: known.principal,
    correlationId: known.correlationId,
    startMs: known.startMs,
    state: known.state,
    route: undefined,
    held: [],
    user: '',
    added: noUserCertificate,
    requestDone: head.framing.kind === 'none' || (head.framing.kind === 'length' && head.framing.bytes === 0),
    answer: undefined,
    answerDone: false,
    reused: false,
    retried: false,
    bytesToBackend: 0,
    bytesToClient: 0,
    timing: { openMs: 0, validateMs: 0, generateMs: 0, stalledMs: 0, sentAtMs: 0, bodyAtMs: 0, upgradedAtMs: 0 },
    refused: undefined,
    abandon: undefined,
  }
}

/**
 * Whether a request may be sent once more after its connection broke without an answer: a kept connection may have been closed by the backend while
 * the request was on its way. Only what is safe by RFC 9110 §9.2.1 and has no body.
 */
export function isRepeatable({ head, retried, reused }: Exchange): boolean {
  const safe = head.method === 'GET' || head.method === 'HEAD' || head.method === 'OPTIONS'
  return safe && reused && head.framing.kind === 'none' && !retried
}

/** Whether the connection may go on behind a refusal. `begun`: part of the request has gone to the backend. */
export function goesOnAfter({ head, requestDone }: Exchange, refusal: Refusal, begun: boolean): boolean {
  // What is not HTTP as we accept it may be read differently by whoever sent it: nothing behind it can be believed.
  if (!head.keepAlive || refusal.code === 'MESSAGE_INVALID') return false
  const isSmall = head.framing.kind === 'length' && head.framing.bytes <= maxDiscardedBodyBytes && !head.expectsContinue
  return requestDone || (isSmall && !begun)
}

/** The backend's final answer has begun. */
export function emitAnswered(context: LinkContext, exchange: Exchange, status: number): void {
  if (!context.events.wanted) return
  const target = eventTarget(context, exchange)
  context.events.emit({ type: 'backend-answered', ...target, status, durationMs: target.atMs - exchange.startMs })
}

/** The backend gave no usable answer. Refusals of access and principals have events of their own. */
export function emitFailed(context: LinkContext, exchange: Exchange, failure: Pick<Refusal, 'code' | 'text'>): void {
  if (!context.events.wanted || !(failure.code.startsWith('BACKEND_') || failure.code === 'PROTOCOL_VIOLATION')) return
  const target = eventTarget(context, exchange)
  const { code, text } = failure
  context.events.emit({ type: 'backend-failed', ...target, code, message: text, durationMs: target.atMs - exchange.startMs })
}

/** The request is over, however it ended. Counts it among the mapping's calls when it was let through to one. */
export function concludeExchange(context: LinkContext, exchange: Exchange): void {
  const nowMs = context.clock.now()
  countExchange(context, exchange, nowMs)
  if (!context.events.wanted) return
  const { bytesToBackend, bytesToClient } = exchange
  context.events.emit({
    type: 'request-finished',
    ...eventTarget(context, exchange),
    bytesToBackend,
    bytesToClient,
    durationMs: nowMs - exchange.startMs,
  })
}
