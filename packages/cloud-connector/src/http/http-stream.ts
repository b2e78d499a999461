import { formatResponseHead, type RequestHead } from '@sallyport/http-head'
import type { IncomingTunnelStream, LogFields, StreamResetCode } from '@sallyport/core'
import { type HttpOpening, tryParsePrincipalMessage, type WirePrincipal } from '@sallyport/tunnel'
import type { VirtualAddress } from '../access-control/access-decision.ts'
import { lingerMs, requestStallMs } from '../limits.ts'
import type { LinkContext, ServedStream } from '../link-context.ts'
import { createAdmission } from './admission.ts'
import type { BackendSession, SessionHandlers } from './backend-session.ts'
import { isSameTarget } from './backend-target.ts'
import { concludeExchange, createExchange, emitAnswered, emitFailed, type Exchange, goesOnAfter, isRepeatable } from './exchange.ts'
import { openSession } from './open-session.ts'
import { brokenRefusal, internalRefusal, messageRefusal, mutualRefusal, type Refusal, renderRefusal, timeoutRefusal } from './refusals.ts'
import { RequestInput } from './request-input.ts'
import { carriesCertificate } from './request-transformation.ts'
import { transformResponseLines } from './response-transformation.ts'
import { sendRequest } from './send-request.ts'

/**
 * `idle`: between requests. `deciding`: access, principal, backend connection. `body`: the request's body passes. `answer`: the request is complete,
 * its answer is not. `opaque`: after an upgrade. `lingering`: our side has ended, the other has not yet. `closed`: nothing is left.
 */
type Phase = 'idle' | 'deciding' | 'body' | 'answer' | 'opaque' | 'lingering' | 'closed'

/**
 * Serves one connection of an application: requests one after the other, each decided for itself, all over one backend connection that lives and
 * dies with the stream.
 */
