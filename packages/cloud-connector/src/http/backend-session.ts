import type { Socket } from 'node:net'
import type { ResponseHead } from '@sallyport/http-head'
import type { Clock } from '@sallyport/core'
import { type BackendTarget, discard, isMutuallyAuthenticated } from '../backend/backend-connection.ts'
import { backendBufferBytes, lateAnswerMs, lingerMs } from '../limits.ts'
import type { MappingMonitor } from '../monitoring/backend-monitor.ts'
import { createAnswerReader } from './answer-reader.ts'

/** What the connection of an application hears from its backend connection. */
export interface SessionHandlers {
  onInterim(raw: Buffer): void
  onUpgraded(raw: Buffer, rest: Buffer | undefined): void
  onFinal(head: ResponseHead): Buffer | undefined
  onBytes(chunk: Buffer): void
  onComplete(): void
  /** The answer that is due will not come, or not to its end. `begun`: part of it has been passed on. */
  onBroken(reason: string, begun: boolean): void
  onDrain(): void
  /** The backend sends no more; nothing is due. After an upgrade our direction stays open. */
  onEnd(): void
}

/** One backend connection that serves the requests of one application connection. */
export interface BackendSession {
  readonly target: BackendTarget
  /** Whether user certificates may travel on it. */
  readonly mutual: boolean
  /** Requests sent so far. */
  readonly requests: number
  /** Whether another request may be sent. */
  readonly usable: boolean
  /** Sends a head; an answer is due from here on. `more`: a body follows, perhaps within this turn. */
  send(head: Buffer, request: { readonly method: string; readonly upgradeAsked: boolean; readonly more: boolean }): boolean
  write(chunk: Buffer): boolean
  /** Ends our direction. */
  end(): void
  pause(): void
  resume(): void
  /** Ends our direction and lets what is written arrive; afterwards nothing is called. */
  finish(): void
  /** Closes at once. Nothing is called afterwards. */
  close(): void
}

/** Takes a connected socket over. */
export function createBackendSession(options: {
  readonly socket: Socket
  readonly target: BackendTarget
  readonly clock: Clock
  readonly monitor: MappingMonitor
  readonly handlers: SessionHandlers
}): BackendSession {
  const { clock, handlers, monitor, socket, target } = options
  const mutual = isMutuallyAuthenticated(socket, target.tls)
  let requests = 0
  let opaque = false
  let ended = false
  let closed = false
  let busy = false
  monitor.idle++

  const setBusy = (now: boolean): void => {
    if (busy === now) return
    busy = now
    monitor.active += now ? 1 : -1
    monitor.idle += now ? -1 : 1
  }
  const close = (): void => {
    if (closed) return
    closed = true
    if (busy) monitor.active--
    else monitor.idle--
    cancelLateAnswer?.()
    destroyNow()
  }
  const broken = (reason: string): void => {
    const { begun } = reader
    close()
    handlers.onBroken(reason, begun)
  }
  const reader = createAnswerReader({
    onInterim: handlers.onInterim,
    onFinal: handlers.onFinal,
    onBytes: handlers.onBytes,
    onUpgraded(raw, rest) {
      opaque = true
      handlers.onUpgraded(raw, rest)
    },
    onComplete() {
      setBusy(false)
      handlers.onComplete()
    },
    onBroken: broken,
  })
  const lost = (reason: string): void => {
    if (closed) return
    if (opaque || !reader.idle) return broken(reason)
    close()
    handlers.onEnd()
  }

  // A write into a connection that the backend has closed fails before its answer, perhaps waiting in the kernel already, has been read. Node
  // would destroy the socket and the answer with it; this keeps reading until the answer, the end or a moment has passed.
  const destroy = socket.destroy.bind(socket)
  const destroyNow = (): void => {
    socket.destroy = destroy
    discard(socket)
  }
  let cancelLateAnswer: (() => void) | undefined
  socket.destroy = (error) => {
    const writing = error !== undefined && 'syscall' in error && error.syscall === 'write'
    if (!writing || reader.idle || opaque || cancelLateAnswer !== undefined) return destroy(error)
    ended = true
    // Node marks the readable half as failed together with the writable one and would throw away what it reads. There is no public way to
    // say that it has not; `faults/late-answer.fault.test.ts` notices when this one stops working.
    const { _readableState: readable } = socket as unknown as { readonly _readableState?: { errored: Error | null } }
    if (readable !== undefined) readable.errored = null
    cancelLateAnswer = clock.after(lateAnswerMs, () => lost('the connection was closed while the request was sent'))
    return socket
  }

  socket.on('data', (chunk: Buffer) => {
    if (closed) return
    if (opaque) handlers.onBytes(chunk)
    else reader.feed(chunk)
  })
  socket.on('drain', () => {
    if (!closed) handlers.onDrain()
  })
  socket.on('end', () => {
    if (closed) return
    ended = true
    if (!opaque && !reader.idle) reader.end()
    if (closed) return
    if (!opaque) close()
    handlers.onEnd()
  })
  socket.on('error', () => lost('the connection was reset'))
  socket.on('close', () => {
    if (opaque && ended) close()
    else lost('the connection was closed')
  })

  /** Gathers what a turn writes: head and body, and pieces of a body, leave as one. */
  let corked = false
  const write = (chunk: Buffer): boolean => {
    if (!corked) {
      corked = true
      socket.cork()
      process.nextTick(uncork)
    }
    socket.write(chunk)
    return socket.writableLength < backendBufferBytes
  }
  const uncork = (): void => {
    corked = false
    socket.uncork()
  }

  return {
    target,
    mutual,
    get requests() {
      return requests
    },
    get usable() {
      return !closed && !ended && !opaque && reader.idle
    },
    send(head, { method, more, upgradeAsked }) {
      requests++
      setBusy(true)
      reader.expect(method, upgradeAsked)
      return more ? write(head) : socket.write(head) || socket.writableLength < backendBufferBytes
    },
    write: (chunk) => closed || socket.writableEnded || cancelLateAnswer !== undefined || write(chunk),
    finish() {
      if (closed) return
      cancelLateAnswer?.()
      socket.end()
      cancelLateAnswer = clock.after(lingerMs, close)
    },
    end() {
      if (!closed) socket.end()
    },
    pause() {
      if (!closed) socket.pause()
    },
    resume() {
      if (!closed) socket.resume()
    },
    close,
  }
}
