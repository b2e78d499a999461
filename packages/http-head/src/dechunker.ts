/** Takes the chunked coding off a body that a scanner has found well-formed: for HTTP/1.0 applications, which do not know it, and for readers of contents. */
export interface Dechunker {
  /** Reads `chunk` from `from` to `to` and hands every piece of content to `write`. */
  feed(chunk: Buffer, from: number, to: number, write: (content: Buffer) => void): void
}

/** One per body. */
export function createDechunker(): Dechunker {
  let state: 'size' | 'rest-of-line' | 'data' | 'data-end' | 'trailers' = 'size'
  let left = 0
  return {
    feed(chunk, from, to, write) {
      let at = from
      while (at < to) {
        if (state === 'data') {
          const end = Math.min(to, at + left)
          write(chunk.subarray(at, end))
          left -= end - at
          at = end
          if (left === 0) state = 'data-end'
          continue
        }
        const byte = chunk[at] ?? 0
        at += 1
        if (state === 'size') {
          const digit = Number.parseInt(String.fromCharCode(byte), 16)
          if (Number.isNaN(digit)) state = 'rest-of-line'
          else left = left * 16 + digit
        }
        if (byte !== 0x0a || state === 'trailers') continue
        if (state === 'data-end') state = 'size'
        else state = left === 0 ? 'trailers' : 'data'
      }
    },
  }
}
