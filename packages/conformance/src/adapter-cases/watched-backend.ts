import { Duplex } from 'node:stream'
import type { FarEnd } from '../far-side.ts'

/** What a case sees and decides of the connections of a backend that it does not play itself. */
export interface WatchedBackend {
  /** Bytes that the backend has been able to say so far, over all connections. */
  said: number
  /** Bytes that it has heard. */
  heard: number
  /** Having said so much, the backend ends its side or resets, there and on every later connection. Having ended, it still hears. */
  cut: { readonly afterBytes: number; readonly how: 'end' | 'reset' } | undefined
  /** Having heard so much, it hears nothing more until this settles. */
  deaf: { readonly afterBytes: number; readonly until: Promise<void> } | undefined
  /** Puts the watch between a connection and the backend. */
  watch(far: FarEnd): FarEnd
}

/** Makes a watch that changes nothing until it is told to. */
export function createWatchedBackend(): WatchedBackend {
  const isDeaf = (): boolean => watched.deaf !== undefined && watched.heard >= watched.deaf.afterBytes
  const isOver = (): boolean => watched.cut !== undefined && watched.said >= watched.cut.afterBytes
  const watched: WatchedBackend = {
    said: 0,
    heard: 0,
    cut: undefined,
    deaf: undefined,
    watch({ stream, reset }) {
      let isCut = false
      const cutOff = (lastWords: Buffer): void => {
        isCut = true
        if (watched.cut?.how === 'end') stream.end(lastWords)
        // Not before they are out.
        else stream.write(lastWords, () => setImmediate(reset))
      }
      const outer = new Duplex({
        allowHalfOpen: true,
        read() {
          if (!isDeaf()) stream.resume()
        },
        write(chunk: Buffer, _encoding, done) {
          const said = isCut
            ? Buffer.alloc(0)
            : chunk.subarray(0, watched.cut === undefined ? chunk.length : watched.cut.afterBytes - watched.said)
          watched.said += said.length
          if (isCut) done()
          else if (isOver()) {
            cutOff(said)
            done()
          } else stream.write(said, () => done())
        },
        final(done) {
          stream.end()
          done()
        },
        destroy(error, done) {
          stream.destroy()
          done(error)
        },
      })
      // The backend has its own opinion of errors, or none.
      outer.on('error', () => {})
      stream.on('error', (error) => outer.destroy(error))
      stream.on('close', () => outer.destroy())
      stream.on('end', () => outer.push(null))
      stream.on('data', (chunk: Buffer) => {
        watched.heard += chunk.length
        const { deaf } = watched
        const more = outer.push(chunk)
        if (deaf !== undefined && isDeaf()) {
          stream.pause()
          void deaf.until.then(() => {
            watched.deaf = undefined
            stream.resume()
          })
        } else if (!more) stream.pause()
      })
      if (isOver()) cutOff(Buffer.alloc(0))
      return { stream: outer, reset }
    },
  }
  return watched
}
