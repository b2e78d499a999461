import type { Socket } from 'node:net'
import { resetSocket, type StreamCloseReason } from '@sallyport/core'
import { formatRequestHead, parseRequestHead, type RequestHead } from '@sallyport/http-head'
import { ClientWriter, type WriterOwner } from '../client-writer.ts'
import type { ConnectionPlace, ServedConnection } from '../listener.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import { RequestReport } from '../request-report.ts'
import type { StreamLink, StreamOwner } from '../stream-link.ts'
import { AnswerRelay, type AnswerState } from './answer-relay.ts'
import { BodyCursor } from './body-cursor.ts'
import { HeadReader } from './head-reader.ts'
import type { HttpEntry } from './http-entry.ts'
import { formatRefusal } from './refusal-answer.ts'
import { planRequest, type RequestPlan } from './request-plan.ts'
import { Route } from './route.ts'

/**
 * Where a connection stands: between requests, waiting for a verdict or a tunnel, with a request under way, switched to another protocol, or on its way out.
 * Bytes that the phase has no use for wait in `pending` while the socket is paused, so never much more than one read of them.
 */
type Phase = 'idle' | 'deciding' | 'exchange' | 'opaque' | 'closing'

/**
 * One connection of an application: its requests go one after the other over one stream of one tunnel.
 *
 * The connection owns the socket and the stream: when either is gone, so is the other. Nothing of a body is read before its request is authorised and the
 * stream is open; from then on bytes pass as they come, and each side waits for the other.
 */
export class HttpConnection implements ServedConnection, StreamOwner, WriterOwner {
  private readonly socket: Socket
  private readonly place: ConnectionPlace
  private readonly entry: HttpEntry
  private readonly writer: ClientWriter
  private readonly report: RequestReport
  private readonly heads: HeadReader<RequestHead>
  private phase: Phase = 'idle'
  private pending: Buffer | undefined
  private isReading = true
  private isDraining = false
  private clientEnded = false
  private endPassed = false
  /** The timer that runs is that of a head: from accepting on for the first one, from its first byte on for the others. */
  private isHeadTimed = true
  private answerPaused = false
  private stopTimer: (() => void) | undefined

  // From the first request on; many connections never send one.
  private route: Route | undefined
  private body: BodyCursor | undefined
  private answer: AnswerRelay | undefined

  // Of the request under way.
  private method = 'GET'
  private isLastRequest = false
  private isAnswered = true
  private sentBefore = 0
  private receivedBefore = 0

  constructor(socket: Socket, place: ConnectionPlace, entry: HttpEntry) {
    this.socket = socket
    this.place = place
    this.entry = entry
    this.writer = new ClientWriter(socket, entry.clock, entry.limits.writeTimeoutMs, this)
    this.report = new RequestReport('http', entry)
    this.heads = new HeadReader((bytes, from) => parseRequestHead(bytes, from, entry.limits.requestHead))
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
    this.startTimer(entry.limits.headTimeoutMs)
  }

  drain(): void {
    this.isDraining = true
    if (this.phase === 'idle' && this.heads.heldBytes === 0) this.close()
  }

  /** Hands waiting bytes to whoever can use them now, then reads on or stops reading. */
  private pump(): void {
    while (this.pending !== undefined && !this.socket.destroyed) {
      const chunk = this.pending
      if (this.phase === 'closing') this.pending = undefined
      else if (this.phase === 'idle' && this.writer.isReady) this.readHead(chunk)
      else if (this.phase === 'exchange' && !this.isBodyDone() && !this.isStreamFull()) this.sendBody(chunk)
      else if (this.phase === 'opaque' && !this.isStreamFull()) {
        this.pending = undefined
        this.route?.stream?.write(chunk)
      } else break
    }
    if (this.clientEnded && this.pending === undefined) this.onInputDone()
    const want = this.phase === 'closing' || (this.pending === undefined && !this.isStreamFull() && this.phase !== 'deciding')
    if (want === this.isReading || this.socket.destroyed) return
    this.isReading = want
    if (want) this.socket.resume()
    else this.socket.pause()
  }

  private isBodyDone(): boolean {
    return this.body === undefined || this.body.isDone
  }

  private isStreamFull(): boolean {
    return this.route?.stream?.isFull === true
  }

