import type { Clock, StreamCloseReason, TunnelStream } from '@sallyport/core'
import type { ProxyTunnel } from './tunnels.ts'

/** The stream that an application's connection uses, if any. A stream that was given up never calls back. */
export interface StreamLink {
  /** @returns `false` when the tunnel has just closed. */
  open(tunnel: ProxyTunnel, opening: Buffer): boolean
  readonly isOpen: boolean
  readonly id: number
  /** The stream takes the chunk in any case; while {@link full}, nothing more should be written. */
  write(chunk: Buffer): void
  readonly full: boolean
  sendMessage(message: Buffer): void
  /** Lets bytes flow again after the owner has said that it had enough. */
  resume(): void
  /** Ends our side. */
  end(): void
  /** Ends our side of a stream that is no longer used; whatever the connector does with it, it is gone after `lingerMs`. */
  leave(lingerMs: number): void
  /** Gives up both directions. */
  reset(): void
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** What the owner of a link wants to hear. */
export interface StreamLinkHandlers {
  /** `false`: enough, until {@link StreamLink.resume}. */
  onData(chunk: Buffer): boolean
  onMessage?(message: Buffer): void
  onEnd(): void
  onRoom(): void
  /** The stream is over; both sides have ended when the reason is `finished`. */
  onClose(reason: StreamCloseReason): void
}

export function createStreamLink(clock: Clock, handlers: StreamLinkHandlers): StreamLink {
  let stream: TunnelStream | undefined
  let full = false
  let bytesSent = 0
  let bytesReceived = 0
  /** Handlers of an earlier stream carry an older number. */
  let number = 0

  function letGo(): TunnelStream | undefined {
    const open = stream
    if (open !== undefined) ({ bytesSent, bytesReceived } = open)
    stream = undefined
    full = false
    number += 1
    return open
  }

  return {
    get isOpen() {
      return stream !== undefined
    },
    get id() {
      return stream?.id ?? 0
    },
    get full() {
      return full
    },
    get bytesSent() {
      return stream?.bytesSent ?? bytesSent
    },
    get bytesReceived() {
      return stream?.bytesReceived ?? bytesReceived
    },
    open(tunnel, opening) {
      letGo()
      const mine = number
      try {
        stream = tunnel.openStream(opening, {
          onData: (chunk) => (mine === number ? handlers.onData(chunk) : true),
          onMessage: (message) => {
            if (mine === number) handlers.onMessage?.(message)
          },
          onEnd: () => {
            if (mine === number) handlers.onEnd()
          },
          onDrain: () => {
            if (mine !== number) return
            full = false
            handlers.onRoom()
          },
          onClose: (reason) => {
            if (mine !== number) return
            letGo()
            handlers.onClose(reason)
          },
        })
      } catch {
        // TUNNEL_LOST: the only thing that opening can fail with; the owner answers it.
        return false
      }
      return true
    },
    write(chunk) {
      if (stream !== undefined && !stream.write(chunk)) full = true
    },
    sendMessage: (message) => void stream?.sendMessage(message),
    resume: () => stream?.resume(),
    end: () => stream?.end(),
    leave(lingerMs) {
      const open = letGo()
      if (open === undefined) return
      open.end()
      clock.after(lingerMs, () => open.reset('cancelled'))
    },
    reset: () => letGo()?.reset('cancelled'),
  }
}
