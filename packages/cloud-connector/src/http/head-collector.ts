import type { HeadLimits, HeadRefusal, HeadResult } from '@sallyport/http-head'

/** What a chunk did to the head that is being collected; `rest` is what stands behind it in the same chunk. */
type CollectedHead<Head> =
  | { readonly state: 'incomplete' }
  | { readonly state: 'refused'; readonly refusal: HeadRefusal }
  | { readonly state: 'complete'; readonly head: Head; readonly raw: Buffer; readonly rest: Buffer | undefined }

/** Gathers chunks until a head is complete. */
export interface HeadCollector<Head> {
  /** Whether no byte of a head has arrived. */
  readonly empty: boolean
  feed(chunk: Buffer): CollectedHead<Head>
}

const incomplete = { state: 'incomplete' } as const

/**
 * A head usually arrives in one chunk and is read in place. One that drips in is read again only when a line has ended or a line's limit is
 * passed, so that single bytes cannot make the work grow with the square of the head.
 */
export function createHeadCollector<Head extends { readonly bytes: number }>(
  limits: HeadLimits,
  parse: (bytes: Buffer) => HeadResult<Head>,
): HeadCollector<Head> {
  let kept: Buffer[] = []
  let unread = 0

  const read = (bytes: Buffer): CollectedHead<Head> => {
    const result = parse(bytes)
    if (result.state === 'incomplete') {
      kept = [bytes]
      unread = 0
      return incomplete
    }
    kept = []
    unread = 0
    if (result.state === 'refused') return result
    const { head } = result
    if (head.bytes === bytes.length) return { state: 'complete', head, raw: bytes, rest: undefined }
    return { state: 'complete', head, raw: bytes.subarray(0, head.bytes), rest: bytes.subarray(head.bytes) }
  }

  return {
    get empty() {
      return kept.length === 0
    },
    feed(chunk) {
      if (kept.length === 0) return read(chunk)
      kept.push(chunk)
      unread += chunk.length
      if (unread <= limits.maxLineBytes && !chunk.includes(10)) return incomplete
      return read(Buffer.concat(kept))
    },
  }
}
