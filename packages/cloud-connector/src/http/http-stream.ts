import { formatRequestHead, formatResponseHead, type RequestHead } from '@sallyport/http-head'
import type { IncomingTunnelStream, LogFields, StreamResetCode } from '@sallyport/core'
import { createSharedReading, type HttpOpening, tryParsePrincipalMessage, type WirePrincipal } from '@sallyport/tunnel'
import { decideHttpAccess, type VirtualAddress } from '../access-control/access-decision.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import { connectBackend } from '../backend/backend-connection.ts'
import { lingerMs, maxDiscardedBodyBytes, requestStallMs } from '../limits.ts'
import type { LinkContext, ServedStream } from '../link-context.ts'
import { auditAllowed, auditDenied, emitDecision } from './access-record.ts'
import { BackendSession, type SessionHandlers } from './backend-session.ts'
import { httpTargetOf, isSameTarget } from './backend-target.ts'
import { concludeExchange, createExchange, emitAnswered, emitFailed, type Exchange, isRepeatable } from './exchange.ts'
import { type PreparedPrincipal, preparePrincipal } from './prepare-principal.ts'
import {
  auditRefusal,
  brokenRefusal,
  functionRefusal,
  internalRefusal,
  messageRefusal,
  mutualRefusal,
  type Refusal,
  renderRefusal,
  resourceRefusal,
  systemRefusal,
  timeoutRefusal,
} from './refusals.ts'
import { carriesCertificate, explainRequest, transformRequestLines } from './request-transformation.ts'
import { RequestInput } from './request-input.ts'
import { transformResponseLines } from './response-transformation.ts'
import { soapPath } from './soap-function.ts'
import { explainUnreadable, inspectSoap, type SoapInspection, type SoapVerdict } from './soap-inspection.ts'

/**
 * `idle`: between requests. `deciding`: access, principal, backend connection. `body`: the request's body passes. `answer`: the request is complete,
 * its answer is not. `opaque`: after an upgrade. `lingering`: our side has ended, the other has not yet. `closed`: nothing is left.
 */
type Phase = 'idle' | 'deciding' | 'body' | 'answer' | 'opaque' | 'lingering' | 'closed'

