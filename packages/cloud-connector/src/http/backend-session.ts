import type { Socket } from 'node:net'
import type { ResponseHead } from '@sallyport/http-head'
import type { Clock } from '@sallyport/core'
import { discard, type SharedReading } from '@sallyport/tunnel'
import { type BackendTarget, isMutuallyAuthenticated } from '../backend/backend-connection.ts'
import { backendBufferBytes, lateAnswerMs, lingerMs } from '../limits.ts'
import type { MappingMonitor } from '../monitoring/backend-monitor.ts'
import { AnswerReader } from './answer-reader.ts'

/** What the connection of an application hears from its backend connection. */
export interface SessionHandlers {
  onInterim(raw: Buffer): void
  onUpgraded(raw: Buffer, rest: Buffer | undefined): void
  onFinal(head: ResponseHead): Buffer | undefined
  /** The chunk is borrowed: its memory is written over afterwards. The same holds for the bytes of the others. */
  onBytes(chunk: Buffer): void
  onComplete(): void
  /** The answer that is due will not come, or not to its end. `begun`: part of it has been passed on. */
  onBroken(reason: string, begun: boolean): void
  onDrain(): void
  /** The backend sends no more; nothing is due. After an upgrade our direction stays open. */
  onEnd(): void
}

interface SentRequest {
  readonly method: string
  readonly upgradeAsked: boolean
  readonly more: boolean
}

interface SessionOptions {
  readonly socket: Socket
  /** How the socket reads; by `data` events when left out. */
  readonly reading?: SharedReading
  readonly target: BackendTarget
  readonly clock: Clock
  readonly monitor: MappingMonitor
  readonly handlers: SessionHandlers
}

/** One backend connection that serves the requests of one application connection. Takes a connected socket over. */
export class BackendSession {
  readonly target: BackendTarget
  /** Whether user certificates may travel on it. */
  readonly mutual: boolean
  /** Whom a ticket has logged on to it: some backends remember that for the connection, so that nobody else's request may follow. */
  loggedOn: string | undefined
  /** Requests sent so far. */
  requests = 0
  private readonly socket: Socket
  private readonly clock: Clock
  private readonly monitor: MappingMonitor
  private readonly handlers: SessionHandlers
  private readonly reader: AnswerReader
  private readonly destroySocket: Socket['destroy']
  /** When the connection last began to wait for a request. */
  idleSinceMs: number
  private opaque = false
  private ended = false
  private closed = false
  private busy = false
  private corked = false
  private cancelLateAnswer: (() => void) | undefined = undefined

  constructor({ clock, handlers, monitor, reading, socket, target }: SessionOptions) {
    this.socket = socket
    this.target = target
    this.clock = clock
    this.monitor = monitor
    this.handlers = handlers
    this.mutual = isMutuallyAuthenticated(socket, target.tls)
    this.idleSinceMs = clock.now()
    monitor.idle.add(this)
    this.reader = new AnswerReader({
      onInterim: handlers.onInterim,
      onFinal: handlers.onFinal,
      onBytes: handlers.onBytes,
      onUpgraded: (raw, rest) => {
        this.opaque = true
        handlers.onUpgraded(raw, rest)
      },
      onComplete: () => {
        this.setBusy(false)
        handlers.onComplete()
      },
      onBroken: (reason) => this.broken(reason),
    })
    this.destroySocket = socket.destroy.bind(socket)
    socket.destroy = (error) => this.onDestroy(error)
    if (reading === undefined) socket.on('data', (chunk: Buffer) => this.onData(chunk))
    socket.on('drain', () => {
      if (!this.closed) handlers.onDrain()
    })
    socket.on('end', () => this.onEnd())
    socket.on('error', () => this.lost('the connection was reset'))
    socket.on('close', () => {
      if (this.opaque && this.ended) this.close()
      else this.lost('the connection was closed')
    })
    if (reading === undefined) return
    reading.take((chunk) => this.onData(chunk))
    socket.resume()
  }

