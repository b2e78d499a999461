import type { Socket } from 'node:net'
import type { ByteLink, ByteLinkHandlers } from '../multiplexer/byte-link.ts'

/** A TCP or TLS socket as a lane. The socket must allow half-open; bytes it has read already are delivered first. */
export function createSocketLink(socket: Socket): ByteLink {
  return new SocketLink(socket)
}

/** A class, because its members are asked for with every frame: V8 keeps objects with accessors of their own as dictionaries. */
class SocketLink implements ByteLink {
  private readonly socket: Socket
  private failure: Error | undefined = undefined

  constructor(socket: Socket) {
    this.socket = socket
  }

  get bufferedBytes(): number {
    return this.socket.writableLength
  }

  write(chunk: Buffer, left?: () => void): void {
    const { socket } = this
    if (!socket.destroyed && !socket.writableEnded) socket.write(chunk, left)
  }

  end(): void {
    const { socket } = this
    if (!socket.destroyed && !socket.writableEnded) socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  start(handlers: ByteLinkHandlers): void {
    const { socket } = this
    socket.pause()
    socket.on('data', (chunk: Buffer) => {
      if (!handlers.onData(chunk)) this.waitForNextTurn()
    })
    socket.on('drain', () => handlers.onDrain())
    socket.on('end', () => handlers.onEnd())
    socket.on('error', (error) => {
      this.failure = error
    })
    socket.on('close', () => handlers.onClose(this.failure))
    setImmediate(() => {
      // A socket that closed while its siblings were still on their way says so no second time.
      if (socket.destroyed) handlers.onClose(this.failure)
      else socket.resume()
    })
  }

  /** Meanwhile Node keeps what has been read, and reads no more when that becomes much. */
  private waitForNextTurn(): void {
    const { socket } = this
    socket.pause()
    setImmediate(() => socket.resume())
  }
}
