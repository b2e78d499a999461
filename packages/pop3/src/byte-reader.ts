import type { Duplex } from 'node:stream'

/** The bytes of a stream, asked for chunk by chunk. One chunk is read ahead, so whoever reads slowly slows the writer down. */
export interface ByteReader {
  /** `undefined` is the end. One call at a time. */
  next(): Promise<Buffer | undefined>
  /** Nothing will come any more, and nothing is left. */
  readonly isOver: boolean
  /** Gives back what was read too far. */
  putBack(bytes: Buffer): void
  /** Lets go of the stream. What has arrived and was not asked for is thrown away; the result says how many bytes that were. */
  release(): number
  /** Lets whoever waits go, with this error. */
  fail(error: Error): void
}

/** Takes over the reading of a stream; nobody else may read it until it is released. `hearEnd` also hears of an end that nobody waits for. */
export function createByteReader(stream: Duplex, hearEnd: () => void): ByteReader {
  const held: Buffer[] = []
  let ended = false
  let failure: { readonly error: Error } | undefined
  let wake = (): void => {}
  const onData = (chunk: Buffer): void => {
    held.push(chunk)
    if (held.length > 1) stream.pause()
    wake()
  }
  const onEnd = (): void => {
    ended = true
    wake()
    hearEnd()
  }
  const fail = (error: Error): void => {
    failure ??= { error }
    wake()
  }
  stream.pause()
  stream.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', fail)
  return {
    fail,
    get isOver() {
      return (ended || stream.destroyed) && held.length === 0
    },
    async next() {
      for (;;) {
        const chunk = held.shift()
        if (failure !== undefined) throw failure.error
        if (chunk !== undefined) return chunk
        if (ended || stream.destroyed) return undefined
        const { promise, resolve } = Promise.withResolvers<void>()
        wake = resolve
        stream.resume()
        await promise
      }
    },
    putBack(bytes) {
      if (bytes.length > 0) held.unshift(bytes)
    },
    release() {
      stream.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', fail)
      stream.pause()
      let discarded = held.splice(0).reduce((sum, { length }) => sum + length, 0)
      for (;;) {
        const chunk = stream.read() as Buffer | null
        if (chunk === null) return discarded
        discarded += chunk.length
      }
    },
  }
}
