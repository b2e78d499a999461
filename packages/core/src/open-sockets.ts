import type { Server, Socket } from 'node:net'

/** The sockets that a server has open, whatever state they are in. */
export interface OpenSockets {
  destroyAll(): void
}

/**
 * Follows the sockets of a server from the moment they are accepted. An orderly close of a TLS server waits for peers in the middle of the handshake, which
 * `closeAllConnections` knows nothing of; a peer that never goes on would keep it open for ever.
 *
 * `onError` hears of connections that could not be accepted, for want of descriptors for instance: without a listener that would end the process.
 */
export function trackSockets(server: Pick<Server, 'listening' | 'on'>, onError: (error: Error) => void): OpenSockets {
  const open = new Set<Socket>()
  server.on('error', (error) => {
    // Before, it is for whoever listens.
    if (server.listening) onError(error)
  })
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
  })
  return {
    destroyAll() {
      for (const socket of open) socket.destroy()
    },
  }
}
