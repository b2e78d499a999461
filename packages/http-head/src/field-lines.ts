import { bareCarriageReturn, bareLineFeed, headTooLarge, incomplete, refused, type Unfinished } from './refusal.ts'
import { COLON, CR, DELETE, HTAB, LF, SPACE, tokenBytes, valueBytes } from './character-classes.ts'
import { frequentName } from './field-names.ts'
import type { HeadLimits } from './types.ts'

const tooManyLines = refused(431, 'too many header lines')
const lineTooLong = refused(431, 'a header line is too long')
const foldedLine = refused(400, 'a header line that begins with white space')
const blankBeforeColon = refused(400, 'white space before the colon of a header line')
const badName = refused(400, 'a header line without a valid name')
const badValue = refused(400, 'a control character in a header value')

/** A head while it is read. `text` is the Latin-1 form of the bytes from `textFrom` on, or empty while the end of the head is not known. */
export interface HeadReading {
  readonly bytes: Buffer
  /** First byte of the head, a leading empty line included; counts for the total. */
  readonly from: number
  /** Where reading stops: the end of the bytes or of what the limits admit. */
  readonly bound: number
  readonly text: string
  readonly textFrom: number
  readonly limits: HeadLimits
}

const endOfHead = Buffer.from('\r\n\r\n', 'latin1')

/** Starts to read the head whose first line begins at `start`. */
export function beginHead(bytes: Buffer, from: number, start: number, limits: HeadLimits): HeadReading {
  const bound = Math.min(bytes.length, from + limits.maxHeadBytes)
  const end = bytes.indexOf(endOfHead, start)
  // One conversion for the whole head; every name, value and line is a slice of it.
  const text = end < 0 || end + 4 > bound ? '' : bytes.toString('latin1', start, end)
  return { bytes, from, bound, text, textFrom: start, limits }
}

/** What to answer when the bytes end, or the limit of the whole head is reached, before the head is complete. */
export function atBound(reading: HeadReading): Unfinished {
  return reading.bound - reading.from >= reading.limits.maxHeadBytes ? headTooLarge : incomplete
}

/**
 * Reads header lines from `at` to the empty line and appends them to the lists.
 *
 * Every decision is made at the first byte that allows it, from left to right, so the answer does not depend on how the bytes were split.
 *
 * @returns the offset behind the empty line, or why there is none.
 */
export function readFieldLines(reading: HeadReading, at: number, names: string[], values: string[], lines: string[]): number | Unfinished {
  const { bytes, bound, text, textFrom, limits } = reading
  for (;;) {
    if (at >= bound) return atBound(reading)
    if (bytes[at] === CR) {
      if (at + 1 >= bound) return atBound(reading)
      return bytes[at + 1] === LF ? at + 2 : bareCarriageReturn
    }
    if (names.length >= limits.maxHeaderCount) return tooManyLines
    const start = at
    const lineBound = Math.min(bound, start + limits.maxLineBytes)

    while (at < lineBound && tokenBytes[bytes[at]!] === 1) at += 1
    if (at >= bound) return atBound(reading)
    if (bytes[at] !== COLON || at === start || at >= lineBound) return badNameAt(bytes, start, at, limits)
    const nameEnd = at

    at += 1
    while (at < lineBound && (bytes[at] === SPACE || bytes[at] === HTAB)) at += 1
    const valueStart = at
    at = skipPlain(bytes, at, lineBound)
    while (at < lineBound && valueBytes[bytes[at]!] === 1) at += 1
    if (at >= bound) return atBound(reading)
    if (bytes[at] !== CR) {
      if (at >= lineBound) return lineTooLong
      return bytes[at] === LF ? bareLineFeed : badValue
    }
    let valueEnd = at
    while (valueEnd > valueStart && (bytes[valueEnd - 1] === SPACE || bytes[valueEnd - 1] === HTAB)) valueEnd -= 1
    if (at + 1 >= bound) return atBound(reading)
    if (bytes[at + 1] !== LF) return bareCarriageReturn

    names.push(frequentName(bytes, start, nameEnd) ?? text.slice(start - textFrom, nameEnd - textFrom).toLowerCase())
    values.push(text.slice(valueStart - textFrom, valueEnd - textFrom))
    lines.push(text.slice(start - textFrom, at - textFrom))
    at += 2
  }
}

/** Bytes of a value that are looked at before it counts as long. */
const longValueBytes = 32
/** One bit per byte of a word, the highest. */
const highBits = 0x80808080 | 0

/** Steps over bytes that are certainly allowed in a value, four at a time: tokens of a kilobyte and more are the bulk of most heads. */
function skipPlain(bytes: Buffer, at: number, end: number): number {
  const last = end - 4
  const lastOfShort = Math.min(last, at + longValueBytes)
  while (at <= lastOfShort) {
    const first = bytes[at]!
    const second = bytes[at + 1]!
    const third = bytes[at + 2]!
    const fourth = bytes[at + 3]!
    if (first < SPACE || second < SPACE || third < SPACE || fourth < SPACE) return at
    if (first === DELETE || second === DELETE || third === DELETE || fourth === DELETE) return at
    at += 4
  }
  if (at > last) return at
  // As one word each, which takes a third of the time; a view costs more than a short value is worth.
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  while (at <= last) {
    const word = view.getInt32(at)
    // Below SPACE the subtraction borrows, from DELETE on the addition carries; the first such byte from the right cannot hide behind another.
    if ((((word - 0x20202020) | (word + 0x01010101)) & highBits) !== 0) return at
    at += 4
  }
  return at
}

function badNameAt(bytes: Buffer, start: number, at: number, limits: HeadLimits): Unfinished {
  const byte = bytes[at]
  if (at - start >= limits.maxLineBytes && byte !== CR) return lineTooLong
  if (byte === LF) return bareLineFeed
  if (byte === SPACE || byte === HTAB) return at === start ? foldedLine : blankBeforeColon
  return badName
}
