/** What a chunk of a multi-line answer holds. */
export interface Unstuffed {
  /** Parts of the chunk, in order, without the dots that the server has added. */
  readonly body: readonly Buffer[]
  /** What follows the end of the answer; `undefined` while it goes on. */
  readonly rest: Buffer | undefined
}

const carriageReturn = 13
const lineFeed = 10
const dot = 46
const dottedLine = Buffer.from('\r\n.')
const heldReturn = Buffer.of(carriageReturn)

/**
 * Takes the body out of a multi-line answer (RFC 1939 §3): it ends with a line of a single dot, and every other line that
 * begins with a dot has one too many. Chunks may be cut anywhere. Only CRLF ends a line. The line end before the last
 * dot belongs to the body.
 */
export function createUnstuffer(): (chunk: Buffer) => Unstuffed {
  // Where the next byte stands: at the beginning of a line, in it, or behind what might be the end of the answer.
  let state: 'lineStart' | 'text' | 'return' | 'dot' | 'dotReturn' = 'lineStart'

  return (chunk) => {
    const body: Buffer[] = []
    let at = 0
    /** The first byte that has not been passed on. */
    let from = 0
    const pass = (end: number): void => {
      if (end > from) body.push(chunk.subarray(from, end))
    }
    while (at < chunk.length) {
      const byte = chunk[at]
      switch (state) {
        case 'lineStart':
          if (byte === dot) {
            pass(at)
            at += 1
            from = at
          }
          state = byte === dot ? 'dot' : 'text'
          break
        case 'dot':
          if (byte === carriageReturn) at += 1
          state = byte === carriageReturn ? 'dotReturn' : 'text'
          break
        case 'dotReturn':
          if (byte === lineFeed) return { body, rest: chunk.subarray(at + 1) }
          // A line that begins with CR behind its dot. The CR may have come with the chunk before.
          if (at === 0) body.push(heldReturn)
          state = 'return'
          break
        case 'return':
          if (byte === lineFeed || byte === carriageReturn) at += 1
          if (byte === lineFeed) state = 'lineStart'
          else if (byte !== carriageReturn) state = 'text'
          break
        case 'text': {
          const next = chunk.indexOf(dottedLine, at)
          if (next >= 0) {
            pass(next + 2)
            at = next + dottedLine.length
            from = at
            state = 'dot'
            break
          }
          if (chunk.length - at >= 2 && chunk.at(-2) === carriageReturn && chunk.at(-1) === lineFeed) state = 'lineStart'
          else if (chunk.at(-1) === carriageReturn) state = 'return'
          at = chunk.length
        }
      }
    }
    // A CR that may be part of the end waits for what follows.
    pass(state === 'dotReturn' ? chunk.length - 1 : chunk.length)
    return { body, rest: undefined }
  }
}
