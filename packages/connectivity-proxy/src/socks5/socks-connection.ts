import type { Socket } from 'node:net'
import { resetSocket, type StreamCloseReason } from '@sallyport/core'
import { formatMessage } from '@sallyport/tunnel'
import type { Admission } from '../admission.ts'
import { ClientWriter, type WriterOwner } from '../client-writer.ts'
import { maxApplicationCharacters } from '../limits.ts'
import type { ConnectionPlace, ServedConnection } from '../listener.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import { RequestReport, type RequestTarget } from '../request-report.ts'
import { StreamLink, type StreamOwner } from '../stream-link.ts'
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
import { type SocksMessage, SocksReader } from './socks-reader.ts'
import { readTcpAnswer } from './tcp-answer.ts'

/** Reading a message of the handshake, waiting for a verdict, for the connector's answer, joined to the backend, or on its way out. */
type Phase = 'handshake' | 'deciding' | 'opening' | 'relay' | 'closing'

/**
 * One connection of an application: method, token, target, then opaque bytes both ways with half-close.
 *
 * Nothing is sent to the application after a refusal, and success only after the connector has reached the backend. Bytes that the application sends early wait
 * until then. A backend that speaks first is heard a moment after the success reply, because some clients attach their reader late.
 */
export class SocksConnection implements ServedConnection, StreamOwner, WriterOwner {
  private readonly socket: Socket
  private readonly place: ConnectionPlace
  private readonly entry: SocksEntry
  private readonly writer: ClientWriter
  private readonly report: RequestReport
  private readonly stream: StreamLink
  private reader: SocksReader | undefined
  private phase: Phase = 'handshake'
  private pending: Buffer | undefined
  private isReading = true
  private isDraining = false
  private clientEnded = false
  private endPassed = false
  private answerPaused = false
  /** `awaited`: the first bytes of the backend are to be held; a buffer: they are. */
  private greeting: 'awaited' | Buffer | undefined
  private admission: Admission | undefined
  private locationId = ''
  private target: RequestTarget | undefined
  private cancelWait: (() => void) | undefined
  private stopTimer: () => void

  constructor(socket: Socket, place: ConnectionPlace, entry: SocksEntry) {
    this.socket = socket
    this.place = place
    this.entry = entry
    this.writer = new ClientWriter(socket, entry.clock, entry.limits.writeTimeoutMs, this)
    this.report = new RequestReport('socks5', entry)
    this.stream = new StreamLink(this)
    this.reader = new SocksReader({ maxTokenBytes: entry.limits.maxSocksTokenBytes })
    this.stopTimer = entry.clock.after(entry.limits.handshakeTimeoutMs, () => this.onTimeout())
    socket.on('data', (chunk: Buffer) => {
      this.pending = this.pending === undefined ? chunk : Buffer.concat([this.pending, chunk])
      this.pump()
    })
    // Node says so even while the socket is paused, so there may be bytes left to use.
    socket.on('end', () => {
      this.clientEnded = true
      this.pump()
    })
    socket.on('close', () => this.onClientGone())
    this.report.started()
  }

  drain(): void {
    this.isDraining = true
    if (this.phase === 'handshake') this.socket.destroy()
  }

  /** Hands waiting bytes to whoever can use them now, then reads on or stops reading. */
  private pump(): void {
    while (this.pending !== undefined && !this.socket.destroyed) {
      const chunk = this.pending
      if (this.phase === 'handshake' && this.reader !== undefined) this.readMessage(chunk, this.reader)
      else if (this.phase === 'relay' && !this.stream.isFull) {
        this.pending = undefined
        this.passGreeting()
        this.stream.write(chunk)
      } else if (this.phase === 'closing') this.pending = undefined
      else break
    }
    if (this.clientEnded && this.pending === undefined) this.onInputDone()
    const want = this.phase === 'closing' || (this.pending === undefined && !this.stream.isFull && this.phase !== 'deciding')
    if (want === this.isReading || this.socket.destroyed) return
    this.isReading = want
    if (want) this.socket.resume()
    else this.socket.pause()
  }

  private readMessage(chunk: Buffer, reader: SocksReader): void {
    const end = reader.read(chunk, 0)
    this.pending = end < chunk.length ? chunk.subarray(end) : undefined
    if (!this.place.hold(reader.heldBytes)) this.socket.destroy()
    else if (reader.message !== undefined) this.onHandshake(reader.message, reader)
  }

