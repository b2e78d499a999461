import type { Socket } from 'node:net'
import type { StreamCloseReason } from '@sallyport/core'
import { formatMessage } from '@sallyport/tunnel'
import type { Admission } from '../admission.ts'
import { createClientWriter } from '../client-writer.ts'
import type { ConnectionPlace, ServedConnection } from '../listener.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import { createRequestReport, type RequestTarget } from '../request-report.ts'
import { createStreamLink } from '../stream-link.ts'
import { waitForTunnel } from '../tunnel-opening.ts'
import type { ProxyTunnel } from '../tunnels.ts'
import {
  connectCommand,
  formatMethodChoice,
  formatReply,
  formatTokenAnswer,
  noAcceptableMethod,
  noAuthenticationMethod,
  socksReplies,
  tokenMethod,
} from './protocol.ts'
import type { SocksEntry } from './socks-entry.ts'
import { createSocksReader, type SocksMessage } from './socks-reader.ts'
import { readTcpAnswer } from './tcp-answer.ts'

/** Reading a message of the handshake, waiting for a verdict, for the connector's answer, joined to the backend, or on its way out. */
type Phase = 'handshake' | 'deciding' | 'opening' | 'relay' | 'closing'

/**
 * Serves one connection of an application: method, token, target, then opaque bytes both ways with half-close.
 *
 * Nothing is sent to the application after a refusal, and success only after the connector has reached the backend. Bytes that the application sends early wait
 * until then; bytes of the backend follow the success reply at once, for protocols in which the server speaks first.
 */
