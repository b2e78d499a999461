import type { IncomingTunnelStream } from '@sallyport/core'

/** Where contents go. `from` and `to` are sides of the connector. */
export type TracePayload = (direction: 'from cloud' | 'to cloud' | 'from backend' | 'to backend', bytes: Buffer) => void

/** The same stream; what passes is traced on its way. Messages beside the bytes are not: they carry tokens. */
export function traceStream(incoming: IncomingTunnelStream, trace: TracePayload): IncomingTunnelStream {
  return {
    opening: incoming.opening,
    refuse: () => incoming.refuse(),
    accept(handlers) {
      const stream = incoming.accept({
        onData(chunk) {
          trace('from cloud', chunk)
          return handlers.onData(chunk)
        },
        onMessage: (message) => handlers.onMessage?.(message),
        onEnd: () => handlers.onEnd(),
        onDrain: () => handlers.onDrain(),
        onClose: (reason) => handlers.onClose(reason),
      })
      return {
        id: stream.id,
        write(chunk, borrowed) {
          trace('to cloud', chunk)
          return stream.write(chunk, borrowed)
        },
        sendMessage: (message) => stream.sendMessage(message),
        end: () => stream.end(),
        resume: () => stream.resume(),
        reset: (code) => stream.reset(code),
        get bytesSent() {
          return stream.bytesSent
        },
        get bytesReceived() {
          return stream.bytesReceived
        },
      }
    },
  }
}
