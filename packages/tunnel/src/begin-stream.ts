import type { TunnelStream, TunnelStreamHandlers } from '@sallyport/core'

/**
 * Begins a stream with the given handlers: `(handlers) => connection.openStream(opening, handlers)` on the side that opens,
 * `(handlers) => incoming.accept(handlers)` on the other, `held.take` for a stream that has waited.
 */
export type BeginStream = (handlers: TunnelStreamHandlers) => TunnelStream
