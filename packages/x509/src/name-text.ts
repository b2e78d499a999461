import { invalid } from './der-reader.ts'
import { maxNameAttributes, maxNameCharacters } from './limits.ts'
import { attributeTypes, type RawAttribute } from './name.ts'
import type { NameAttribute } from './types.ts'

/**
 * The text form of RFC 4514, most specific attribute first, without blanks after commas, with `EMAIL` for the e-mail
 * address. Control characters are escaped too, so that the text is safe on one line of a log.
 *
 * @example
 * formatName([{ type: 'CN', value: 'Doe, Jane' }, { type: 'C', value: 'DE' }]) // 'CN=Doe\\, Jane,C=DE'
 */
export function formatName(attributes: readonly NameAttribute[]): string {
  return attributes.map(({ type, value }) => `${type}=${escapeValue(value)}`).join(',')
}

/** As {@link formatName}, for names as found in certificates: unknown types as dotted numbers with the value in hexadecimal. */
export function formatRelativeNames(relativeNames: readonly (readonly RawAttribute[])[]): string {
  const formatAttribute = ({ type, oid, encodedValue, text }: RawAttribute): string =>
    type !== undefined && text !== undefined ? `${type}=${escapeValue(text)}` : `${dotted(oid)}=#${encodedValue.toString('hex')}`
  return relativeNames
    .toReversed()
    .map((relativeName) => relativeName.map(formatAttribute).join('+'))
    .join(',')
}

function escapeValue(value: string): string {
  return value
    .replaceAll(/[,+"\\<>;]/g, (character) => `\\${character}`)
    .replaceAll(/^[ #]| $/g, (character) => `\\${character}`)
    .replaceAll(controlCharacters, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase()}`)
}

// oxlint-disable-next-line no-control-regex -- finding control characters is the purpose
const controlCharacters = /[\u0000-\u001f\u007f]/g

function dotted(oid: Buffer): string {
  const numbers: bigint[] = []
  let number = 0n
  for (const octet of oid.subarray(2)) {
    number = (number << 7n) | BigInt(octet & 0x7f)
    if (octet < 0x80) {
      numbers.push(number)
      number = 0n
    }
  }
  const first = numbers.shift() ?? 0n
  const root = first < 80n ? first / 40n : 2n
  return [root, first - root * 40n, ...numbers].join('.')
}

const typesByWord = new Map<string, NameAttribute['type']>([
  ...attributeTypes.map((type) => [type, type] as const),
  ['E', 'EMAIL'],
  ['EMAILADDRESS', 'EMAIL'],
])

/**
 * Reads the text form of RFC 4514, and what people write: blanks around separators, lower-case types, `E` and
 * `emailAddress` for `EMAIL`, values in double quotes (RFC 2253 §4). The empty text is the empty name.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for unknown types, empty values, unescaped special characters, values in
 * hexadecimal form and several attributes in one relative name (`+`).
 */
export function parseName(text: string): NameAttribute[] {
  if (text.length > maxNameCharacters) throw invalid('the name', `is longer than ${maxNameCharacters} characters`)
  const attributes: NameAttribute[] = []
  let rest = skipBlanks(text)
  while (rest !== '') {
    const head = /^([A-Za-z]+) *= */.exec(rest)
    const type = typesByWord.get(head?.[1]?.toUpperCase() ?? '')
    if (head === null || type === undefined) {
      throw invalid('the name', `has no attribute such as ${attributeTypes.join(', ')} at "${rest.slice(0, 40)}"`)
    }
    const { value, length } = readValue(rest.slice(head[0].length), type)
    attributes.push({ type, value })
    if (attributes.length > maxNameAttributes) throw invalid('the name', `has more than ${maxNameAttributes} attributes`)
    const after = skipBlanks(rest.slice(head[0].length + length))
    if (after !== '' && !after.startsWith(',')) throw invalid('the name', `has a stray "${after[0]}" after ${type}`)
    rest = skipBlanks(after.slice(1))
    if (after !== '' && rest === '') throw invalid('the name', 'ends with a comma')
  }
  return attributes
}

const specialCharacters = ' #=,+"\\<>;'

function readValue(text: string, type: string): { readonly value: string; readonly length: number } {
  if (text.startsWith('#')) throw invalid('the name', `has a hexadecimal value in ${type}, which is not supported`)
  const quoted = text.startsWith('"')
  let offset = quoted ? 1 : 0
  let value = ''
  // Length up to which blanks at the end belong to the value, because they were escaped or quoted.
  let kept = 0
  for (; offset < text.length; offset++) {
    const character = text.charAt(offset)
    if (character === '\\') {
      const octets = /^(?:\\[\da-fA-F]{2})+/.exec(text.slice(offset))?.[0]
      const next = text.charAt(offset + 1)
      if (octets !== undefined) value += decodeOctets(octets, type)
      else if (next !== '' && specialCharacters.includes(next)) value += next
      else throw invalid('the name', `has a stray backslash in ${type}`)
      offset += (octets?.length ?? 2) - 1
      kept = value.length
    } else if (quoted ? character === '"' : ',+"<>;'.includes(character)) {
      break
    } else {
      value += character
    }
  }
  if (quoted && offset === text.length) throw invalid('the name', `has an unfinished quotation in ${type}`)
  if (!quoted) {
    let end = value.length
    while (end > kept && value[end - 1] === ' ') end--
    value = value.slice(0, end)
  }
  if (value === '') throw invalid('the name', `has an empty ${type}`)
  return { value, length: quoted ? offset + 1 : offset }
}

/** Only the blank of ASCII separates; others are characters of a name like any other. */
function skipBlanks(text: string): string {
  return text.replace(/^ +/, '')
}

/** A run of escaped octets is UTF-8 and decoded together. */
function decodeOctets(written: string, type: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(written.replaceAll('\\', ''), 'hex'))
  } catch (cause) {
    throw invalid('the name', `has escaped octets in ${type} that are not UTF-8`, cause)
  }
}
