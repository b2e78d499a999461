import type { Socket } from 'node:net'
import type { Clock } from '@sallyport/core'

/** A socket that has not shown yet that it belongs to a connector. */
export interface HalfOpenSocket {
  /** It has become part of a connection: nobody counts or closes it here any more. */
  settle(): void
}

/** The sockets in front of the handshake. */
export interface HalfOpenSockets {
  readonly size: number
  add(socket: Socket): HalfOpenSocket
  closeAll(): void
}

/**
 * Bounds the sockets in front of the handshake in number and time. When there is one too many, the oldest goes: a
 * flood of silent connections then costs the slow ones their place and not the newcomers, among whom the honest are.
 */
export function createHalfOpenSockets(options: {
  readonly clock: Clock
  readonly max: number
  readonly timeoutMs: number
}): HalfOpenSockets {
  // A set hands its members out in the order they came.
  const sockets = new Set<Socket>()
  return {
    get size() {
      return sockets.size
    },
    add(socket) {
      if (sockets.size >= options.max) {
        const [oldest] = sockets
        if (oldest !== undefined) {
          sockets.delete(oldest)
          oldest.destroy()
        }
      }
      sockets.add(socket)
      const cancel = options.clock.after(options.timeoutMs, () => socket.destroy())
      const settle = (): void => {
        cancel()
        sockets.delete(socket)
      }
      socket.once('close', settle)
      return {
        settle() {
          socket.off('close', settle)
          settle()
        },
      }
    },
    closeAll() {
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
  }
}
