/** What happens on a {@link ByteLink}. Nothing is called after `onClose`. */
export interface ByteLinkHandlers {
  /** `false`: enough for this turn of the event loop; what has been read already had better wait for the next one. It is taken all the same. */
  onData(chunk: Buffer): boolean
  /** After `write` returned `false`: everything has been handed to the other side or the kernel. */
  onDrain(): void
  /** The peer writes no more. */
  onEnd(): void
  onClose(error: Error | undefined): void
}

/**
 * A reliable, ordered byte connection that the multiplexer uses as a lane: a TLS socket, a pair in memory, later a
 * WebSocket. It half-closes.
 */
export interface ByteLink {
  /** Bytes written and not yet handed on. */
  readonly bufferedBytes: number
  /** Takes the chunk over. `left` is called when the memory may be used for something else; a link that never calls it keeps the memory. */
  write(chunk: Buffer, left?: () => void): void
  /** Writes no more; what is buffered still goes out. */
  end(): void
  /** Gone at once, both directions. Idempotent; leads to `onClose`. */
  destroy(): void
  /** Installs the handlers; `onData` and `onEnd` come from the next turn of the event loop on, the others at any time. */
  start(handlers: ByteLinkHandlers): void
}
