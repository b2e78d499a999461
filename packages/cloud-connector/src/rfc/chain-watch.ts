import { cpicTags, identityTags, type Refused } from '@sallyport/rfc-wire'

/** Follows the chain of a request that arrives in slices, and keeps none of it. */
export interface ChainWatch {
  /** Takes the next slice. After a refusal the chain is unusable. */
  read(slice: Buffer): Refused | undefined
  /** The end of the chain has been read. */
  readonly ended: boolean
}

/** Repeated tag, tag, length, and the longer length of large values. */
const longestHeadBytes = 10
const extendedLength = 0xffff

/**
 * Watches that a chain is one chain and names one function. A name in a later slice could be the one that is called, long after the first has been decided: so the
 * heads of all fields are read, and their values skipped.
 */
export function createChainWatch(): ChainWatch {
  const head = Buffer.alloc(longestHeadBytes)
  let headBytes = 0
  /** The first field repeats no tag. */
  let repeatedBytes = 0
  let previous = -1
  let valueBytes = 0
  let names = 0
  let ended = false

  /** Bytes that the head has, as far as what has been read of it says. */
  const expected = (): number => {
    const fixed = repeatedBytes + 4
    if (headBytes < fixed) return fixed
    if (head.readUInt16BE(repeatedBytes) === cpicTags.end) return fixed + 2
    return head.readUInt16BE(repeatedBytes + 2) === extendedLength ? fixed + 4 : fixed
  }

  const finishHead = (): Refused | undefined => {
    const tag = head.readUInt16BE(repeatedBytes)
    const length = head.readUInt16BE(repeatedBytes + 2)
    if (repeatedBytes > 0 && head.readUInt16BE(0) !== previous) return { refused: 'request: a field is closed by another tag' }
    if (tag === cpicTags.end) {
      if (length !== 0 || head.readUInt16BE(repeatedBytes + 4) !== cpicTags.end) return { refused: 'request: its end is malformed' }
      ended = true
      return undefined
    }
    if (tag === cpicTags.functionName) names += 1
    if (names > 1) return { refused: 'request: two functions' }
    if (identityTags.has(tag)) return { refused: 'request: logs on, but is no logon' }
    valueBytes = length === extendedLength ? head.readUInt32BE(repeatedBytes + 4) : length
    previous = tag
    repeatedBytes = 2
    headBytes = 0
    return undefined
  }

  return {
    get ended() {
      return ended
    },
    read(slice) {
      let at = 0
      while (at < slice.length) {
        if (ended) return { refused: 'request: bytes behind its end' }
        if (valueBytes > 0) {
          const skipped = Math.min(valueBytes, slice.length - at)
          valueBytes -= skipped
          at += skipped
          continue
        }
        const wanted = expected()
        const end = Math.min(slice.length, at + wanted - headBytes)
        slice.copy(head, headBytes, at, end)
        headBytes += end - at
        at = end
        if (headBytes < expected()) continue
        const refused = finishHead()
        if (refused !== undefined) return refused
      }
      return undefined
    },
  }
}
