import { type BodyFraming, type BodyScanner, createBodyScanner, type HeadLimits } from '@sallyport/http-head'

/** Finds the end of one body after the other; serves a whole connection. */
export interface BodyCursor {
  begin(framing: BodyFraming): void
  /** Offset behind the last byte of the body in `chunk`, reading from `from`; -1 when the body is malformed. */
  scan(chunk: Buffer, from: number): number
  /** A body that only the end of the connection ends is never done. */
  readonly done: boolean
}

/** Counts bytes of known length by itself; asks the scanner of the codec for chunks. */
export function createBodyCursor(options: {
  readonly limits: HeadLimits
  readonly refusesTrailer?: (name: string) => boolean
}): BodyCursor {
  let left = 0
  let chunks: BodyScanner | undefined
  return {
    get done() {
      return chunks === undefined ? left === 0 : chunks.done
    },
    begin(framing) {
      chunks = framing.kind === 'chunked' ? createBodyScanner(framing, options) : undefined
      left = framing.kind === 'length' ? framing.bytes : framing.kind === 'until-close' ? Infinity : 0
    },
    scan(chunk, from) {
      if (chunks !== undefined) return chunks.scan(chunk, from)
      const here = Math.min(left, chunk.length - from)
      left -= here
      return from + here
    },
  }
}
