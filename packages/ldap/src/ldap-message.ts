import { type BerElement, MalformedBer, readElements, readInteger, writeElement } from './ber.ts'

/** What ends the answer to a request (RFC 4511 §4.1.9), with what a control or an extended operation adds. */
export interface LdapResult {
  readonly resultCode: number
  readonly matchedDn: string
  readonly diagnosticMessage: string
  readonly referrals: readonly string[]
  /** Of the paged results control (RFC 2696); empty when there is no further page. */
  readonly pageCookie: Buffer
  readonly responseName: string | undefined
  readonly responseValue: Buffer | undefined
}

/** An entry as it came: the DN in the server's spelling, every value as bytes. */
export interface WireEntry {
  readonly dn: string
  readonly attributes: readonly (readonly [name: string, values: readonly Buffer[]])[]
}

/** A message of a server: one of entry, references and result. */
export interface LdapMessage {
  readonly id: number
  /** The tag of the operation: 0x61 is a bind response. */
  readonly operation: number
  readonly entry?: WireEntry
  readonly references?: readonly string[]
  /** The last message of an answer. */
  readonly result?: LdapResult
}

const tags = { integer: 0x02, octets: 0x04, enumerated: 0x0a, sequence: 0x30, set: 0x31, referral: 0xa3, saslCredentials: 0x87 } as const
const extended = { name: 0x8a, value: 0x8b } as const
const controls = 0xa0
const pagedResults = '1.2.840.113556.1.4.319'
const searchEntry = 0x64
const searchReference = 0x73
const resultOperations: ReadonlySet<number> = new Set([0x61, 0x65, 0x67, 0x69, 0x6b, 0x6d, 0x6f, 0x78])

/** Which operations answer a request; requests without an answer (unbind, abandon) are not listed. */
export const answers: Readonly<Record<number, readonly number[]>> = {
  0x60: [0x61],
  0x63: [searchEntry, 0x65, searchReference],
  0x66: [0x67],
  0x68: [0x69],
  0x4a: [0x6b],
  0x6c: [0x6d],
  0x6e: [0x6f],
  0x77: [0x78],
}

/** Identifier and operation of a message that this side sends. */
export function readRequest(message: Buffer): { readonly id: number; readonly operation: number } {
  const [id, operation] = readMessage(message)
  return { id: readInteger(id), operation: operation.tag }
}

/**
 * Reads a message of a server, down to the last value.
 *
 * @throws MalformedBer for whatever RFC 4511 does not allow.
 */
export function readResponse(message: Buffer): LdapMessage {
  const [id, operation, control] = readMessage(message)
  const base = { id: readInteger(id), operation: operation.tag }
  if (operation.tag === searchEntry) return { ...base, entry: readEntry(operation) }
  if (operation.tag === searchReference) return { ...base, references: [...readTexts(operation)] }
  if (!resultOperations.has(operation.tag)) throw new MalformedBer('a message is no answer')
  return { ...base, result: readResult(operation, readPageCookie(control)) }
}

/** Writes a result without any text, in answer to the request with that identifier. */
export function writeResult(id: number, operation: number, resultCode: number): Buffer {
  const idBytes = Buffer.alloc(4)
  idBytes.writeUInt32BE(id)
  const empty = writeElement(tags.octets)
  const result = writeElement(operation, writeElement(tags.enumerated, Buffer.of(resultCode)), empty, empty)
  return writeElement(tags.sequence, writeElement(tags.integer, idBytes), result)
}

function readMessage(message: Buffer): [id: BerElement, operation: BerElement, controls: BerElement | undefined] {
  const [envelope] = readElements(message)
  const [id, operation, control, ...more] = readElements(expectTag(envelope, tags.sequence).content)
  if (operation === undefined || more.length > 0) throw new MalformedBer('a message has another number of parts')
  return [expectTag(id, tags.integer), operation, control === undefined ? undefined : expectTag(control, controls)]
}

function readResult(operation: BerElement, pageCookie: Buffer): LdapResult {
  const [code, matched, diagnostic, ...more] = readElements(operation.content)
  let referrals: readonly string[] = []
  let responseName: string | undefined
  let responseValue: Buffer | undefined
  for (const part of more) {
    if (part.tag === tags.referral) referrals = [...readTexts(part)]
    else if (part.tag === extended.name) responseName = part.content.toString('utf8')
    else if (part.tag === extended.value) responseValue = Buffer.from(part.content)
    else if (part.tag !== tags.saslCredentials) throw new MalformedBer('a result has a part that is not known')
  }
  return {
    resultCode: readInteger(expectTag(code, tags.enumerated)),
    matchedDn: expectTag(matched, tags.octets).content.toString('utf8'),
    diagnosticMessage: expectTag(diagnostic, tags.octets).content.toString('utf8'),
    referrals,
    pageCookie,
    responseName,
    responseValue,
  }
}

/** `[objectName, [[type, {value}]]]` of RFC 4511 §4.5.2. */
function readEntry(operation: BerElement): WireEntry {
  const [name, list, ...more] = readElements(operation.content)
  if (more.length > 0) throw new MalformedBer('an entry has another number of parts')
  const attributes: (readonly [string, readonly Buffer[]])[] = []
  for (const attribute of readElements(expectTag(list, tags.sequence).content)) {
    const [type, values, ...others] = readElements(expectTag(attribute, tags.sequence).content)
    if (others.length > 0) throw new MalformedBer('an attribute has another number of parts')
    const bytes: Buffer[] = []
    for (const value of readElements(expectTag(values, tags.set).content)) bytes.push(expectTag(value, tags.octets).content)
    attributes.push([expectTag(type, tags.octets).content.toString('utf8'), bytes])
  }
  return { dn: expectTag(name, tags.octets).content.toString('utf8'), attributes }
}

function readPageCookie(control: BerElement | undefined): Buffer {
  if (control === undefined) return Buffer.alloc(0)
  for (const each of readElements(control.content)) {
    const [type, ...rest] = readElements(expectTag(each, tags.sequence).content)
    const value = rest.at(-1)
    if (expectTag(type, tags.octets).content.toString('latin1') !== pagedResults || value?.tag !== tags.octets) continue
    const [parts] = readElements(value.content)
    const [, cookie] = readElements(expectTag(parts, tags.sequence).content)
    return Buffer.from(expectTag(cookie, tags.octets).content)
  }
  return Buffer.alloc(0)
}

function* readTexts(element: BerElement): Generator<string> {
  for (const text of readElements(element.content)) yield expectTag(text, tags.octets).content.toString('utf8')
}

function expectTag(element: BerElement | undefined, tag: number): BerElement {
  if (element?.tag !== tag) throw new MalformedBer('a message has a part of another kind than it should')
  return element
}
