import type { Clock, StreamCloseReason, TunnelStream, TunnelStreamHandlers } from '@sallyport/core'
import type { ProxyTunnel } from './tunnels.ts'

/** Who uses a stream. Nothing is called any more once the link has been given up. */
export interface StreamOwner {
  /** `false`: enough, until {@link StreamLink.resume}. */
  onStreamData(chunk: Buffer): boolean
  onStreamMessage(message: Buffer): void
  onStreamEnd(): void
  /** There is room again behind a write that filled the stream. */
  onStreamRoom(): void
  /** The stream is over; both sides have ended when the reason is `finished`. */
  onStreamClose(reason: StreamCloseReason): void
}

/** One stream of an application's connection, from opening to the end. There are tens of thousands of them. */
export class StreamLink implements TunnelStreamHandlers {
  /** While set, nothing more should be written. */
  isFull = false
  hasEnded = false
  private stream: TunnelStream | undefined
  private owner: StreamOwner | undefined

  constructor(owner: StreamOwner) {
    this.owner = owner
  }

  /** @returns `false` when the tunnel has just closed. */
  open(tunnel: ProxyTunnel, opening: Buffer): boolean {
    try {
      this.stream = tunnel.openStream(opening, this)
    } catch {
      // TUNNEL_LOST, the only thing that opening fails with; the owner answers it.
      this.owner = undefined
      return false
    }
    return true
  }

  get id(): number {
    return this.stream?.id ?? 0
  }

  get bytesSent(): number {
    return this.stream?.bytesSent ?? 0
  }

  get bytesReceived(): number {
    return this.stream?.bytesReceived ?? 0
  }

  /** The stream takes the chunk in any case. */
  write(chunk: Buffer): void {
    if (this.stream?.write(chunk) === false) this.isFull = true
  }

  sendMessage(message: Buffer): void {
    this.stream?.sendMessage(message)
  }

  resume(): void {
    this.stream?.resume()
  }

  /** Ends our side. */
  end(): void {
    this.stream?.end()
  }

  /** Ends our side of a stream that is no longer used. Whatever the connector does with it, it is gone after `lingerMs`. */
  leave(clock: Clock, lingerMs: number): void {
    if (this.owner === undefined) return
    this.owner = undefined
    this.stream?.end()
    clock.after(lingerMs, () => this.stream?.reset('cancelled'))
  }

  /** Gives up both directions. */
  reset(): void {
    if (this.owner === undefined) return
    this.owner = undefined
    this.stream?.reset('cancelled')
  }

  onData(chunk: Buffer): boolean {
    return this.owner === undefined ? true : this.owner.onStreamData(chunk)
  }

  onMessage(message: Buffer): void {
    this.owner?.onStreamMessage(message)
  }

  onEnd(): void {
    this.hasEnded = true
    this.owner?.onStreamEnd()
  }

  onDrain(): void {
    this.isFull = false
    this.owner?.onStreamRoom()
  }

  onClose(reason: StreamCloseReason): void {
    const owner = this.owner
    this.owner = undefined
    owner?.onStreamClose(reason)
  }
}