export function serveSocksConnection(socket: Socket, place: ConnectionPlace, entry: SocksEntry): ServedConnection {
  const { limits, clock, tenancy } = entry
  const reader = createSocksReader({ maxTokenBytes: limits.maxSocksTokenBytes })
  const report = createRequestReport({ ...entry, protocol: 'socks5' })
  const writer = createClientWriter(socket, { clock, timeoutMs: limits.writeTimeoutMs, onReady, onStalled })
  const stream = createStreamLink(clock, { onData, onMessage, onEnd: onStreamEnd, onRoom: pump, onClose: onStreamClose })

  let phase: Phase = 'handshake'
  let pending: Buffer | undefined
  let reading = true
  let clientEnded = false
  let endPassed = false
  let streamEnded = false
  let answerPaused = false
  let draining = false
  let admission: Admission | undefined
  let locationId = ''
  let target: RequestTarget | undefined
  let cancelWait: (() => void) | undefined
  let stopAnswerTimer: (() => void) | undefined
  let stopTimer = clock.after(limits.handshakeTimeoutMs, () => {
    if (phase === 'opening') refuse(refusals.backendSlow)
    else socket.destroy()
  })

  socket.on('data', (chunk: Buffer) => {
    pending = pending === undefined ? chunk : Buffer.concat([pending, chunk])
    pump()
  })
  socket.on('end', onClientEnd)
  socket.on('close', onClientGone)
  report.started()

  function pump(): void {
    while (pending !== undefined && !socket.destroyed) {
      const chunk: Buffer = pending
      if (phase === 'handshake') readMessage(chunk)
      else if (phase === 'relay' && !stream.full) {
        pending = undefined
        stream.write(chunk)
      } else if (phase === 'closing') pending = undefined
      else break
    }
    if (clientEnded && !endPassed && phase === 'relay' && pending === undefined) {
      endPassed = true
      stream.end()
    }
    const want = phase === 'closing' || (pending === undefined && !stream.full && phase !== 'deciding')
    if (want === reading || socket.destroyed) return
    reading = want
    if (want) socket.resume()
    else socket.pause()
  }

  function readMessage(chunk: Buffer): void {
    const end = reader.read(chunk, 0)
    pending = end < chunk.length ? chunk.subarray(end) : undefined
    if (!place.hold(reader.heldBytes)) socket.destroy()
    else if (reader.message !== undefined) onHandshake(reader.message)
  }

  function onHandshake(message: SocksMessage): void {
    switch (message.kind) {
      case 'greeting':
        return chooseMethod(message.methods)
      case 'token':
        return judgeToken(message.token, message.locationId)
      case 'request':
        return message.command === connectCommand ? connect(message.host, message.port) : refuse(refusals.commandUnsupported)
      case 'unsupported-address':
        return refuse(message.command === connectCommand ? refusals.addressTypeUnsupported : refusals.commandUnsupported)
      case 'malformed':
        report.refused(refusals.malformedSocks(message.reason), undefined)
        // Who does not speak SOCKS 5 gets no answer in SOCKS 5.
        if (message.while === 'greeting') socket.destroy()
        else close(message.while === 'token' ? formatTokenAnswer(socksReplies.authenticationFailed) : formatReply(socksReplies.failure))
    }
  }

  /** The token method whenever it is offered: a client that is let in without would never send its token. */
  function chooseMethod(methods: readonly number[]): void {
    if (methods.includes(tokenMethod)) {
      reader.await('token')
      void writer.write(formatMethodChoice(tokenMethod))
    } else if (methods.includes(noAuthenticationMethod) && !entry.authorization && tenancy.mode === 'dedicated') {
      admission = { tenant: tenancy.subaccount, client: '', user: undefined }
      reader.await('request')
      void writer.write(formatMethodChoice(noAuthenticationMethod))
    } else {
      report.refused(refusals.tokenMethodMissing, undefined)
      close(formatMethodChoice(noAcceptableMethod))
    }
  }

  function judgeToken(token: string, location: string): void {
    locationId = location
    if (!entry.authorization && tenancy.mode === 'dedicated') return admit({ tenant: tenancy.subaccount, client: '', user: undefined })
    const verdict = entry.gate.peek(token)
    if (verdict !== undefined) return admit(verdict)
    phase = 'deciding'
    entry.gate.verify(token).then(
      (found) => goOn(() => admit(found)),
      (error: unknown) => {
        entry.log.error({ correlationId: report.correlationId, error }, 'a token could not be checked')
        goOn(() => admit(refusals.internal))
      },
    )
  }

  /** Goes on after a wait, unless the application has gone meanwhile. */
  function goOn(next: () => void): void {
    if (phase !== 'deciding') return
    phase = 'handshake'
    next()
    pump()
  }

  function admit(verdict: Admission | Refusal): void {
    if (isRefusal(verdict)) {
      report.refused(verdict, undefined)
      return close(formatTokenAnswer(socksReplies.authenticationFailed))
    }
    admission = verdict
    reader.await('request')
    void writer.write(formatTokenAnswer(socksReplies.succeeded))
  }

  function connect(host: string, port: number): void {
    if (admission === undefined) return
    target = { tenant: admission.tenant, locationId, host, port }
    if (draining) return refuse(refusals.stopping)
    phase = 'opening'
    report.accepted(target, admission.client)
    const tunnel = entry.tunnels.find(admission.tenant, locationId)
    if (tunnel !== undefined && openStream(tunnel, target)) return
    const wait = waitForTunnel({
      tunnels: entry.tunnels,
      clock,
      timeoutMs: limits.tunnelOpenTimeoutMs,
      subaccount: admission.tenant,
      locationId,
      onTimeout: entry.onTunnelTimeout,
    })
    cancelWait = wait.cancel
    void wait.result.then((found) => {
      cancelWait = undefined
      if (phase !== 'opening' || target === undefined) return
      if (isRefusal(found)) refuse(found)
      else if (!openStream(found, target)) refuse(refusals.tunnelLost)
    })
  }

  function openStream(tunnel: ProxyTunnel, wanted: RequestTarget): boolean {
    const opening = formatMessage({
      kind: 'tcp',
      subaccount: wanted.tenant,
      locationId: wanted.locationId,
      virtualHost: wanted.host,
      virtualPort: wanted.port,
      correlationId: report.correlationId,
      timeoutMs: limits.backendConnectTimeoutMs,
    })
    if (!stream.open(tunnel, opening)) return false
    stopAnswerTimer = clock.after(limits.backendConnectTimeoutMs, () => {
      stream.reset()
      refuse(refusals.backendSlow)
    })
    report.streamOpened(wanted, tunnel.tunnelId, stream.id)
    return true
  }

  function onMessage(message: Buffer): void {
    if (phase !== 'opening') return
    const answer = readTcpAnswer(message)
    if (answer !== 'connected') {
      stream.reset()
      return refuse(answer)
    }
    phase = 'relay'
    stopTimers()
    place.admitted()
    void writer.write(formatReply(socksReplies.succeeded))
    pump()
  }

  function onData(chunk: Buffer): boolean {
    if (phase === 'relay') void writer.write(chunk)
    else if (phase === 'opening') {
      stream.reset()
      refuse(refusals.answerUnusable)
    }
    answerPaused = !writer.ready
    return !answerPaused
  }

  function onStreamEnd(): void {
    streamEnded = true
    if (phase === 'relay') writer.end()
    else if (phase === 'opening') {
      stream.reset()
      refuse(refusals.answerUnusable)
    }
  }

  function onStreamClose(reason: StreamCloseReason): void {
    if (phase === 'opening') refuse(reason.kind === 'reset' && reason.code === 'refused' ? refusals.streamRefused : refusals.tunnelGone)
    else if (phase === 'relay' && reason.kind !== 'finished') socket.resetAndDestroy()
  }

  function refuse(refusal: Refusal): void {
    report.refused(refusal, target)
    close(formatReply(refusal.reply))
  }

  /** Says the last word, then reads on for a while: closing on unread bytes would take it away from its reader. */
  function close(lastWord: Buffer): void {
    if (phase === 'closing') return
    phase = 'closing'
    stopTimers()
    place.hold(0)
    stream.reset()
    socket.once('finish', () => {
      stopTimer = clock.after(limits.lingerMs, () => socket.destroy())
    })
    void writer.write(lastWord)
    writer.end()
    pump()
  }

  function onReady(): void {
    if (!answerPaused) return
    answerPaused = false
    stream.resume()
  }

  function onStalled(): void {
    entry.log.debug({ correlationId: report.correlationId }, 'an application stopped reading and is cut off')
    socket.resetAndDestroy()
  }

  function onClientEnd(): void {
    clientEnded = true
    if (phase === 'handshake') socket.destroy()
    else pump()
  }

  function onClientGone(): void {
    if (phase === 'relay' && target !== undefined) report.finished(target, stream.bytesSent, stream.bytesReceived)
    // When both ends have been passed on, what is still on its way to the backend shall arrive.
    if (phase !== 'relay' || !endPassed || !streamEnded) stream.reset()
    phase = 'closing'
    stopTimers()
    writer.dispose()
    cancelWait?.()
  }

  function stopTimers(): void {
    stopTimer()
    stopAnswerTimer?.()
  }

  return {
    drain() {
      draining = true
      if (phase === 'handshake') socket.destroy()
    },
  }
}
