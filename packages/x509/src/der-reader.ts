import { ConnectivityError } from '@sallyport/core'
import { tags } from './der-writer.ts'

/** One element: `content` is inside `encoded`, both are views of the bytes read. */
interface DerElement {
  readonly tag: number
  readonly content: Buffer
  readonly encoded: Buffer
}

/** Walks over the elements of one level. Every method throws `MESSAGE_INVALID` for what is not distinguished encoding. */
export interface DerReader {
  readonly atEnd: boolean
  /** Tag of the next element, without moving; `undefined` at the end. */
  peek(): number | undefined
  /** The next element, of whatever tag. */
  next(): DerElement
  /** The next element, which has to have this tag. */
  read(tag: number): DerElement
  /** A reader over the content of the next element, which has to have this tag. */
  enter(tag: number): DerReader
  /** Nothing may be left. */
  end(): void
}

/**
 * Reads distinguished encoding strictly: one-octet tags, definite lengths in their shortest form, nothing beyond the end.
 * It never recurses and never copies, so time and memory are bounded by the input. `what` names the input in errors.
 */
export function createDerReader(bytes: Buffer, what: string): DerReader {
  let offset = 0
  const next = (): DerElement => {
    const start = offset
    const tag = bytes[offset++]
    if (tag === undefined) throw invalid(what, 'ends too early')
    if ((tag & 0x1f) === 0x1f) throw invalid(what, 'has a tag of more than one octet')
    let length = bytes[offset++]
    if (length === undefined) throw invalid(what, 'ends too early')
    if (length >= 0x80) {
      const octets = length & 0x7f
      if (octets === 0) throw invalid(what, 'has an indefinite length')
      if (octets > 4) throw invalid(what, 'has a length that is too large')
      if (offset + octets > bytes.length) throw invalid(what, 'ends too early')
      length = bytes.readUIntBE(offset, octets)
      offset += octets
      if (length < 0x80 || length < 2 ** (8 * (octets - 1))) throw invalid(what, 'has a length that is not in shortest form')
    }
    if (length > bytes.length - offset) throw invalid(what, 'ends too early')
    const content = bytes.subarray(offset, offset + length)
    offset += length
    return { tag, content, encoded: bytes.subarray(start, offset) }
  }
  const reader: DerReader = {
    get atEnd() {
      return offset === bytes.length
    },
    peek: () => bytes[offset],
    next,
    read(tag) {
      const element = next()
      if (element.tag !== tag) throw invalid(what, `has element 0x${element.tag.toString(16)} where 0x${tag.toString(16)} belongs`)
      return element
    },
    enter: (tag) => createDerReader(reader.read(tag).content, what),
    end() {
      if (offset !== bytes.length) throw invalid(what, 'has bytes that do not belong to it')
    },
  }
  return reader
}

/** The octets of a BIT STRING without unused bits, as keys and signatures are. */
export function readOctetBits(reader: DerReader, what: string): Buffer {
  const { content } = reader.read(tags.bitString)
  if (content[0] !== 0) throw invalid(what, 'has a bit string that is not of whole octets')
  return content.subarray(1)
}

/** Checks that an INTEGER is there, in shortest form, and returns its octets. */
export function readInteger(reader: DerReader, what: string): Buffer {
  const { content } = reader.read(tags.integer)
  const [first, second] = content
  if (first === undefined) throw invalid(what, 'has an empty integer')
  if (second !== undefined && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw invalid(what, 'has an integer that is not in shortest form')
  }
  return content
}

/** The one error for data that cannot be read or written. */
export function invalid(what: string, problem: string, cause?: unknown): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `${what} ${problem}`, { cause })
}
