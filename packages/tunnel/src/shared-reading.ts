import type { OnReadOpts } from 'node:net'
import { maxDataBytes } from './limits.ts'

/** What a socket has just read lies here until its owner returns. One for all sockets of the process: they are read one after the other. */
const readBuffer = Buffer.allocUnsafeSlow(maxDataBytes)

/**
 * Lets a socket read into memory that all sockets share, instead of into 64 KiB of new memory per read, which the garbage collector has to find again.
 *
 * Give `onread` to `net.connect` or `tls.connect`; the socket then has no `data` events, but ends, pauses and resumes as others do. Bytes that arrive before
 * somebody has called `take` are kept, and the socket stops reading until it is resumed.
 *
 * @example
 * const reading = createSharedReading()
 * const socket = connect({ host, port, onread: reading.onread })
 * relay(socket, begin, { reading })
 */
export interface SharedReading {
  readonly onread: OnReadOpts
  /** Installs the one who gets the bytes. Chunks are borrowed: their memory is written over when `onChunk` has returned. */
  take(onChunk: (chunk: Buffer) => void): void
}

/** For one socket. */
export function createSharedReading(): SharedReading {
  let owner: ((chunk: Buffer) => void) | undefined
  let early: Buffer[] = []
  return {
    onread: {
      buffer: readBuffer,
      callback(bytes) {
        const chunk = readBuffer.subarray(0, bytes)
        if (owner === undefined) early.push(Buffer.from(chunk))
        else owner(chunk)
        return owner !== undefined
      },
    },
    take(onChunk) {
      owner = onChunk
      const chunks = early
      early = []
      for (const chunk of chunks) onChunk(chunk)
    },
  }
}