  private onHandshake(message: SocksMessage, reader: SocksReader): void {
    switch (message.kind) {
      case 'greeting':
        return this.chooseMethod(message.methods, reader)
      case 'token':
        return this.judgeToken(message.token, message.locationId, reader)
      case 'request':
        return message.command === connectCommand ? this.connect(message.host, message.port) : this.refuse(refusals.commandUnsupported)
      case 'unsupported-address':
        return this.refuse(message.command === connectCommand ? refusals.addressTypeUnsupported : refusals.commandUnsupported)
      case 'malformed':
        this.report.refused(refusals.malformedSocks(message.reason), undefined)
        // Who does not speak SOCKS 5 gets no answer in SOCKS 5.
        if (message.while === 'greeting') this.socket.destroy()
        else
          this.close(message.while === 'token' ? formatTokenAnswer(socksReplies.authenticationFailed) : formatReply(socksReplies.failure))
    }
  }

  /** The token method whenever it is offered: a client that is let in without would never send its token. */
  private chooseMethod(methods: readonly number[], reader: SocksReader): void {
    const { authorization, tenancy } = this.entry
    if (methods.includes(tokenMethod)) {
      reader.await('token')
      this.writer.write(formatMethodChoice(tokenMethod))
    } else if (methods.includes(noAuthenticationMethod) && !authorization && tenancy.mode === 'dedicated') {
      this.admission = { tenant: tenancy.subaccount, client: '', user: undefined }
      reader.await('request')
      this.writer.write(formatMethodChoice(noAuthenticationMethod))
    } else {
      this.report.refused(refusals.tokenMethodMissing, undefined)
      this.close(formatMethodChoice(noAcceptableMethod))
    }
  }

  private judgeToken(token: string, locationId: string, reader: SocksReader): void {
    const { authorization, gate, log, tenancy } = this.entry
    this.locationId = locationId
    if (!authorization && tenancy.mode === 'dedicated') {
      return this.admit({ tenant: tenancy.subaccount, client: '', user: undefined }, reader)
    }
    const verdict = gate.peek(token)
    if (verdict !== undefined) return this.admit(verdict, reader)
    this.phase = 'deciding'
    const goOn = (found: Admission | Refusal): void => {
      // The application may have gone meanwhile.
      if (this.phase !== 'deciding') return
      this.phase = 'handshake'
      this.admit(found, reader)
      this.pump()
    }
    gate.verify(token).then(goOn, (error: unknown) => {
      log.error({ correlationId: this.report.correlationId, error }, 'a token could not be checked')
      goOn(refusals.internal)
    })
  }

  private admit(verdict: Admission | Refusal, reader: SocksReader): void {
    if (isRefusal(verdict)) {
      this.report.refused(verdict, undefined)
      return this.close(formatTokenAnswer(socksReplies.authenticationFailed))
    }
    this.admission = verdict
    reader.await('request')
    this.writer.write(formatTokenAnswer(socksReplies.succeeded))
  }

  private connect(host: string, port: number): void {
    const { admission, entry, locationId } = this
    if (admission === undefined) return
    const target = { tenant: admission.tenant, locationId, host, port }
    this.target = target
    this.reader = undefined
    if (this.isDraining) return this.refuse(refusals.stopping)
    this.phase = 'opening'
    this.report.accepted(target, admission.client)
    const tunnel = entry.tunnels.find(target.tenant, locationId)
    if (tunnel !== undefined) return this.openStream(tunnel, target)
    const wait = waitForTunnel({ ...entry, subaccount: target.tenant, locationId })
    this.cancelWait = wait.cancel
    void wait.result.then((found) => {
      this.cancelWait = undefined
      if (this.phase !== 'opening') return
      if (isRefusal(found)) this.refuse(found)
      else this.openStream(found, target)
    })
  }

