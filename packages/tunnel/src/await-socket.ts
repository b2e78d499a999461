import type { Socket } from 'node:net'
import type { Clock } from '@sallyport/core'

/**
 * Waits until a socket that somebody has begun to connect is ready: name, TCP and TLS under one deadline. Exactly one of the callbacks is called, unless the
 * returned function has given the attempt up before. A ready socket has no listener left and is the callee's; one that failed has been destroyed.
 *
 * @example
 * const cancel = awaitSocket(connect({ host, port, allowHalfOpen: true }), {
 *   ready: 'connect', clock, timeoutMs: 15_000,
 *   onReady: (socket) => relay(socket, held.take),
 *   onFailed: (error) => refuse(error === undefined ? 'no answer in time' : error.message),
 * })
 */
export function awaitSocket(
  socket: Socket,
  options: {
    readonly ready: 'connect' | 'secureConnect'
    readonly clock: Clock
    readonly timeoutMs: number
    readonly onReady: (socket: Socket) => void
    /** Without an error: the time was over. */
    readonly onFailed: (error: NodeJS.ErrnoException | undefined) => void
  },
): () => void {
  const { ready } = options
  const settle = (): boolean => {
    if (settled) return false
    settled = true
    cancelDeadline()
    socket.off('error', failed).off('close', closed).off(ready, connected)
    return true
  }
  const fail = (error: NodeJS.ErrnoException | undefined): void => {
    if (!settle()) return
    discard(socket)
    options.onFailed(error)
  }
  const failed = (error: Error): void => fail(error)
  const closed = (): void => fail(Object.assign(new Error('closed while connecting'), { code: 'ECONNRESET' }))
  const connected = (): void => {
    if (settle()) options.onReady(socket)
  }
  let settled = false
  const cancelDeadline = options.clock.after(options.timeoutMs, () => fail(undefined))
  socket.on('error', failed).on('close', closed).on(ready, connected)
  return () => {
    if (settle()) discard(socket)
  }
}

/** Destroys a socket whose late errors interest nobody. */
export function discard(socket: Socket): void {
  socket.on('error', () => {})
  socket.destroy()
}