  /** Whether another request may be sent. */
  get usable(): boolean {
    return !this.closed && !this.ended && !this.opaque && this.reader.isIdle
  }

  /** Sends a head; an answer is due from here on. `more`: a body follows, perhaps within this turn. */
  send(head: Buffer, { method, more, upgradeAsked }: SentRequest): boolean {
    this.requests++
    this.setBusy(true)
    this.reader.expect(method, upgradeAsked)
    if (more) return this.gather(head)
    return this.socket.write(head) || this.socket.writableLength < backendBufferBytes
  }

  write(chunk: Buffer): boolean {
    return this.closed || this.socket.writableEnded || this.cancelLateAnswer !== undefined || this.gather(chunk)
  }

  /** Ends our direction and lets what is written arrive; afterwards nothing is called. */
  finish(): void {
    if (this.closed) return
    this.cancelLateAnswer?.()
    this.socket.end()
    this.cancelLateAnswer = this.clock.after(lingerMs, () => this.close())
  }

  /** Ends our direction. */
  end(): void {
    if (!this.closed) this.socket.end()
  }

  pause(): void {
    if (!this.closed) this.socket.pause()
  }

  resume(): void {
    if (!this.closed) this.socket.resume()
  }

  /** Closes at once. Nothing is called afterwards. */
  close(): void {
    if (this.closed) return
    this.closed = true
    if (this.busy) this.monitor.active--
    else this.monitor.idle.delete(this)
    this.cancelLateAnswer?.()
    this.socket.destroy = this.destroySocket
    discard(this.socket)
  }

  private onData(chunk: Buffer): void {
    if (this.closed) return
    if (this.opaque) this.handlers.onBytes(chunk)
    else this.reader.feed(chunk)
  }

  private onEnd(): void {
    if (this.closed) return
    this.ended = true
    if (!this.opaque && !this.reader.isIdle) this.reader.end()
    if (this.closed) return
    if (!this.opaque) this.close()
    this.handlers.onEnd()
  }

  private lost(reason: string): void {
    if (this.closed) return
    if (this.opaque || !this.reader.isIdle) return this.broken(reason)
    this.close()
    this.handlers.onEnd()
  }

  private broken(reason: string): void {
    const { begun } = this.reader
    this.close()
    this.handlers.onBroken(reason, begun)
  }

  /**
   * A write into a connection that the backend has closed fails before its answer, perhaps waiting in the kernel already, has been read. Node
   * would destroy the socket and the answer with it; this keeps reading until the answer, the end or a moment has passed.
   */
  private onDestroy(error: Error | undefined): Socket {
    const { socket } = this
    const writing = error !== undefined && 'syscall' in error && error.syscall === 'write'
    if (!writing || this.reader.isIdle || this.opaque || this.cancelLateAnswer !== undefined) return this.destroySocket(error)
    this.ended = true
    // Node marks the readable half as failed together with the writable one and would throw away what it reads. There is no public way to
    // say that it has not; `faults/late-answer.fault.test.ts` notices when this one stops working.
    const { _readableState: readable } = socket as unknown as { readonly _readableState?: { errored: Error | null } }
    if (readable !== undefined) readable.errored = null
    this.cancelLateAnswer = this.clock.after(lateAnswerMs, () => this.lost('the connection was closed while the request was sent'))
    return socket
  }

  private setBusy(busy: boolean): void {
    if (this.busy === busy) return
    this.busy = busy
    if (busy) {
      this.monitor.active++
      this.monitor.idle.delete(this)
      return
    }
    this.monitor.active--
    this.idleSinceMs = this.clock.now()
    this.monitor.idle.add(this)
  }

  /** Gathers what a turn writes: head and body, and pieces of a body, leave as one. */
  private gather(chunk: Buffer): boolean {
    if (!this.corked) {
      this.corked = true
      this.socket.cork()
      process.nextTick(BackendSession.uncork, this)
    }
    this.socket.write(chunk)
    return this.socket.writableLength < backendBufferBytes
  }

  private static uncork(session: BackendSession): void {
    session.corked = false
    session.socket.uncork()
  }
}
