import { isUtf8 } from 'node:buffer'
import { createDerReader, invalid } from './der-reader.ts'
import { encode, sequence, tags } from './der-writer.ts'
import { maxNameAttributes, maxNameValueBytes } from './limits.ts'
import type { NameAttribute } from './types.ts'

/** How one attribute type is written: its identifier and the string type that RFC 5280 appendix A.1 and RFC 4519 give it. */
interface AttributeRow {
  readonly oid: Buffer
  readonly string: 'utf8' | 'printable' | 'ia5'
}

const row = (oid: string, string: AttributeRow['string']): AttributeRow => ({
  oid: encode(tags.objectIdentifier, Buffer.from(oid, 'hex')),
  string,
})

const rows: Readonly<Record<NameAttribute['type'], AttributeRow>> = {
  CN: row('550403', 'utf8'),
  EMAIL: row('2a864886f70d010901', 'ia5'),
  L: row('550407', 'utf8'),
  OU: row('55040b', 'utf8'),
  O: row('55040a', 'utf8'),
  ST: row('550408', 'utf8'),
  C: row('550406', 'printable'),
  SERIALNUMBER: row('550405', 'printable'),
  DC: row('0992268993f22c640119', 'ia5'),
  UID: row('0992268993f22c640101', 'utf8'),
}

/** Every attribute type, in the order in which subjects are usually written. */
export const attributeTypes = Object.keys(rows) as readonly NameAttribute['type'][]

/**
 * A Name (RFC 5280 §4.1.2.4), one attribute per relative name. Attributes come most specific first, as in the text form,
 * and are therefore written in reverse: country first, common name last.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for a value that its type cannot hold: empty, too long, NUL, a country that
 * is not two letters, an e-mail address or domain component outside ASCII.
 */
export function encodeName(attributes: readonly NameAttribute[]): Buffer {
  if (attributes.length > maxNameAttributes) throw invalid('the name', `has more than ${maxNameAttributes} attributes`)
  return sequence(...attributes.toReversed().map(encodeAttribute))
}

function encodeAttribute({ type, value }: NameAttribute): Buffer {
  const { oid, string } = rows[type]
  return encode(tags.set, sequence(oid, encodeValue(type, value, string)))
}

function encodeValue(type: NameAttribute['type'], value: string, string: AttributeRow['string']): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  if (bytes.length === 0) throw invalid('the name', `has an empty ${type}`)
  if (bytes.length > maxNameValueBytes) throw invalid('the name', `has a ${type} of more than ${maxNameValueBytes} bytes`)
  if (!value.isWellFormed()) throw invalid('the name', `has a ${type} that is not well-formed Unicode`)
  // A NUL would let two readers see different names: one of them stops there.
  if (bytes.includes(0)) throw invalid('the name', `has a ${type} with a NUL character`)
  if (type === 'C' && !/^[A-Za-z]{2}$/.test(value)) throw invalid('the name', 'has a C that is not two letters')
  if (string === 'utf8') return encode(tags.utf8String, bytes)
  if (string === 'ia5') {
    if (bytes.length !== value.length) throw invalid('the name', `has a ${type} with characters outside ASCII`)
    return encode(tags.ia5String, bytes)
  }
  if (!/^[A-Za-z0-9 '()+,\-./:=?]+$/.test(value)) throw invalid('the name', `has a ${type} with characters outside PrintableString`)
  return encode(tags.printableString, bytes)
}

/** An attribute as it stands in a certificate: `type` is `undefined` for identifiers that we have no word for. */
export interface RawAttribute {
  readonly type: NameAttribute['type'] | undefined
  /** DER of the identifier and of the value. */
  readonly oid: Buffer
  readonly encodedValue: Buffer
  /** `undefined` when the value is not a string of a kind that certificates have used in this century. */
  readonly text: string | undefined
}

/** The relative names of a Name in the order of the encoding; `name` is the complete element. */
export function readRelativeNames(name: Buffer, what: string): RawAttribute[][] {
  const outer = createDerReader(name, what)
  const list = outer.enter(tags.sequence)
  outer.end()
  const relativeNames: RawAttribute[][] = []
  let count = 0
  while (!list.atEnd) {
    const set = list.enter(tags.set)
    const attributes: RawAttribute[] = []
    do {
      if (++count > maxNameAttributes) throw invalid(what, `has a name of more than ${maxNameAttributes} attributes`)
      const pair = set.enter(tags.sequence)
      const oid = pair.read(tags.objectIdentifier)
      const value = pair.next()
      pair.end()
      const type = attributeTypes.find((known) => rows[known].oid.equals(oid.encoded))
      attributes.push({ type, oid: oid.encoded, encodedValue: value.encoded, text: textOf(value.tag, value.content) })
    } while (!set.atEnd)
    relativeNames.push(attributes)
  }
  return relativeNames
}

function textOf(tag: number, content: Buffer): string | undefined {
  switch (tag) {
    case tags.utf8String:
      return isUtf8(content) ? content.toString('utf8') : undefined
    case tags.printableString:
    case tags.ia5String:
      return content.every((octet) => octet < 0x80) ? content.toString('latin1') : undefined
    case tags.bmpString: {
      if (content.length % 2 !== 0) return undefined
      const text = Buffer.from(content).swap16().toString('utf16le')
      return text.isWellFormed() ? text : undefined
    }
    default:
      return undefined
  }
}

/** Attributes most specific first. @throws ConnectivityError `MESSAGE_INVALID` for attributes and strings that we do not know. */
export function readName(name: Buffer, what: string): NameAttribute[] {
  const attributes = readRelativeNames(name, what).map((relativeName): NameAttribute => {
    const [only, second] = relativeName
    if (only === undefined || second !== undefined) throw invalid(what, 'has several attributes in one relative name')
    if (only.type === undefined) throw invalid(what, `has a name attribute other than ${attributeTypes.join(', ')}`)
    if (only.text === undefined || only.text === '' || only.text.includes('\0')) throw invalid(what, `has an unreadable ${only.type}`)
    return { type: only.type, value: only.text }
  })
  return attributes.toReversed()
}
