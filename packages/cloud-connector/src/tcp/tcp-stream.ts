import type { ConnectivityError, IncomingTunnelStream } from '@sallyport/core'
import { createSharedReading, formatMessage, holdStream, relay, type TcpAnswer, type TcpOpening } from '@sallyport/tunnel'
import { decideTcpAccess, type VirtualAddress } from '../access-control/access-decision.ts'
import { internalPortOf, isRfcMapping, isTlsMapping, type SystemMapping } from '../access-control/system-mapping.ts'
import { type BackendTarget, connectBackend } from '../backend/backend-connection.ts'
import { auditAllowed, auditDenied, emitDecision, eventTarget } from '../http/access-record.ts'
import { auditRefusal, systemRefusal, systemText } from '../http/refusals.ts'
import { lingerMs, maxTcpConnectMs } from '../limits.ts'
import type { LinkContext, ServedStream } from '../link-context.ts'
import { type ServedRfc, serveRfc } from '../rfc/serve-rfc.ts'

/**
 * Serves one connection of an application to a mapping that is not HTTP: decides, connects, says so, and then joins both until they are closed. What passes is
 * looked at in RFC alone.
 */
export function serveTcpStream(
  incoming: IncomingTunnelStream,
  opening: TcpOpening,
  context: LinkContext,
  onClosed: (served: ServedStream) => void,
): ServedStream {
  const { audit, clock, events, log } = context
  const address: VirtualAddress = { host: opening.virtualHost.toLowerCase(), port: opening.virtualPort }
  const state = context.state()
  const subject = { address, path: undefined, correlationId: opening.correlationId, state }
  const startMs = clock.now()
  let cancelConnect: (() => void) | undefined
  let rfc: ServedRfc | undefined
  let endedMs: number | undefined
  let mapping: SystemMapping | undefined
  let connected = false
  let countedReceived = 0
  let countedSent = 0

  /** Bytes pass for hours on one connection: they count while they pass. Of RFC each call counts for itself. */
  const countBytes = (nowMs: number, calls: number): void => {
    if (mapping === undefined || mapping.protocol === 'RFC') return
    const { bytesReceived, bytesSent } = held.stream
    if (calls === 0 && bytesReceived === countedReceived && bytesSent === countedSent) return
    context.monitor.of(mapping).usage.add(nowMs, calls, bytesReceived - countedReceived, bytesSent - countedSent, undefined)
    countedReceived = bytesReceived
    countedSent = bytesSent
  }

  const closed = (): void => {
    cancelConnect?.()
    context.deadlines.remove(served)
    onClosed(served)
    if (connected && mapping !== undefined) context.monitor.of(mapping).active--
    if (connected) countBytes(clock.now(), 0)
    if (!events.wanted) return
    const { bytesReceived, bytesSent } = held.stream
    const target = eventTarget(context, subject)
    events.emit({
      type: 'request-finished',
      ...target,
      bytesToBackend: bytesReceived,
      bytesToClient: bytesSent,
      durationMs: target.atMs - startMs,
    })
  }
  const held = holdStream((handlers) => incoming.accept(handlers), { onClose: closed })
  const { stream } = held
  const served: ServedStream = {
    check(elapsedMs) {
      rfc?.check(elapsedMs)
      if (connected) countBytes(clock.now(), 0)
      if (endedMs !== undefined && elapsedMs - endedMs > lingerMs) stream.reset('cancelled')
    },
    // A byte stream has no point at which it could be cut without harm: it goes on until the connector's patience ends.
    drain: () => {},
    abort: () => stream.reset('cancelled'),
  }
  context.deadlines.add(served)

  const refuse = (code: Extract<TcpAnswer, { kind: 'refused' }>['code'], message: string): void => {
    stream.sendMessage(formatMessage({ kind: 'refused', code, message }))
    stream.end()
    endedMs = clock.elapsed()
  }
  const failed = (code: 'BACKEND_UNREACHABLE' | 'BACKEND_UNTRUSTED', message: string): void => {
    if (events.wanted)
      events.emit({ type: 'backend-failed', ...eventTarget(context, subject), code, message, durationMs: clock.now() - startMs })
    refuse(code, message)
  }

  if (audit.failing) {
    refuse('ACCESS_DENIED', auditRefusal.text)
    return served
  }
  const decision = decideTcpAccess(state.table, address)
  emitDecision(context, subject, decision)
  if (!decision.allowed) {
    auditDenied(context, subject, '', decision.reason)
    refuse('ACCESS_DENIED', systemRefusal(address).text)
    return served
  }
  auditAllowed(context, subject, '')
  ;({ mapping } = decision)
  const system = systemText(address)
  const timeoutMs = Math.min(state.connectTimeoutMs, Math.max(1, opening.timeoutMs), maxTcpConnectMs)
  const onConnected = (): void => {
    connected = true
    context.monitor.of(decision.mapping).active++
    countBytes(clock.now(), 1)
    stream.sendMessage(formatMessage({ kind: 'connected' }))
  }
  const onFailed = (error: ConnectivityError): void => {
    const { locationId, subaccount } = context
    log.info({ subaccount, locationId, virtualHost: system, code: error.code, cause: error.details['cause'] }, 'backend not reachable')
    failed(error.code === 'BACKEND_UNTRUSTED' ? 'BACKEND_UNTRUSTED' : 'BACKEND_UNREACHABLE', error.message)
  }
  if (isRfcMapping(mapping)) {
    const { correlationId } = opening
    rfc = serveRfc({
      context,
      address,
      correlationId,
      mapping,
      take: held.take,
      timeoutMs,
      routes: state.routes,
      onConnected,
      onFailed,
      onClose: closed,
    })
    cancelConnect = rfc.cancel
    return served
  }
  const target: BackendTarget = {
    host: mapping.internalHost,
    port: internalPortOf(mapping, address.port),
    tls: isTlsMapping(mapping) ? state.tls : undefined,
    protocol: undefined,
    system,
  }
  const reading = createSharedReading()
  cancelConnect = connectBackend(target, {
    clock,
    traceTls: context.traces().tls,
    reading,
    timeoutMs,
    onConnected(socket) {
      onConnected()
      relay(socket, held.take, { onClose: closed, reading })
    },
    onFailed,
  })
  return served
}
