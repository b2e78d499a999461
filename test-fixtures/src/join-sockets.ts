import type { Socket } from 'node:net'

/** Relays between two sockets, half-close and resets included. */
export function joinSockets(a: Socket, b: Socket): void {
  const reset = (socket: Socket) => (): void => void socket.resetAndDestroy()
  a.on('error', reset(b))
  b.on('error', reset(a))
  a.on('close', () => b.destroySoon())
  b.on('close', () => a.destroySoon())
  a.pipe(b)
  b.pipe(a)
}
