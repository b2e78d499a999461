import type { Socket } from 'node:net'

/**
 * Closes a socket so that the other side cannot take what it has got for everything: a FIN would say "complete". For use instead of
 * `resetAndDestroy`, which leaves a socket open for ever that has just been ended: while the end is on its way to the
 * system, the system refuses to reset (`EINVAL`), and Node does not try again.
 */
export function resetSocket(socket: Socket): void {
  if (socket.destroyed) return
  // TLS sockets cannot send an RST, but without their close notification the cut is visible as well. What is not connected has said nothing.
  if ('encrypted' in socket || socket.connecting) socket.destroy()
  else if (isEnding(socket)) socket.once('finish', () => socket.resetAndDestroy())
  else socket.resetAndDestroy()
}

/** Everything has been written, and the end is being written: a matter of one turn. */
function isEnding({ writableEnded, writableFinished, writableLength }: Socket): boolean {
  return writableEnded && !writableFinished && writableLength === 0
}
