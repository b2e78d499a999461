import type { Socket } from 'node:net'
import type { StreamCloseReason } from '@sallyport/core'
import { formatRequestHead, parseRequestHead, type RequestHead } from '@sallyport/http-head'
import { formatMessage, type WirePrincipal } from '@sallyport/tunnel'
import { createClientWriter } from '../client-writer.ts'
import type { ConnectionPlace, ServedConnection } from '../listener.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import { createRequestReport } from '../request-report.ts'
import { createStreamLink } from '../stream-link.ts'
import { waitForTunnel } from '../tunnel-opening.ts'
import type { ProxyTunnel } from '../tunnels.ts'
import { type AnswerState, createAnswerRelay } from './answer-relay.ts'
import { type Binding, bindingOf, conflictOf, isSameToken } from './binding.ts'
import { createBodyCursor } from './body-cursor.ts'
import { type Caller, createCallerCheck } from './caller.ts'
import { createHeadReader } from './head-reader.ts'
import type { HttpEntry } from './http-entry.ts'
import { formatRefusal } from './refusal-answer.ts'
import { isForbiddenTrailer } from './removed-headers.ts'
import { planRequest, type RequestPlan } from './request-plan.ts'

/**
 * Where a connection stands: between requests, waiting for a verdict or a tunnel, with a request under way, switched to another protocol, or on its way out.
 * Bytes that the phase has no use for wait in `pending` while the socket is paused, so never much more than one read of them.
 */
type Phase = 'idle' | 'deciding' | 'exchange' | 'opaque' | 'closing'

/**
 * Serves one connection of an application: its requests go one after the other over one stream of one tunnel.
 *
 * The connection owns the socket and the stream: when either is gone, so is the other. Nothing of a body is read before its request is authorised and the
 * stream is open; from then on bytes pass as they come, and each side waits for the other.
 */
