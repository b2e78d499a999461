import type { StreamCloseReason, TunnelStream, TunnelStreamHandlers } from '@sallyport/core'
import type { BeginStream } from './begin-stream.ts'

/** A stream that has been begun and whose final owner is not known yet. */
export interface HeldStream {
  readonly stream: TunnelStream
  /**
   * Hands the stream over, once: what was held reaches the handlers in order, after this has returned and within the same turn,
   * then what comes. Has the type of {@link BeginStream}, so that `relay(socket, held.take)` works.
   */
  readonly take: BeginStream
}

/** What the holder of a stream wants to hear while nobody has taken it. */
export interface HeldStreamOptions {
  /**
   * Gets messages that arrive while the stream is held. It may call `take`; later messages go to the new handlers.
   * Without it messages are held like bytes.
   */
  readonly onMessage?: (message: Buffer, held: HeldStream) => void
  /** The stream is over before anybody took it. */
  readonly onClose?: (reason: StreamCloseReason) => void
}

/**
 * Begins a stream now and decides later what it is joined to: a connector has to accept at once but dials the backend
 * first; a proxy waits for the connector's answer before it lets bytes pass. Bytes that come early are held, at most the
 * stream's first credit of 256 KiB, because none is given back meanwhile.
 */
export function holdStream(begin: BeginStream, options: HeldStreamOptions = {}): HeldStream {
  let owner: TunnelStreamHandlers | undefined
  let waiting: ((handlers: TunnelStreamHandlers) => void)[] = []
  let isTaken = false
  let isFull = false

  const deliver = (event: (handlers: TunnelStreamHandlers) => void): void => {
    if (owner === undefined) waiting.push(event)
    else event(owner)
  }
  const stream = begin({
    onData(chunk) {
      if (owner !== undefined) return owner.onData(chunk)
      waiting.push((handlers) => {
        isFull = !handlers.onData(chunk)
      })
      return false
    },
    onMessage(message) {
      if (!isTaken && waiting.length === 0 && options.onMessage !== undefined) options.onMessage(message, held)
      else deliver((handlers) => handlers.onMessage?.(message))
    },
    onEnd: () => deliver((handlers) => handlers.onEnd()),
    onDrain: () => deliver((handlers) => handlers.onDrain()),
    onClose(reason) {
      if (!isTaken) options.onClose?.(reason)
      deliver((handlers) => handlers.onClose(reason))
    },
  })
  const replay = (handlers: TunnelStreamHandlers): void => {
    owner = handlers
    const events = waiting
    waiting = []
    for (const event of events) event(handlers)
    if (!isFull) stream.resume()
  }
  const held: HeldStream = {
    stream,
    take(handlers) {
      if (isTaken) throw new Error('the stream has been taken already')
      isTaken = true
      if (waiting.length === 0) owner = handlers
      else queueMicrotask(() => replay(handlers))
      return stream
    },
  }
  return held
}
