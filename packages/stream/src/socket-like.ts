import { Duplex } from 'node:stream'
import type { Address, Clock } from '@sallyport/core'

/**
 * A stream with what libraries expect of a `net.Socket`. It may be handed out before it is connected: what is written waits,
 * `connecting` is true, and `connect` is emitted once.
 */
export interface SocketLike extends Duplex {
  readonly connecting: boolean
  readonly readyState: 'opening' | 'open' | 'closed'
  readonly encrypted: false
  readonly remoteAddress: string
  readonly remotePort: number
  /** There is no address on this side: what libraries write into their logs is that of the target. */
  readonly localAddress: string
  readonly localPort: number
  /** Emits `timeout` after so long without a byte in either direction; 0 switches that off. The stream stays open. */
  setTimeout(idleMs: number, callback?: () => void): this
  /** Does nothing: the stream connects by itself. For libraries that are given a socket and connect it. */
  connect(...ignored: readonly unknown[]): this
  setNoDelay(on?: boolean): this
  setKeepAlive(on?: boolean, delayMs?: number): this
  ref(): this
  unref(): this
}

/** How the stream behind the socket is opened. */
export interface SocketLikeOptions {
  /** Asked once, in the next turn. The signal fires when the stream is destroyed before it is open. */
  readonly open: (signal: AbortSignal) => Promise<Duplex>
  readonly address: Address
  readonly clock: Clock
  /** What the stream breaks with instead of an error behind it, for libraries that write on errors. */
  readonly errorOf?: (error: Error) => Error
}

/** Makes a stream that connects by itself; opening begins in the next turn. */
export function createSocketLike({ open, address, clock, errorOf = (error) => error }: SocketLikeOptions): SocketLike {
  const aborter = new AbortController()
  let inner: Duplex | undefined
  let lastActivityMs = 0
  let idleMs = 0
  let cancelTimer: () => void = () => {}

  const duplex = new Duplex({
    allowHalfOpen: true,
    construct(callback) {
      open(aborter.signal).then(
        (stream) => {
          if (aborter.signal.aborted) {
            stream.destroy()
            callback()
            return
          }
          inner = stream
          join(stream)
          callback()
          duplex.emit('connect')
          duplex.emit('ready')
        },
        (error: unknown) => {
          // Given up by its owner: closed without an error, as a socket is.
          if (aborter.signal.aborted) callback()
          else callback(error instanceof Error ? error : new Error('the connection failed', { cause: error }))
        },
      )
    },
    read: () => void inner?.resume(),
    write(chunk: Buffer, _encoding, callback) {
      noteActivity()
      // In a later turn, as a socket does: libraries note what they wait for after they have written.
      process.nextTick(() => {
        if (inner === undefined) callback()
        else inner.write(chunk, callback)
      })
    },
    final: (callback) => void inner?.end(() => callback()),
    destroy(error, callback) {
      cancelTimer()
      inner?.destroy(error ?? undefined)
      callback(error)
    },
  })

  const join = (stream: Duplex): void => {
    stream.on('data', (chunk: Buffer) => {
      noteActivity()
      if (!duplex.push(chunk)) stream.pause()
    })
    let ended = false
    stream.on('end', () => {
      ended = true
      // A turn later: libraries give up at the end, also what came just before it and has not got through them yet.
      setImmediate(() => duplex.push(null))
    })
    stream.on('error', (error) => duplex.destroy(errorOf(error)))
    stream.on('close', () => {
      // Behind its end there may be somebody who is slow to read; without one the far side has gone without a word.
      if (ended && !duplex.readableEnded) duplex.once('end', () => duplex.destroy())
      else duplex.destroy()
    })
    // Starts with the first read.
    stream.pause()
  }
  const noteActivity = (): void => {
    if (idleMs > 0) lastActivityMs = clock.elapsed()
  }
  const watch = (delayMs: number): void => {
    cancelTimer()
    cancelTimer = clock.after(delayMs, () => {
      const leftMs = lastActivityMs + idleMs - clock.elapsed()
      if (leftMs > 0) watch(leftMs)
      else duplex.emit('timeout')
    })
  }

  // Node calls the function above only once the stream is open; an attempt has to end before that.
  const destroy = duplex.destroy.bind(duplex)
  duplex.destroy = (error) => {
    aborter.abort()
    return destroy(error)
  }
  // A stream that breaks before its owner listens must not end the process; the owner finds it destroyed.
  duplex.on('error', () => {})
  const members = {
    encrypted: false as const,
    remoteAddress: address.host,
    remotePort: address.port,
    localAddress: address.host,
    localPort: address.port,
    setTimeout(milliseconds: number, callback?: () => void): SocketLike {
      idleMs = milliseconds
      cancelTimer()
      if (callback !== undefined) duplex.once('timeout', callback)
      if (idleMs > 0) {
        lastActivityMs = clock.elapsed()
        watch(idleMs)
      }
      return socket
    },
    connect: (): SocketLike => socket,
    setNoDelay: (): SocketLike => socket,
    setKeepAlive: (): SocketLike => socket,
    ref: (): SocketLike => socket,
    unref: (): SocketLike => socket,
  }
  const socket = Object.defineProperties(Object.assign(duplex, members), {
    connecting: { get: () => inner === undefined && !duplex.destroyed },
    readyState: { get: () => (duplex.destroyed ? 'closed' : inner === undefined ? 'opening' : 'open') },
  }) as unknown as SocketLike
  return socket
}
