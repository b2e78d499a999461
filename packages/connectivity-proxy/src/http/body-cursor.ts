import { type BodyFraming, type BodyScanner, type BodyScannerOptions, createBodyScanner } from '@sallyport/http-head'

/** Finds the end of one body after the other, for a whole connection. Counts bytes of known length by itself and asks the scanner of the codec for chunks. */
export class BodyCursor {
  private readonly options: BodyScannerOptions
  private left = 0
  private chunks: BodyScanner | undefined

  constructor(options: BodyScannerOptions) {
    this.options = options
  }

  /** A body that only the end of the connection ends is never done. */
  get isDone(): boolean {
    return this.chunks === undefined ? this.left === 0 : this.chunks.done
  }

  begin(framing: BodyFraming): void {
    this.chunks = framing.kind === 'chunked' ? createBodyScanner(framing, this.options) : undefined
    this.left = framing.kind === 'length' ? framing.bytes : framing.kind === 'until-close' ? Infinity : 0
  }

  /** Offset behind the last byte of the body in `chunk`, reading from `from`; -1 when the body is malformed. */
  scan(chunk: Buffer, from: number): number {
    if (this.chunks !== undefined) return this.chunks.scan(chunk, from)
    const here = Math.min(this.left, chunk.length - from)
    this.left -= here
    return from + here
  }
}