const continueAnswer = Buffer.from('HTTP/1.1 100 Continue\r\n\r\n')

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
  let activeMs = clock.now()
  /** Of the body of the current request, while it is not decided. */
  let soap: SoapInspection | undefined

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
        if (soap !== undefined) return inspect(soap, chunk)
        ;(exchange as Exchange).bytesToBackend += chunk.length
        toBackend(chunk)
      },
      onBodyEnd() {
        const current = exchange as Exchange
        current.requestDone = true
        current.timing.bodyAtMs = clock.now()
        if (soap !== undefined) inspected(current, soap.end())
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
      if (phase !== 'lingering') activeMs = clock.now()
      return input.push(chunk)
    },
    onMessage(message) {
      const parsed = tryParsePrincipalMessage(message)
      if (parsed === undefined) abort('protocol')
      else input.push(parsed)
    },
    onEnd: () => input.end(),
    onDrain() {
      activeMs = clock.now()
      endStall()
      session?.resume()
    },
    onClose: () => release(),
  })

  function onInputEnd(): void {
    if (phase === 'idle') endStream()
    else if (phase === 'body' || soap !== undefined) abort('cancelled')
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
    decide(current)
  }

  function decide(current: Exchange): void {
    const invalid = explainRequest(current.head)
    if (invalid !== undefined) return refuse(current, messageRefusal({ status: 400, reason: invalid }))
    if (context.audit.failing) return refuse(current, auditRefusal)
    const decision = decideHttpAccess(current.state.table, address, current.path, current.upgradeAsked)
    emitDecision(context, current, decision)
    if (!decision.allowed) {
      return deny(current, decision.kind === 'system' ? systemRefusal(address) : resourceRefusal(current.path, address), decision.reason)
    }
    const { mapping, resource } = decision
    current.route = { mapping, resource, target: httpTargetOf(mapping, address, current.state.tls) }
    if (mapping.soapFunctions !== undefined && current.path === soapPath) return beginInspection(current)
    prepare(current, mapping)
  }

  /** A function is decided before anything of the request leaves: its body is read first. */
  function beginInspection(current: Exchange): void {
    const unreadable = explainUnreadable(current.head)
    if (unreadable !== undefined || current.requestDone) return inspected(current, { refused: unreadable ?? 'it has no body' })
    soap = inspectSoap(current.head)
    if (current.head.expectsContinue) stream.write(continueAnswer)
    input.become('body')
  }

  function inspect(inspection: SoapInspection, chunk: Buffer): void {
    const verdict = inspection.read(chunk)
    if (verdict === undefined) return
    // Nothing more is taken until it is decided; whether this was the end of the body is known when the turn is over.
    input.setFull(true)
    const current = exchange as Exchange
    queueMicrotask(() => {
      if (isOpen(current) && soap === inspection) inspected(current, verdict)
    })
  }

  function inspected(current: Exchange, verdict: SoapVerdict): void {
    current.held = soap?.held ?? []
    soap = undefined
    input.setFull(false)
    if (!current.requestDone) input.mode = 'hold'
    const { mapping } = current.route as NonNullable<Exchange['route']>
    if ('refused' in verdict) return deny(current, functionRefusal(undefined, verdict.refused, address), verdict.refused)
    const { functionName } = verdict
    const decision = mapping.soapFunctions?.decide(functionName)
    if (decision?.allowed !== true)
      return deny(current, functionRefusal(functionName, '', address), `function ${functionName}: ${decision?.reason ?? 'nobody decides'}`)
    prepare(current, mapping)
  }

  function prepare(current: Exchange, mapping: SystemMapping): void {
    const prepared = preparePrincipal(context, current, mapping)
    if (!(prepared instanceof Promise)) return withPrincipal(current, prepared)
    prepared
      .then((late) => {
        if (isOpen(current)) withPrincipal(current, late)
      })
      .catch((error: unknown) => fail(current, error))
  }

  function withPrincipal(current: Exchange, prepared: PreparedPrincipal): void {
    if (prepared.kind === 'refused') return deny(current, prepared.refusal, prepared.refusal.text, prepared.user)
    current.user = prepared.user
    current.added = prepared.headers
    auditAllowed(context, current, current.user)
    connect(current)
  }

  function connect(current: Exchange): void {
    const { mapping, target } = current.route as NonNullable<Exchange['route']>
    if (session !== undefined && session.usable && isSameTarget(session.target, target)) return dispatch(current, session)
    closeSession()
    phase = 'deciding'
    const reading = createSharedReading()
    const openingMs = clock.now()
    cancelConnect = connectBackend(target, {
      clock,
      reading,
      timeoutMs: current.state.connectTimeoutMs,
      onConnected(socket) {
        current.timing.openMs += clock.now() - openingMs
        session = new BackendSession({ socket, reading, target, clock, monitor: context.monitor.of(mapping), handlers: sessionHandlers })
        dispatch(current, session)
      },
      onFailed(error) {
        current.timing.openMs += clock.now() - openingMs
        log.info({ ...logFields(), code: error.code, cause: error.details['cause'] }, 'backend not reachable')
        refuse(current, { status: 502, code: error.code, text: error.message })
      },
    })
  }

  function dispatch(current: Exchange, backend: BackendSession): void {
    if (carriesCertificate(current.added) && !backend.mutual) {
      return deny(current, mutualRefusal(current.user, address), 'the backend connection is not mutually authenticated', current.user)
    }
    const { head } = current
    const lines = transformRequestLines(current)
    // Byte for byte, unless something is to change or the first line has something about it that is not repeated.
    const repeats = lines === undefined && head.minorVersion === 1 && current.raw[0] !== 13
    const bytes = repeats ? current.raw : formatRequestHead(head.method, head.target, lines ?? head.lines)
    current.bytesToBackend += bytes.length
    current.reused = backend.requests > 0
    activeMs = clock.now()
    current.timing.sentAtMs = activeMs
    phase = current.requestDone ? 'answer' : 'body'
    const { held, requestDone, upgradeAsked } = current
    const more = !requestDone || held.length > 0
    let hasRoom = backend.send(bytes, { method: head.method, upgradeAsked: upgradeAsked !== undefined, more })
    for (const piece of held) {
      current.bytesToBackend += piece.length
      hasRoom = backend.write(piece)
    }
    current.held = []
    setBackendFull(!hasRoom)
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

  /** Refuses for a reason that belongs into the audit log. The entry is written also when the application has gone meanwhile. */
  function deny(current: Exchange, refusal: Refusal, reason: string, user?: string): void {
    // It was no call of the backend, and does not count as one.
    current.route = undefined
    if (user !== undefined || current.principal === null || current.state.auditLevel === 'OFF') {
      auditDenied(context, current, user ?? '', reason)
      return refuse(current, refusal)
    }
    current.state.principals
      .identify(current.principal)
      .then((name) => {
        auditDenied(context, current, name, reason)
        if (isOpen(current)) refuse(current, refusal)
      })
      .catch((error: unknown) => fail(current, error))
  }

  function refuse(current: Exchange, refusal: Refusal): void {
    const { head } = current
    current.refused = refusal
    const begun = phase !== 'deciding'
    if (begun) closeSession()
    const small = head.framing.kind === 'length' && head.framing.bytes <= maxDiscardedBodyBytes && !head.expectsContinue
    // What is not HTTP as we accept it may be read differently by whoever sent it: nothing behind it can be believed.
    const sound = head.keepAlive && refusal.code !== 'MESSAGE_INVALID'
    const keep = sound && !context.draining() && (current.requestDone || (small && !begun))
    const bytes = renderRefusal(refusal, { correlationId: current.correlationId, withBody: head.method !== 'HEAD', close: !keep })
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
      return connect(current)
    }
    const refusal = brokenRefusal(reason, begun, address)
    log.info({ ...logFields(), code: refusal.code, reason }, 'backend answer not usable')
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
      activeMs = clock.now()
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
    activeMs = clock.now()
    if (exchange !== undefined) exchange.bytesToClient += chunk.length
    if (stream.write(chunk, true) || streamFull) return
    streamFull = true
    stalledFromMs = activeMs
    session?.pause()
  }

  function endStall(): void {
    if (streamFull && exchange !== undefined) exchange.timing.stalledMs += clock.now() - stalledFromMs
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
    closeSession()
    phase = 'lingering'
    activeMs = clock.now()
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
    input.clear()
    cancelConnect?.()
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

  function check(nowMs: number): void {
    const waitedMs = nowMs - activeMs
    if (phase === 'lingering' && waitedMs > lingerMs) return abort('cancelled')
    const answerDue = phase === 'answer' || (phase === 'body' && backendFull)
    if (answerDue && !streamFull && waitedMs > (exchange as Exchange).state.responseTimeoutMs) return timeOut(exchange as Exchange)
    if (input.requestDue && phase !== 'answer' && waitedMs > requestStallMs) abort('cancelled')
  }

  function timeOut(current: Exchange): void {
    const refusal = timeoutRefusal(address)
    log.info({ ...logFields(), code: refusal.code }, 'backend did not answer in time')
    if (current.answer === undefined) return refuse(current, refusal)
    emitFailed(context, current, refusal)
    abort('failed')
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