  private openStream(tunnel: ProxyTunnel, target: RequestTarget): void {
    const { clock, limits } = this.entry
    const application = (this.admission?.client ?? '').slice(0, maxApplicationCharacters)
    const opening = formatMessage({
      kind: 'tcp',
      subaccount: target.tenant,
      locationId: target.locationId,
      virtualHost: target.host,
      virtualPort: target.port,
      correlationId: this.report.correlationId,
      ...(application === '' ? {} : { application }),
      timeoutMs: limits.backendConnectTimeoutMs,
    })
    if (!this.stream.open(tunnel, opening)) return this.refuse(refusals.tunnelGone)
    // From here on the connector's answer is what can take long.
    this.stopTimer()
    this.stopTimer = clock.after(limits.backendConnectTimeoutMs, () => this.onTimeout())
    this.report.streamOpened(target, tunnel.tunnelId, this.stream.id)
  }

  private onTimeout(): void {
    if (this.phase === 'opening') this.refuse(refusals.backendSlow)
    else this.socket.destroy()
  }

  onStreamMessage(message: Buffer): void {
    if (this.phase !== 'opening') return
    const answer = readTcpAnswer(message)
    if (answer !== 'connected') return this.refuse(answer)
    this.phase = 'relay'
    this.stopTimer()
    this.place.admitted()
    this.writer.write(formatReply(socksReplies.succeeded))
    const { clock, limits } = this.entry
    if (limits.greetingPauseMs > 0) {
      this.greeting = 'awaited'
      this.stopTimer = clock.after(limits.greetingPauseMs, () => this.passGreeting())
    }
    this.pump()
  }

  /** The application has had time to attach its reader, or has spoken itself. */
  private passGreeting(): void {
    const held = this.greeting
    if (held === undefined) return
    this.greeting = undefined
    this.stopTimer()
    if (held === 'awaited' || this.socket.destroyed) return
    this.writer.write(held)
    this.answerPaused = !this.writer.isReady
    if (!this.answerPaused) this.stream.resume()
  }

  onStreamData(chunk: Buffer): boolean {
    if (this.greeting !== undefined) {
      this.greeting = this.greeting === 'awaited' ? chunk : Buffer.concat([this.greeting, chunk])
      return false
    }
    if (this.phase === 'relay') this.writer.write(chunk)
    else this.refuse(refusals.answerUnusable)
    this.answerPaused = !this.writer.isReady
    return !this.answerPaused
  }

  onStreamRoom(): void {
    this.pump()
  }

  onStreamEnd(): void {
    this.passGreeting()
    if (this.phase === 'relay') this.writer.end()
    else this.refuse(refusals.answerUnusable)
  }

  onStreamClose(reason: StreamCloseReason): void {
    if (this.phase === 'opening')
      this.refuse(reason.kind === 'reset' && reason.code === 'refused' ? refusals.streamRefused : refusals.tunnelGone)
    else if (this.phase === 'relay' && reason.kind !== 'finished') resetSocket(this.socket)
  }

  private refuse(refusal: Refusal): void {
    this.report.refused(refusal, this.target)
    this.close(formatReply(refusal.reply))
  }

  /** Says the last word, then reads on for a while: closing on unread bytes would take it away from its reader. */
  private close(lastWord: Buffer): void {
    if (this.phase === 'closing') return
    this.phase = 'closing'
    this.stopTimer()
    this.place.hold(0)
    this.stream.reset()
    this.socket.once('finish', () => {
      this.stopTimer = this.entry.clock.after(this.entry.limits.lingerMs, () => this.socket.destroy())
    })
    this.writer.write(lastWord)
    this.writer.end()
    this.pump()
  }

  onWritable(): void {
    if (!this.answerPaused) return
    this.answerPaused = false
    this.stream.resume()
  }

  onStalled(): void {
    this.entry.log.debug({ correlationId: this.report.correlationId }, 'an application stopped reading and is cut off')
    resetSocket(this.socket)
  }

  /** The application has ended its side, and everything it sent has been used. */
  private onInputDone(): void {
    if (this.phase === 'handshake') this.socket.destroy()
    else if (this.phase === 'relay' && !this.endPassed) {
      this.endPassed = true
      this.stream.end()
    }
  }

  private onClientGone(): void {
    if (this.phase === 'relay' && this.target !== undefined) {
      this.report.finished(this.target, this.stream.bytesSent, this.stream.bytesReceived)
    }
    // When both ends have been passed on, what is still on its way to the backend shall arrive.
    if (this.phase !== 'relay' || !this.endPassed || !this.stream.hasEnded) this.stream.reset()
    this.phase = 'closing'
    this.stopTimer()
    this.writer.dispose()
    this.cancelWait?.()
  }
}
