import type { Socket } from 'node:net'
import { resetSocket, type StreamCloseReason, type TunnelStream, type TunnelStreamHandlers } from '@sallyport/core'
import { atEndOfTurn, type Batched } from './batch.ts'
import type { BeginStream } from './begin-stream.ts'
import type { SharedReading } from './shared-reading.ts'

/** What the owner of a relay may want to hear. */
export interface RelayOptions {
  /** Messages beside the bytes; without it they are ignored. */
  readonly onMessage?: (message: Buffer) => void
  /** The stream is over; the socket is closed or closing by itself. */
  readonly onClose?: (reason: StreamCloseReason) => void
  /** How the socket reads, when it was connected so that it shares memory with others. */
  readonly reading?: SharedReading
}

/**
 * Joins a local socket to a stream of a tunnel until both are closed. Each direction ends by itself (half-close), each
 * waits for the other when it is full, a reset of one resets the other, and what one turn of the event loop brings is written
 * in one piece.
 *
 * The relay owns the socket from now on. When `begin` throws, nothing has been joined and the socket is still the caller's.
 *
 * @example
 * relay(clientSocket, (handlers) => tunnel.openStream(opening, handlers)) // where the application connects
 * relay(backendSocket, (handlers) => incoming.accept(handlers)) // where the backend is
 */
export function relay(socket: Socket, begin: BeginStream, options: RelayOptions = noOptions): TunnelStream {
  return new Joint(socket, options).join(begin)
}

const noOptions: RelayOptions = {}
const jointOf = Symbol('joint')
type JoinedSocket = Socket & { [jointOf]: Joint }

// Shared by all sockets, which find their joint in themselves: closures would cost each socket several hundred bytes.
function onSocketData(this: JoinedSocket, chunk: Buffer): void {
  if (this[jointOf].stream?.write(chunk) === false) this.pause()
}
function onSocketDrain(this: JoinedSocket): void {
  this[jointOf].stream?.resume()
}
function onSocketEnd(this: JoinedSocket): void {
  this[jointOf].socketHasEnded()
}
function onSocketError(this: JoinedSocket): void {
  this[jointOf].stream?.reset('failed')
}
function onSocketClose(this: JoinedSocket): void {
  this[jointOf].socketHasClosed()
}

/** One object per joined socket; there are tens of thousands of them. */
class Joint implements TunnelStreamHandlers, Batched {
  stream: TunnelStream | undefined = undefined
  private readonly socket: Socket
  private readonly options: RelayOptions
  private isCorked = false
  private chunksOfTurn = 0
  /** The last turn brought no more than one chunk: then the first of a turn leaves at once, because it is probably the only one again. */
  private isQuiet = true
  private socketEnded = false
  private streamEnded = false

  constructor(socket: Socket, options: RelayOptions) {
    this.socket = socket
    this.options = options
  }

  join(begin: BeginStream): TunnelStream {
    const stream = begin(this)
    this.stream = stream
    const socket = Object.assign(this.socket, { [jointOf]: this })
    // Without it Node would answer the end of one direction with the end of the other.
    socket.allowHalfOpen = true
    const { reading } = this.options
    if (reading === undefined) socket.on('data', onSocketData)
    else
      reading.take((chunk) => {
        if (!stream.write(chunk, true)) socket.pause()
      })
    socket.on('drain', onSocketDrain)
    socket.on('end', onSocketEnd)
    socket.on('error', onSocketError)
    socket.on('close', onSocketClose)
    if (socket.destroyed) stream.reset('cancelled')
    else if (socket.readableEnded) this.socketHasEnded()
    else socket.resume()
    return stream
  }

  onData(chunk: Buffer): boolean {
    const isFirst = this.chunksOfTurn++ === 0
    if (isFirst) atEndOfTurn(this)
    if (isFirst ? !this.isQuiet : !this.isCorked) {
      this.isCorked = true
      this.socket.cork()
    }
    return this.socket.write(chunk)
  }

  onMessage(message: Buffer): void {
    this.options.onMessage?.(message)
  }

  onEnd(): void {
    this.streamEnded = true
    this.socket.end()
  }

  onDrain(): void {
    this.socket.resume()
  }

  onClose(reason: StreamCloseReason): void {
    if (reason.kind !== 'finished') resetSocket(this.socket)
    this.options.onClose?.(reason)
  }

  endTurn(): void {
    this.isQuiet = this.chunksOfTurn <= 1
    this.chunksOfTurn = 0
    if (!this.isCorked) return
    this.isCorked = false
    this.socket.uncork()
  }

  socketHasEnded(): void {
    this.socketEnded = true
    this.stream?.end()
  }

  socketHasClosed(): void {
    if (!this.socketEnded || !this.streamEnded) this.stream?.reset('cancelled')
  }
}