  private readHead(chunk: Buffer): void {
    const { heads, entry } = this
    this.pending = undefined
    const result = heads.read(chunk, 0)
    if (result.state === 'incomplete') {
      if (!this.place.hold(heads.heldBytes)) this.socket.destroy()
      else if (!this.isHeadTimed) {
        this.isHeadTimed = true
        this.startTimer(entry.limits.headTimeoutMs)
      }
      return
    }
    this.endTimer()
    this.isHeadTimed = false
    this.place.hold(0)
    entry.onRequest()
    this.report.started()
    this.method = 'GET'
    if (this.route !== undefined) this.route.target = undefined
    if (result.state === 'refused') return this.refuse(refusals.malformedHead(result.refusal.status, result.refusal.reason), false)
    const { head } = result
    if (heads.next < heads.source.length) this.pending = heads.source.subarray(heads.next)
    heads.release()
    this.report.adopt(head)
    this.method = head.method
    this.isLastRequest = !head.keepAlive || head.minorVersion === 0
    const plan = planRequest(head)
    if (isRefusal(plan)) return this.refuse(plan, isRepeatable(head))
    const route = (this.route ??= new Route(entry, this, this.place, this.report))
    const found = route.find(plan)
    if (found instanceof Promise) this.wait(head, plan, found)
    else this.send(head, plan, found)
  }

  private wait(head: RequestHead, plan: RequestPlan, found: Promise<StreamLink | Refusal>): void {
    this.phase = 'deciding'
    const goOn = (result: StreamLink | Refusal): void => {
      // The application may have gone meanwhile.
      if (this.phase !== 'deciding') return
      this.send(head, plan, result)
      this.pump()
    }
    found.then(goOn, (error: unknown) => {
      this.entry.log.error({ correlationId: this.report.correlationId, error }, 'a request could not be decided')
      goOn(refusals.internal)
    })
  }

  private send(head: RequestHead, plan: RequestPlan, stream: StreamLink | Refusal): void {
    const { entry } = this
    if (isRefusal(stream)) return this.refuse(stream, isRepeatable(head))
    if (this.isDraining) return this.refuse(refusals.stopping, false)
    if (this.route?.target?.identity !== undefined && head.names.includes('authorization')) {
      const { correlationId } = this.report
      entry.log.warn(
        { correlationId, virtualHost: plan.host },
        'a request with a principal has an Authorization header as well, which is passed on',
      )
    }
    const body = (this.body ??= new BodyCursor(entry.requestScanner))
    const answer = (this.answer ??= new AnswerRelay(
      (chunk) => void this.writer.write(chunk),
      entry.limits.responseHead,
      entry.answerScanner,
    ))
    this.phase = 'exchange'
    this.isAnswered = false
    body.begin(head.framing)
    answer.begin(this.method, head.minorVersion === 0, plan.upgrade)
    if (entry.events.wanted) {
      this.sentBefore = stream.bytesSent
      this.receivedBefore = stream.bytesReceived
    }
    stream.write(formatRequestHead(this.method, plan.target, plan.lines))
  }

  private sendBody(chunk: Buffer): void {
    const { body, route } = this
    if (body === undefined || route?.stream === undefined) return
    const end = body.scan(chunk, 0)
    this.pending = end >= 0 && end < chunk.length ? chunk.subarray(end) : undefined
    if (end < 0) {
      route.giveUp()
      return this.failAnswer(refusals.malformedBody)
    }
    route.stream.write(end === chunk.length ? chunk : chunk.subarray(0, end))
    if (body.isDone && this.isAnswered) this.finishExchange()
  }

  onStreamData(chunk: Buffer): boolean {
    if (this.phase === 'opaque') this.writer.write(chunk)
    else if (this.phase === 'exchange' && !this.isAnswered && this.answer !== undefined) this.onAnswer(this.answer.feed(chunk))
    // An answer that nobody asked for, such as 408 of a backend that is tired of waiting. Whatever is in it, it must not become the next answer.
    else this.onUnusable()
    this.answerPaused = !this.writer.isReady
    return !this.answerPaused
  }

  /** Connectors send no messages on HTTP streams. */
  onStreamMessage(): void {}

  onStreamRoom(): void {
    this.pump()
  }

  onStreamEnd(): void {
    if (this.phase === 'opaque') this.writer.end()
    else if (this.phase === 'exchange' && !this.isAnswered) {
      if (this.answer?.end() === 'complete') {
        this.finishExchange()
        return this.pump()
      }
      this.route?.giveUp()
      this.failAnswer(refusals.backendClosed)
    } else this.onUnusable()
  }

  onStreamClose(reason: StreamCloseReason): void {
    if (this.phase === 'opaque') {
      if (reason.kind !== 'finished') this.cut()
      return
    }
    this.route?.giveUp()
    if (this.phase === 'exchange' && !this.isAnswered) {
      this.failAnswer(reason.kind === 'reset' && reason.code === 'refused' ? refusals.streamRefused : refusals.tunnelLost)
    } else this.onUnusable()
  }

