import { Duplex } from 'node:stream'
import { ConnectivityError, type StreamCloseReason } from '@sallyport/core'
import type { BeginStream } from './begin-stream.ts'

/** What does not pass through a Duplex. */
export interface DuplexOptions {
  /** Messages beside the bytes; without it they are ignored. */
  readonly onMessage?: (message: Buffer) => void
}

/**
 * A stream of a tunnel as a half-closing Node `Duplex`, for libraries that want one. Between sockets {@link relay} is
 * cheaper. A stream that is reset or lost destroys the duplex with `TUNNEL_LOST`; destroying the duplex resets the stream.
 *
 * @example
 * const duplex = toDuplex((handlers) => tunnel.openStream(opening, handlers))
 */
export function toDuplex(begin: BeginStream, options: DuplexOptions = {}): Duplex {
  let whenRoom: (() => void) | undefined
  let wantsMore = false
  let weEnded = false
  let peerEnded = false
  const duplex = new Duplex({
    allowHalfOpen: true,
    read() {
      wantsMore = true
      stream.resume()
    },
    write(chunk: Buffer, _encoding, done) {
      if (stream.write(chunk)) done()
      else whenRoom = done
    },
    final(done) {
      weEnded = true
      stream.end()
      done()
    },
    destroy(error, done) {
      // With both ends said it finishes by itself; what was written last may still wait for its turn.
      if (error !== null || !weEnded || !peerEnded) stream.reset('cancelled')
      release()
      done(error)
    },
  })
  const release = (): void => {
    const done = whenRoom
    whenRoom = undefined
    done?.()
  }
  const stream = begin({
    onData(chunk) {
      wantsMore = false
      const more = duplex.push(chunk)
      // The consumer may ask for more while it is given this.
      return more || wantsMore
    },
    ...(options.onMessage === undefined ? {} : { onMessage: options.onMessage }),
    onEnd() {
      peerEnded = true
      duplex.push(null)
    },
    onDrain: release,
    onClose(reason) {
      if (reason.kind !== 'finished') duplex.destroy(closeError(reason))
    },
  })
  return duplex
}

function closeError(reason: StreamCloseReason): ConnectivityError {
  if (reason.kind === 'reset') {
    const who = reason.by === 'peer' ? 'the other end of the tunnel' : 'this end'
    return new ConnectivityError('TUNNEL_LOST', `${who} has reset the stream (${reason.code})`, { details: { reset: reason.code } })
  }
  return new ConnectivityError('TUNNEL_LOST', 'the tunnel connection under the stream is gone')
}
