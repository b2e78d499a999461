import type { X509Certificate } from 'node:crypto'

/** Opens connections that carry streams. A tunnel knows nothing else about TLS, HTTP/2 or WebSocket. */
export interface TunnelTransport {
  readonly name: string
  /** Dials; the promise settles when streams can be opened. @throws ConnectivityError `PEER_UNREACHABLE`, `PEER_UNTRUSTED`, `VERSION_UNSUPPORTED`, `ABORTED`. */
  connect(endpoint: URL, options: { readonly signal: AbortSignal }): Promise<TunnelConnection>
  /** `endpoint` with port 0 lets the system choose; the listener knows which. */
  listen(endpoint: URL, options: { readonly onConnection: (connection: TunnelConnection) => void }): Promise<TunnelListener>
}

/** Accepts tunnel connections until it is closed. */
export interface TunnelListener extends AsyncDisposable {
  readonly endpoint: URL
  /** Stops accepting; connections that are open stay open. */
  close(): Promise<void>
}

/** One transport connection of a tunnel. Either side opens streams. */
export interface TunnelConnection extends AsyncDisposable {
  /** Certificate that the peer proved to own in the handshake; `undefined` where the transport has no peer identity. */
  readonly peerCertificate: X509Certificate | undefined
  /** Round-trip time in milliseconds as last measured; `undefined` before the first pong. */
  readonly roundTripMs: number | undefined
  /**
   * Opens a stream. `opening` (at most {@link maxStreamMessageBytes}) reaches the peer together with the stream; there is
   * no wait for the peer, refusals arrive as a reset. @throws ConnectivityError `TUNNEL_LOST` when closed, draining or out of stream slots.
   */
  openStream(opening: Buffer, handlers: TunnelStreamHandlers): TunnelStream
  /** Receives streams that the peer opens. Set it once, before the next turn of the event loop; streams are refused while it is not set. */
  onStream: ((stream: IncomingTunnelStream) => void) | undefined
  readonly openStreams: number
  /** Settles once, when nothing can be sent or received any more. */
  readonly closed: Promise<CloseReason>
  /**
   * Settles when the connection still works but should be succeeded by a new one: a part of it is lost, or its stream
   * identifiers run out. Whoever dialled opens a new connection and lets this one drain.
   */
  readonly weakened?: Promise<void>
  /** Accepts and opens no more streams, lets open ones finish, then closes. */
  close(): Promise<void>
  /** Closes at once; every open stream ends with `lost`. */
  abort(error: Error): void
}

/** A stream before somebody has taken it. Not accepting it within the same turn refuses it. */
export interface IncomingTunnelStream {
  readonly opening: Buffer
  accept(handlers: TunnelStreamHandlers): TunnelStream
  refuse(): void
}

/** Largest opening or message on a stream, in bytes: a token (8 KiB, one HTTP line), names and room to grow. */
export const maxStreamMessageBytes = 16_384

/**
 * One proxied byte stream inside a tunnel connection: half-closing, flow-controlled, callback-driven.
 *
 * Not a `Duplex`, because the data path joins streams to sockets by the ten thousand and two stream machineries per
 * stream cost memory and a third of the throughput; `toDuplex` of `@sallyport/tunnel` makes one where a library wants it.
 */
export interface TunnelStream {
  readonly id: number
  /**
   * Takes the chunk over (do not change it afterwards), unless it is `borrowed`: then it may be changed as soon as the call returns, and what cannot leave at once
   * is copied. `false`: the stream is full, wait for `onDrain`; the chunk is accepted all the same.
   */
  write(chunk: Buffer, borrowed?: boolean): boolean
  /** A message outside the bytes, at most {@link maxStreamMessageBytes}, that reaches the peer's `onMessage` in order with the bytes. */
  sendMessage(message: Buffer): boolean
  /** Ends our side; the peer's stays readable. */
  end(): void
  /** Takes back a `false` that `onData` returned: data may flow again. */
  resume(): void
  /** Gives up both directions at once. Idempotent; nothing is called afterwards except `onClose`. */
  reset(code: StreamResetCode): void
  readonly bytesSent: number
  readonly bytesReceived: number
}

/** What the owner of a stream wants to hear. Handlers never throw: an exception in one resets the stream. */
export interface TunnelStreamHandlers {
  /** `false`: enough for now; call `resume()` when there is room. What is already on its way (at most the stream's window) still arrives. */
  onData(chunk: Buffer): boolean
  onMessage?(message: Buffer): void
  /** The peer has ended its side. */
  onEnd(): void
  /** After a `write` that returned `false`: there is room again. */
  onDrain(): void
  /** Exactly once, last: `finished` after both sides have ended, else why not. */
  onClose(reason: StreamCloseReason): void
}

/** Why one side gives a stream up. The number is the wire value. */
export const streamResetCodes = { cancelled: 0, refused: 1, failed: 2, protocol: 3, overflow: 4 } as const
/** One of {@link streamResetCodes}. */
export type StreamResetCode = keyof typeof streamResetCodes

/** How a stream ended; only `finished` says that both sides got everything. */
export type StreamCloseReason =
  | { readonly kind: 'finished' }
  | { readonly kind: 'reset'; readonly by: 'local' | 'peer'; readonly code: StreamResetCode }
  /** The connection under the stream is gone. */
  | { readonly kind: 'lost' }

/** Who ended a connection, or what broke it. */
export type CloseReason = { readonly kind: 'local' } | { readonly kind: 'peer' } | { readonly kind: 'lost'; readonly error: Error }
