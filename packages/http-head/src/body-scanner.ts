import { createChunkedScanner } from './chunked-scanner.ts'
import { defaultHeadLimits } from './limits.ts'
import type { BodyFraming, BodyScanner, HeadLimits } from './types.ts'

/** What a scanner of a chunked body refuses beyond the syntax; other bodies have nothing to refuse. */
export interface BodyScannerOptions {
  /** Bounds of a chunk-size line and of the trailers, which are counted like a head. */
  readonly limits?: HeadLimits
  /** Further trailers to refuse, by lower-case name: what the caller removes from heads must not come back behind the body. */
  readonly refusesTrailer?: (name: string) => boolean
}

/**
 * Finds the end of the body that a head announced, in the chunks as they arrive. Keeps no bytes: the caller passes them on as they are.
 *
 * @example
 * const body = createBodyScanner(head.framing)
 * const end = body.scan(chunk, head.bytes)
 * if (end < 0) socket.destroy()
 * else relay(chunk.subarray(0, end))
 */
export function createBodyScanner(framing: BodyFraming, options: BodyScannerOptions = {}): BodyScanner {
  if (framing.kind === 'chunked') return createChunkedScanner(options.limits ?? defaultHeadLimits, options.refusesTrailer ?? (() => false))
  return new LengthScanner(framing.kind === 'length' ? framing.bytes : framing.kind === 'until-close' ? Infinity : 0)
}

/** A class, because there is one per message: objects with accessors of their own cost half a microsecond each. */
class LengthScanner implements BodyScanner {
  private left: number

  constructor(bytes: number) {
    this.left = bytes
  }

  get done(): boolean {
    return this.left === 0
  }

  scan(chunk: Buffer, from: number): number {
    const here = Math.min(this.left, chunk.length - from)
    this.left -= here
    return from + here
  }
}
