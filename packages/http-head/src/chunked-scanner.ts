import { COLON, CR, extensionBytes, LF, tokenBytes, valueBytes } from './character-classes.ts'
import { maxChunkSizeDigits } from './limits.ts'
import type { BodyScanner, HeadLimits } from './types.ts'

/** Where the next byte stands. Each state is left at the byte that its comment names. */
const sizeDigits = 0 // `;` or CR
const sizeExtension = 1 // CR
const sizeLineFeed = 2 // LF
const data = 3 // the last byte of the chunk
const dataReturn = 4 // CR
const dataLineFeed = 5 // LF
const trailerStart = 6 // the first byte of a name, or CR
const trailerName = 7 // `:`
const trailerValue = 8 // CR
const trailerLineFeed = 9 // LF
const lastLineFeed = 10 // LF
const finished = 11
const broken = 12

/** RFC 9110 §6.5.1: fields that delimit, route, authenticate or describe the message have no business behind it, and some servers merge them into the head. */
const forbiddenTrailers: ReadonlySet<string> = new Set([
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'set-cookie',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Follows RFC 9112 §7.1 byte by byte through sizes, extensions and trailers, and jumps over data. */
export function createChunkedScanner(limits: HeadLimits, refusesTrailer: (name: string) => boolean): BodyScanner {
  let state = sizeDigits
  /** Of the current chunk: while the size line is read, as far as it is known; then what is still to come. */
  let left = 0
  let digits = 0
  let lineBytes = 0
  let trailerCount = 0
  let trailerBytes = 0
  let name = ''

  /** Takes one byte that is not chunk data and returns the state behind it. */
  function step(byte: number): number {
    switch (state) {
      case sizeDigits: {
        const digit = hexDigit(byte)
        if (digit >= 0) {
          left = left * 16 + digit
          digits += 1
          lineBytes += 1
          return digits <= maxChunkSizeDigits && left <= Number.MAX_SAFE_INTEGER ? sizeDigits : broken
        }
        if (digits === 0) return broken
        // White space behind the size, which RFC 9112 tolerates before an extension only, is skipped by some readers and ends the size for others.
        return byte === CR ? sizeLineFeed : byte === 0x3b ? extend(sizeExtension) : broken
      }
      case sizeExtension:
        return byte === CR ? sizeLineFeed : extensionBytes[byte] === 1 ? extend(sizeExtension) : broken
      case sizeLineFeed:
        if (byte !== LF) return broken
        lineBytes = 0
        digits = 0
        return left === 0 ? trailerStart : data
      case dataReturn:
        return byte === CR ? dataLineFeed : broken
      case dataLineFeed:
        return byte === LF ? sizeDigits : broken
      default:
        return stepTrailer(byte)
    }
  }

  function stepTrailer(byte: number): number {
    trailerBytes += 1
    if (trailerBytes > limits.maxHeadBytes) return broken
    switch (state) {
      case trailerStart:
        if (byte === CR) return lastLineFeed
        trailerCount += 1
        if (tokenBytes[byte] !== 1 || trailerCount > limits.maxHeaderCount) return broken
        name = String.fromCharCode(byte)
        lineBytes = 0
        return extend(trailerName)
      case trailerName:
        if (byte === COLON) return isForbidden(name.toLowerCase()) ? broken : extend(trailerValue)
        if (tokenBytes[byte] !== 1) return broken
        name += String.fromCharCode(byte)
        return extend(trailerName)
      case trailerValue:
        return byte === CR ? trailerLineFeed : valueBytes[byte] === 1 ? extend(trailerValue) : broken
      case trailerLineFeed:
        return byte === LF ? trailerStart : broken
      case lastLineFeed:
        return byte === LF ? finished : broken
      default:
        return broken
    }
  }

  function extend(next: number): number {
    lineBytes += 1
    return lineBytes <= limits.maxLineBytes ? next : broken
  }

  function isForbidden(lowerCase: string): boolean {
    return forbiddenTrailers.has(lowerCase) || refusesTrailer(lowerCase)
  }

  return {
    get done() {
      return state === finished
    },
    scan(chunk, from) {
      let at = from
      while (at < chunk.length && state !== finished && state !== broken) {
        if (state === data) {
          const here = Math.min(left, chunk.length - at)
          left -= here
          at += here
          if (left === 0) state = dataReturn
        } else {
          state = step(chunk[at]!)
          at += 1
        }
      }
      return state === broken ? -1 : at
    },
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const letter = byte | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1
}