export function serveHttpStream(
  incoming: IncomingTunnelStream,
  opening: HttpOpening,
  context: LinkContext,
  onClosed: (served: ServedStream) => void,
): ServedStream {
  const { clock, log } = context
  const address: VirtualAddress = { host: opening.virtualHost.toLowerCase(), port: opening.virtualPort }
  let phase: Phase = 'idle'
  let principal: WirePrincipal | null = opening.principal ?? null
  let { correlationId } = opening
  let exchange: Exchange | undefined
  let session: BackendSession | undefined
  let cancelConnect: (() => void) | undefined
  let backendEnded = false
  let backendFull = false
  let streamFull = false
  let stalledFromMs = 0
  let activeMs = clock.elapsed()

  const input = new RequestInput(
    {
      onHead: begin,
      onHeadRefused(refusal) {
        stream.write(renderRefusal(messageRefusal(refusal), { correlationId, withBody: true, close: true }))
        endStream()
      },
      onPrincipal(message) {
        principal = message.principal
        correlationId = message.correlationId
      },
      onBody(chunk) {
        if (admission.gate.isReading) return admission.gate.read(chunk)
        ;(exchange as Exchange).bytesToBackend += chunk.length
        toBackend(chunk)
      },
      onBodyEnd() {
        const current = exchange as Exchange
        current.requestDone = true
        current.timing.bodyAtMs = clock.now()
        if (admission.gate.isReading) admission.gate.end()
        else if (current.answerDone) finish(current)
        else phase = 'answer'
      },
      onBodyMalformed() {
        if (exchange === undefined) endStream()
        else refuse(exchange, messageRefusal({ status: 400, reason: 'its body is malformed' }))
      },
      onOpaque: toBackend,
      onEnd: onInputEnd,
      onViolation: () => abort('protocol'),
    },
    () => stream.resume(),
  )
  const stream = incoming.accept({
    onData(chunk) {
      if (phase !== 'lingering') activeMs = clock.elapsed()
      return input.push(chunk)
    },
    onMessage(message) {
      const parsed = tryParsePrincipalMessage(message)
      if (parsed === undefined) abort('protocol')
      else input.push(parsed)
    },
    onEnd: () => input.end(),
    onDrain() {
      activeMs = clock.elapsed()
      endStall()
      session?.resume()
    },
    onClose: () => release(),
  })

  const admission = createAdmission({
    context,
    address,
    input,
    answer: (bytes) => void stream.write(bytes),
    isOpen,
    onAdmitted: connect,
    onRefused: refuse,
    onFailed: fail,
  })

  function onInputEnd(): void {
    if (phase === 'idle') endStream()
    else if (phase === 'body' || admission.gate.isReading) abort('cancelled')
    else if (phase === 'opaque') {
      session?.end()
      if (backendEnded) endOpaque()
    }
  }

  // ---- one request ----

  function begin(head: RequestHead, raw: Buffer): void {
    const current = createExchange({ address, head, raw, principal, correlationId, startMs: clock.now(), state: context.state() })
    exchange = current
    phase = 'deciding'
    if (!current.requestDone) input.expectBody(head.framing)
    admission.decide(current)
  }

  function connect(current: Exchange): void {
    const { target } = current.route as NonNullable<Exchange['route']>
    if (session?.usable === true && isSameTarget(session.target, target) && isFor(session, current)) return dispatch(current, session)
    closeSession()
    phase = 'deciding'
    cancelConnect = openSession(context, current, sessionHandlers, {
      onOpen(opened) {
        session = opened
        dispatch(current, opened)
      },
      onFailed(error) {
        log.info({ ...logFields(), code: error.code, cause: error.details['cause'] }, 'backend not reachable')
        refuse(current, { status: 502, code: error.code, text: error.message })
      },
    })
  }

  function dispatch(current: Exchange, backend: BackendSession): void {
    if (carriesCertificate(current.added) && !backend.mutual) {
      const reason = 'the backend connection is not mutually authenticated'
      return admission.deny(current, mutualRefusal(current.user, address), reason, current.user)
    }
    if (current.added.authorization !== undefined) backend.loggedOn = current.user
    activeMs = clock.elapsed()
    current.timing.sentAtMs = clock.now()
    phase = current.requestDone ? 'answer' : 'body'
    setBackendFull(!sendRequest(current, backend))
    if (!current.requestDone) input.become('body')
  }

  // ---- how a request ends ----

  function finish(current: Exchange): void {
    concludeExchange(context, current)
    exchange = undefined
    const reusable = current.requestDone && current.head.keepAlive && current.answer?.keepAlive === true && session?.usable === true
    if (!reusable || context.draining()) return endStream()
    phase = 'idle'
    input.become('head')
  }

  function refuse(current: Exchange, refusal: Refusal): void {
    current.refused = refusal
    const begun = phase !== 'deciding'
    if (begun) closeSession()
    admission.gate.clear()
    const keep = goesOnAfter(current, refusal, begun) && !context.draining()
    const withBody = current.head.method !== 'HEAD'
    const bytes = renderRefusal(refusal, { correlationId: current.correlationId, withBody, close: !keep })
    emitFailed(context, current, refusal)
    toCloud(bytes)
    concludeExchange(context, current)
    exchange = undefined
    if (!keep) return endStream()
    phase = 'idle'
    input.become(current.requestDone ? 'head' : 'discard')
  }

  function fail(current: Exchange, error: unknown): void {
    log.error({ ...logFields(), error: error instanceof Error ? error.message : 'unknown' }, 'request failed inside the connector')
    if (isOpen(current)) refuse(current, internalRefusal)
  }

  function retryOrFail(current: Exchange, reason: string, begun: boolean): void {
    if (!begun && isRepeatable(current)) {
      current.retried = true
      if (current.added.authorization === undefined) return connect(current)
      // The ticket may have been seen, and is good for once.
      closeSession()
      phase = 'deciding'
      return admission.renew(current)
    }
    const refusal = brokenRefusal(reason, begun, address)
    log.info({ ...logFields(), code: refusal.code, reason }, 'backend answer not usable')
    giveUp(current, refusal)
  }

  /** Refuses, unless the backend's answer has begun already. */
  function giveUp(current: Exchange, refusal: Refusal): void {
    if (current.answer === undefined) return refuse(current, refusal)
    emitFailed(context, current, refusal)
    abort('failed')
  }

  // ---- what the backend sends ----

  function sessionEnded(): void {
    if (phase === 'opaque') {
      backendEnded = true
      stream.end()
      if (input.ended) endOpaque()
      return
    }
    closeSession()
    // An idle backend connection that ends takes the application's connection along: reuse is the application's decision.
    if (phase === 'idle' && input.atRest) endStream()
    else if (phase === 'body' && exchange !== undefined) finish(exchange)
  }

  const sessionHandlers: SessionHandlers = {
    onInterim: toCloud,
    onBytes: toCloud,
    onUpgraded(raw, rest) {
      const current = exchange as Exchange
      emitAnswered(context, current, 101)
      phase = 'opaque'
      current.timing.upgradedAtMs = clock.now()
      toCloud(raw)
      if (rest !== undefined) toCloud(rest)
      input.become('opaque')
    },
    onFinal(head) {
      const current = exchange as Exchange
      current.answer = head
      emitAnswered(context, current, head.status)
      const lines = transformResponseLines(head, current.state.table, current.state.cookies)
      return lines === undefined ? undefined : formatResponseHead(head.minorVersion, head.status, head.reason, lines)
    },
    onComplete() {
      const current = exchange as Exchange
      current.answerDone = true
      // Without keep-alive the backend goes away: nobody is going to read the rest of the request.
      if (current.requestDone || current.answer?.keepAlive !== true) finish(current)
    },
    onBroken(reason, begun) {
      session = undefined
      setBackendFull(false)
      if (phase === 'opaque' || exchange === undefined) abort('failed')
      else retryOrFail(exchange, reason, begun)
    },
    onDrain() {
      activeMs = clock.elapsed()
      setBackendFull(false)
      input.proceed()
    },
    onEnd: sessionEnded,
  }

  function toBackend(chunk: Buffer): void {
    if (session?.write(chunk) === false) setBackendFull(true)
  }

  function setBackendFull(full: boolean): void {
    backendFull = full
    input.setFull(full)
  }

  function toCloud(chunk: Buffer): void {
    activeMs = clock.elapsed()
    if (exchange !== undefined) exchange.bytesToClient += chunk.length
    if (stream.write(chunk, true) || streamFull) return
    streamFull = true
    stalledFromMs = clock.elapsed()
    session?.pause()
  }

  function endStall(): void {
    if (streamFull && exchange !== undefined) exchange.timing.stalledMs += clock.elapsed() - stalledFromMs
    streamFull = false
  }

  // ---- how the stream ends ----

  function endOpaque(): void {
    session?.finish()
    session = undefined
    concludeOpen()
    phase = 'lingering'
    input.become('drop')
  }

  /** Ends our side. What still comes is read and thrown away, so that the application gets the answer instead of a reset. */
  function endStream(): void {
    admission.gate.clear()
    closeSession()
    phase = 'lingering'
    activeMs = clock.elapsed()
    stream.end()
    input.become('drop')
  }

  function abort(code: StreamResetCode): void {
    if (phase === 'closed') return
    release()
    stream.reset(code)
  }

  function release(): void {
    if (phase === 'closed') return
    phase = 'closed'
    admission.gate.clear()
    input.clear()
    cancelConnect?.()
    exchange?.abandon?.()
    closeSession()
    concludeOpen()
    context.deadlines.remove(served)
    onClosed(served)
  }

  function closeSession(): void {
    session?.close()
    session = undefined
    endStall()
    setBackendFull(false)
  }

  function concludeOpen(): void {
    if (exchange !== undefined) concludeExchange(context, exchange)
    exchange = undefined
  }

  function isOpen(current: Exchange): boolean {
    return exchange === current && phase === 'deciding'
  }

  function check(elapsedMs: number): void {
    const waitedMs = elapsedMs - activeMs
    if (phase === 'lingering' && waitedMs > lingerMs) return abort('cancelled')
    const answerDue = phase === 'answer' || (phase === 'body' && backendFull)
    if (answerDue && !streamFull && waitedMs > (exchange as Exchange).state.responseTimeoutMs) return timeOut(exchange as Exchange)
    if (input.requestDue && phase !== 'answer' && waitedMs > requestStallMs) abort('cancelled')
  }

  function timeOut(current: Exchange): void {
    const refusal = timeoutRefusal(address)
    log.info({ ...logFields(), code: refusal.code }, 'backend did not answer in time')
    giveUp(current, refusal)
  }

  function logFields(): LogFields {
    return { subaccount: context.subaccount, locationId: context.locationId, virtualHost: address.host, correlationId }
  }

  const served: ServedStream = {
    check,
    drain: () => {
      if (phase === 'idle' && input.atRest) endStream()
    },
    abort: () => abort('cancelled'),
  }
  context.deadlines.add(served)
  return served
}

/** Whether a backend connection may carry a request: not if a ticket has logged somebody else on. */
function isFor({ loggedOn }: BackendSession, { added, user }: Exchange): boolean {
  return loggedOn === undefined || (added.authorization !== undefined && loggedOn === user)
}