export function serveHttpConnection(socket: Socket, place: ConnectionPlace, entry: HttpEntry): ServedConnection {
  const { limits, clock } = entry
  const check = createCallerCheck(entry.policy)
  const report = createRequestReport({ ...entry, protocol: 'http' })
  const heads = createHeadReader((bytes, from) => parseRequestHead(bytes, from, limits.requestHead))
  const body = createBodyCursor({ limits: limits.requestHead, refusesTrailer: isForbiddenTrailer })
  const writer = createClientWriter(socket, { clock, timeoutMs: limits.writeTimeoutMs, onReady, onStalled })
  const answer = createAnswerRelay({ write: (chunk) => void writer.write(chunk), limits: limits.responseHead })
  const stream = createStreamLink(clock, { onData: onStreamData, onEnd: onStreamEnd, onRoom: pump, onClose: onStreamClose })

  let phase: Phase = 'idle'
  let pending: Buffer | undefined
  let reading = true
  let clientEnded = false
  let endPassed = false
  let streamEnded = false
  let answerPaused = false
  let draining = false
  let stopTimer: (() => void) | undefined
  let cancelWait: (() => void) | undefined
  let binding: Binding | undefined
  let sentPrincipal: WirePrincipal | undefined
  // Of the request under way:
  let method = 'GET'
  let lastRequest = false
  let answered = true
  let sentBefore = 0
  let receivedBefore = 0

  socket.on('data', (chunk: Buffer) => {
    pending = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    pump()
  })
  socket.on('end', onClientEnd)
  socket.on('close', onClientGone)
  startTimer(limits.headTimeoutMs)

  /** Hands waiting bytes to whoever can use them now, then reads on or stops reading. */
  function pump(): void {
    while (pending !== undefined && !socket.destroyed) {
      const chunk: Buffer = pending
      if (phase === 'closing') pending = undefined
      else if (phase === 'idle' && writer.ready) readHead(chunk)
      else if (phase === 'exchange' && !body.done && !stream.full) sendBody(chunk)
      else if (phase === 'opaque' && !stream.full) {
        pending = undefined
        stream.write(chunk)
      } else break
    }
    if (clientEnded && !endPassed && phase === 'opaque' && pending === undefined) {
      endPassed = true
      stream.end()
    }
    const want = phase === 'closing' || (pending === undefined && !stream.full && phase !== 'deciding')
    if (want === reading || socket.destroyed) return
    reading = want
    if (want) socket.resume()
    else socket.pause()
  }

  function readHead(chunk: Buffer): void {
    pending = undefined
    const result = heads.read(chunk, 0)
    if (result.state === 'incomplete') {
      if (!place.hold(heads.heldBytes)) socket.destroy()
      else if (stopTimer === undefined) startTimer(limits.headTimeoutMs)
      return
    }
    endTimer()
    place.hold(0)
    entry.onRequest()
    report.started()
    method = 'GET'
    if (result.state === 'refused') return refuse(refusals.malformedHead(result.refusal.status, result.refusal.reason), false)
    const { head } = result
    if (heads.next < heads.source.length) pending = heads.source.subarray(heads.next)
    heads.clear()
    method = head.method
    lastRequest = !head.keepAlive || head.minorVersion === 0
    const plan = planRequest(head)
    if (isRefusal(plan)) return refuse(plan, isRepeatable(head))
    const caller = check.peek(plan.controls)
    if (caller !== undefined) return decide(head, plan, caller)
    phase = 'deciding'
    check.verify(plan.controls).then(
      (found) => goOn(() => decide(head, plan, found)),
      (error: unknown) =>
        goOn(() => {
          entry.log.error({ correlationId: report.correlationId, error }, 'a token could not be checked')
          refuse(refusals.internal, false)
        }),
    )
  }

  /** Goes on after a wait, unless the application has gone meanwhile. */
  function goOn(next: () => void): void {
    if (phase !== 'deciding') return
    phase = 'idle'
    next()
    pump()
  }

  function decide(head: RequestHead, plan: RequestPlan, caller: Caller | Refusal): void {
    if (isRefusal(caller)) return refuse(caller, isRepeatable(head))
    const wanted = bindingOf(plan, caller)
    if (draining) return refuse(refusals.stopping, false, wanted)
    const conflict = binding === undefined ? undefined : conflictOf(binding, wanted, plan.target)
    if (conflict !== undefined) {
      if (!entry.lenient) return refuse(conflict, isRepeatable(head), wanted)
      stream.leave(limits.lingerMs)
    }
    report.accepted(wanted, caller.client)
    if (stream.isOpen) return send(head, plan, caller)
    const tunnel = entry.tunnels.find(wanted.tenant, wanted.locationId)
    if (tunnel !== undefined && openStream(tunnel, wanted, caller)) return send(head, plan, caller)
    phase = 'deciding'
    const wait = waitForTunnel({
      tunnels: entry.tunnels,
      clock,
      timeoutMs: limits.tunnelOpenTimeoutMs,
      subaccount: wanted.tenant,
      locationId: wanted.locationId,
      onTimeout: entry.onTunnelTimeout,
    })
    cancelWait = wait.cancel
    void wait.result.then((found) =>
      goOn(() => {
        cancelWait = undefined
        if (draining) refuse(refusals.stopping, false, wanted)
        else if (isRefusal(found)) refuse(found, isRepeatable(head), wanted)
        else if (openStream(found, wanted, caller)) send(head, plan, caller)
        else refuse(refusals.tunnelLost, isRepeatable(head), wanted)
      }),
    )
  }

  /** `false`: the tunnel has just closed. */
  function openStream(tunnel: ProxyTunnel, wanted: Binding, caller: Caller): boolean {
    const principal = caller.principal?.wire
    const opening = formatMessage({
      kind: 'http',
      subaccount: wanted.tenant,
      locationId: wanted.locationId,
      virtualHost: wanted.host,
      virtualPort: wanted.port,
      correlationId: report.correlationId,
      ...(principal === undefined ? {} : { principal }),
    })
    if (!stream.open(tunnel, opening)) return false
    binding = wanted
    sentPrincipal = principal
    streamEnded = false
    answerPaused = false
    place.admitted()
    report.streamOpened(wanted, tunnel.tunnelId, stream.id)
    return true
  }

  function send(head: RequestHead, plan: RequestPlan, caller: Caller): void {
    const principal = caller.principal?.wire
    if (!isSameToken(principal, sentPrincipal)) {
      stream.sendMessage(formatMessage({ kind: 'principal', principal: principal ?? null, correlationId: report.correlationId }))
      sentPrincipal = principal
    }
    if (principal !== undefined && head.names.includes('authorization')) {
      entry.log.warn(
        { correlationId: report.correlationId, subaccount: caller.tenant, virtualHost: plan.host },
        'a request with a principal to propagate has an Authorization header as well; it is passed on',
      )
    }
    phase = 'exchange'
    answered = false
    body.begin(head.framing)
    answer.begin({ method, oldClient: head.minorVersion === 0, mayUpgrade: plan.upgrade })
    sentBefore = stream.bytesSent
    receivedBefore = stream.bytesReceived
    stream.write(formatRequestHead(method, plan.target, plan.lines))
  }

  function sendBody(chunk: Buffer): void {
    const end = body.scan(chunk, 0)
    pending = end >= 0 && end < chunk.length ? chunk.subarray(end) : undefined
    if (end < 0) {
      stream.reset()
      if (answer.started) cut()
      else refuse(refusals.malformedBody, false, binding)
      return
    }
    stream.write(end === chunk.length ? chunk : chunk.subarray(0, end))
    if (body.done && answered) finishExchange()
  }

  function onStreamData(chunk: Buffer): boolean {
    if (phase === 'opaque') void writer.write(chunk)
    else if (phase === 'exchange' && !answered) onAnswer(answer.feed(chunk))
    else if (phase === 'deciding') stream.reset()
    // An answer that nobody asked for, such as 408 of a backend that is tired of waiting. Whatever is in it, it must not become the next answer.
    else close()
    answerPaused = !writer.ready
    return !answerPaused
  }

  function onAnswer(state: AnswerState): void {
    if (state === 'more') return
    if (state === 'broken') {
      entry.log.warn(
        { correlationId: report.correlationId, code: 'PROTOCOL_VIOLATION' },
        'the connector sent an answer that cannot be read',
      )
      stream.reset()
      return failAnswer(refusals.answerUnusable)
    }
    if (state === 'upgraded') phase = 'opaque'
    else {
      answered = true
      if (body.done || !answer.keepAlive) finishExchange()
    }
    pump()
  }

  /** No proper answer will come: another one takes its place, or, when part of it has gone out, a cut that cannot be taken for its end. */
  function failAnswer(refusal: Refusal): void {
    if (answer.started) cut()
    else refuse(refusal, false, binding)
  }

  function finishExchange(): void {
    reportFinished()
    phase = 'idle'
    if (lastRequest || draining || !answer.keepAlive || !body.done || clientEnded) close()
    else if (limits.idleTimeoutMs > 0) startTimer(limits.idleTimeoutMs)
  }

  function reportFinished(): void {
    if (binding !== undefined) report.finished(binding, stream.bytesSent - sentBefore, stream.bytesReceived - receivedBefore)
  }

  function onStreamEnd(): void {
    streamEnded = true
    if (phase === 'opaque') writer.end()
    // A verdict is pending; the request will find that it needs a new stream.
    else if (phase === 'deciding') stream.reset()
    else if (phase === 'exchange' && !answered) {
      if (answer.end() === 'complete') finishExchange()
      else {
        stream.reset()
        failAnswer(refusals.backendClosed)
      }
    }
    // The backend has closed a connection that is not in use: so does the application's.
    else close()
  }

  function onStreamClose(reason: StreamCloseReason): void {
    if (phase === 'opaque') {
      if (reason.kind !== 'finished') cut()
    } else if (phase === 'exchange' && !answered) {
      failAnswer(reason.kind === 'reset' && reason.code === 'refused' ? refusals.streamRefused : refusals.tunnelLost)
    } else if (phase !== 'deciding') close()
  }

  function refuse(refusal: Refusal, keepOpen: boolean, wanted?: Binding): void {
    report.refused(refusal, wanted)
    const closing = !keepOpen || draining || clientEnded
    void writer.write(formatRefusal(refusal, { requestId: report.correlationId, headOnly: method === 'HEAD', close: closing }))
    phase = 'idle'
    if (closing) close()
  }

  /**
   * Closes a connection on which no answer is owed any more; the backend connection ends like the application's. What is written still goes out, and reading
   * goes on for a while: closing on unread bytes would take the last answer away from its reader.
   */
  function close(): void {
    if (phase === 'closing') return
    phase = 'closing'
    if (body.done) stream.leave(limits.lingerMs)
    else stream.reset()
    pending = undefined
    place.hold(0)
    endTimer()
    socket.once('finish', () => startTimer(limits.lingerMs))
    writer.end()
    pump()
  }

  function cut(): void {
    socket.resetAndDestroy()
  }

  function onStalled(): void {
    entry.log.debug({ correlationId: report.correlationId }, 'an application stopped reading and is cut off')
    cut()
  }

  function onReady(): void {
    if (answerPaused) {
      answerPaused = false
      stream.resume()
    }
    pump()
  }

  function onClientEnd(): void {
    clientEnded = true
    if (phase === 'idle') close()
    else if (phase === 'opaque') pump()
    // The rest of the request will not come; a backend must not take the part for the whole.
    else if (phase === 'exchange' && !body.done) cut()
  }

  function onClientGone(): void {
    if (phase === 'exchange' || phase === 'opaque') reportFinished()
    // Both ends of an opaque exchange have been passed on: what is still on its way to the backend shall arrive.
    if (phase !== 'opaque' || !endPassed || !streamEnded) stream.reset()
    phase = 'closing'
    endTimer()
    writer.dispose()
    cancelWait?.()
  }

  function startTimer(delayMs: number): void {
    endTimer()
    if (delayMs > 0) stopTimer = clock.after(delayMs, () => socket.destroy())
  }

  function endTimer(): void {
    stopTimer?.()
    stopTimer = undefined
  }

  return {
    drain() {
      draining = true
      if (phase === 'idle' && heads.heldBytes === 0) close()
    },
  }
}

/** Whether the connection may stay open behind a refused request: nothing of it is still to come. */
function isRepeatable(head: RequestHead): boolean {
  return head.keepAlive && head.minorVersion === 1 && head.framing.kind === 'none' && !head.expectsContinue
}
