import type { Socket } from 'node:net'
import type { ByteLink } from '../multiplexer/byte-link.ts'

/** A TCP or TLS socket as a lane. The socket must allow half-open; bytes it has read already are delivered first. */
export function createSocketLink(socket: Socket): ByteLink {
  let failure: Error | undefined
  return {
    get bufferedBytes() {
      return socket.writableLength
    },
    write(chunk) {
      if (!socket.destroyed && !socket.writableEnded) socket.write(chunk)
    },
    cork: () => socket.cork(),
    uncork: () => socket.uncork(),
    end() {
      if (!socket.destroyed && !socket.writableEnded) socket.end()
    },
    destroy: () => void socket.destroy(),
    start(handlers) {
      socket.pause()
      socket.on('data', (chunk: Buffer) => handlers.onData(chunk))
      socket.on('drain', () => handlers.onDrain())
      socket.on('end', () => handlers.onEnd())
      socket.on('error', (error) => {
        failure = error
      })
      socket.on('close', () => handlers.onClose(failure))
      setImmediate(() => {
        // A socket that closed while its siblings were still on their way says so no second time.
        if (socket.destroyed) handlers.onClose(failure)
        else socket.resume()
      })
    },
  }
}
