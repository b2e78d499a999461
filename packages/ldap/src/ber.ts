/** One element of a BER encoding (X.690), as far as RFC 4511 §5.1 allows: definite lengths, tags of one byte. */
export interface BerElement {
  readonly tag: number
  readonly content: Buffer
}

/** Thrown for bytes that are not what they should be. Its text never holds bytes of the message. */
export class MalformedBer extends Error {
  override readonly name = 'MalformedBer'
}

/** Where content begins and ends for the element at `offset`; `undefined` when its header is not complete yet. */
export function readHeader(bytes: Buffer, offset: number): { readonly begin: number; readonly end: number } | undefined {
  const first = bytes[offset + 1]
  if (first === undefined) return undefined
  if (first < 0x80) return { begin: offset + 2, end: offset + 2 + first }
  const count = first - 0x80
  // 0x80 is the indefinite form; more than four bytes is more than any message may have.
  if (count === 0 || count > 4) throw new MalformedBer('a length has a form that LDAP does not allow')
  const begin = offset + 2 + count
  if (bytes.length < begin) return undefined
  return { begin, end: begin + bytes.readUIntBE(offset + 2, count) }
}

/** The elements of a constructed element's content, one after the other. @throws MalformedBer when they do not fill it exactly. */
export function* readElements(content: Buffer): Generator<BerElement> {
  for (let offset = 0; offset < content.length;) {
    const header = readHeader(content, offset)
    if (header === undefined || header.end > content.length) throw new MalformedBer('a length leads beyond the message')
    yield { tag: content.readUInt8(offset), content: content.subarray(header.begin, header.end) }
    offset = header.end
  }
}

/** A non-negative INTEGER or ENUMERATED of at most 31 bits, as RFC 4511 has them. */
export function readInteger({ content }: BerElement): number {
  if (content.length === 0 || content.length > 4 || content.readUInt8(0) > 0x7f) throw new MalformedBer('a number is out of range')
  return content.readUIntBE(0, content.length)
}

/** Writes one element. */
export function writeElement(tag: number, ...contents: readonly Buffer[]): Buffer {
  const content = Buffer.concat(contents)
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(content.length)
  return Buffer.concat([Buffer.of(tag, 0x84), length, content])
}