  /** The backend connection ends while no answer is owed: so does the application's. A request that is being decided will find that it needs a new stream. */
  private onUnusable(): void {
    if (this.phase === 'deciding') this.route?.giveUp()
    else this.close()
  }

  private onAnswer(state: AnswerState): void {
    if (state === 'more') return
    if (state === 'broken') {
      const { correlationId } = this.report
      this.entry.log.warn({ correlationId, code: 'PROTOCOL_VIOLATION' }, 'the connector sent an answer that cannot be read')
      this.route?.giveUp()
      return this.failAnswer(refusals.answerUnusable)
    }
    if (state === 'upgraded') this.phase = 'opaque'
    else {
      this.isAnswered = true
      if (this.isBodyDone() || this.answer?.keepAlive === false) this.finishExchange()
    }
    this.pump()
  }

  /** No proper answer will come: another one takes its place, or, when part of it has gone out, a cut that cannot be taken for its end. */
  private failAnswer(refusal: Refusal): void {
    if (this.answer?.hasStarted === true) this.cut()
    else this.refuse(refusal, false)
  }

  private finishExchange(): void {
    this.reportFinished()
    this.phase = 'idle'
    if (this.isLastRequest || this.isDraining || this.answer?.keepAlive === false || !this.isBodyDone()) this.close()
    else if (this.entry.limits.idleTimeoutMs > 0) this.startTimer(this.entry.limits.idleTimeoutMs)
  }

  private reportFinished(): void {
    if (!this.entry.events.wanted || this.route?.target === undefined || this.route.stream === undefined) return
    const { stream, target } = this.route
    this.report.finished(target, stream.bytesSent - this.sentBefore, stream.bytesReceived - this.receivedBefore)
  }

  private refuse(refusal: Refusal, keepOpen: boolean): void {
    this.report.refused(refusal, this.route?.target)
    const close = !keepOpen || this.isDraining
    this.writer.write(formatRefusal(refusal, { requestId: this.report.correlationId, headOnly: this.method === 'HEAD', close }))
    this.phase = 'idle'
    if (close) this.close()
    // Whoever has no stream still counts as pending, and a refusal must not be a way to do so for ever.
    else if (this.route?.stream === undefined) this.startTimer(this.entry.limits.headTimeoutMs)
  }

  /**
   * Closes a connection on which no answer is owed any more; the backend connection ends like the application's. What is written still goes out, and reading
   * goes on for a while: closing on unread bytes would take the last answer away from its reader.
   */
  private close(): void {
    if (this.phase === 'closing') return
    this.phase = 'closing'
    if (this.isBodyDone()) this.route?.leave()
    else this.route?.giveUp()
    this.pending = undefined
    this.place.hold(0)
    this.endTimer()
    this.socket.once('finish', () => this.startTimer(this.entry.limits.lingerMs))
    this.writer.end()
    this.pump()
  }

  private cut(): void {
    resetSocket(this.socket)
  }

  onStalled(): void {
    this.entry.log.debug({ correlationId: this.report.correlationId }, 'an application stopped reading and is cut off')
    this.cut()
  }

  onWritable(): void {
    if (this.answerPaused) {
      this.answerPaused = false
      this.route?.stream?.resume()
    }
    this.pump()
  }

  /** The application has ended its side, and everything it sent has been used. */
  private onInputDone(): void {
    if (this.phase === 'idle') this.close()
    else if (this.phase === 'opaque' && !this.endPassed) {
      this.endPassed = true
      this.route?.stream?.end()
    }
    // The rest of the request will not come; a backend must not take the part for the whole.
    else if (this.phase === 'exchange' && !this.isBodyDone()) this.cut()
  }

  private onClientGone(): void {
    if (this.phase === 'exchange' || this.phase === 'opaque') this.reportFinished()
    // Both ends of an opaque exchange have been passed on: what is still on its way to the backend shall arrive.
    if (this.phase !== 'opaque' || !this.endPassed || this.route?.stream?.hasEnded !== true) this.route?.giveUp()
    this.phase = 'closing'
    this.endTimer()
    this.writer.dispose()
    this.route?.cancel()
  }

  private startTimer(delayMs: number): void {
    this.endTimer()
    if (delayMs > 0) this.stopTimer = this.entry.clock.after(delayMs, () => this.socket.destroy())
  }

  private endTimer(): void {
    this.stopTimer?.()
    this.stopTimer = undefined
  }
}

/** Whether the connection may stay open behind a refused request: nothing of it is still to come. */
function isRepeatable(head: RequestHead): boolean {
  return head.keepAlive && head.minorVersion === 1 && head.framing.kind === 'none' && !head.expectsContinue
}
