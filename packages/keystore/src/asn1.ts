import forge from 'node-forge'
import { unreadable } from './keystore-errors.ts'
import { maxAsn1Depth } from './limits.ts'

/**
 * Reading and writing ASN.1 with forge, which takes the indefinite lengths and octet strings in pieces that PKCS #12 files of browsers have. Forge keeps
 * octets in strings of characters below 256; nothing outside of this file sees them.
 */
export type Element = forge.asn1.Asn1

const { Class, Type } = forge.asn1

/** The element that these bytes are, and nothing but it. */
export function parseElement(bytes: Buffer, what: string): Element {
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false, maxDepth: maxAsn1Depth }
  try {
    // The published types know of the first option only.
    return forge.asn1.fromDer(bytes.toString('latin1'), options as unknown as boolean)
  } catch {
    // Errors of forge carry what they were parsing.
    throw unreadable(what, 'is damaged, or not what its extension says')
  }
}

/** Reads the parts of one element; every reader fails with what the element is not. */
export interface ElementReader {
  /** Parts of a SEQUENCE or SET. */
  list(element: Element | undefined): readonly Element[]
  /** Parts of an element with a tag of its context, `[number]`. */
  tagged(element: Element | undefined, number: number): readonly Element[]
  isTagged(element: Element | undefined, number: number): element is Element
  /** An OCTET STRING, also one in pieces, or one with the given tag instead of its own. */
  octets(element: Element | undefined, tag?: number): Buffer
  objectIdentifier(element: Element | undefined): string
  /** An INTEGER from zero to 2^31-1. */
  count(element: Element | undefined): number
  isCount(element: Element | undefined): element is Element
}

/** Readers whose errors name `what`. */
export function createElementReader(what: string): ElementReader {
  const damaged = (): Error => unreadable(what, 'is not made as the standard says')

  const listOf = (element: Element | undefined): readonly Element[] => {
    if (element === undefined || !element.constructed || !Array.isArray(element.value)) throw damaged()
    return element.value
  }
  const bytesOf = (element: Element | undefined): Buffer => {
    if (element === undefined || typeof element.value !== 'string') throw damaged()
    return Buffer.from(element.value, 'latin1')
  }
  const hasType = (element: Element | undefined, type: forge.asn1.Type): boolean =>
    element?.tagClass === Class.UNIVERSAL && element.type === type

  const reader: ElementReader = {
    list(element) {
      if (!hasType(element, Type.SEQUENCE) && !hasType(element, Type.SET)) throw damaged()
      return listOf(element)
    },
    tagged(element, number) {
      if (!reader.isTagged(element, number)) throw damaged()
      return listOf(element)
    },
    isTagged: (element, number): element is Element => element?.tagClass === Class.CONTEXT_SPECIFIC && (element.type as number) === number,
    octets(element, tag) {
      const fits = tag === undefined ? hasType(element, Type.OCTETSTRING) : reader.isTagged(element, tag)
      if (!fits || element === undefined) throw damaged()
      if (!element.constructed) return bytesOf(element)
      return Buffer.concat(listOf(element).map((part) => reader.octets(part)))
    },
    objectIdentifier(element) {
      if (!hasType(element, Type.OID)) throw damaged()
      const bytes = bytesOf(element)
      if (bytes.length === 0 || bytes.length > 64) throw damaged()
      return forge.asn1.derToOid(bytes.toString('latin1'))
    },
    count(element) {
      if (!hasType(element, Type.INTEGER)) throw damaged()
      const bytes = bytesOf(element)
      if (bytes.length === 0 || bytes.length > 4 || (bytes[0] ?? 0x80) >= 0x80) throw unreadable(what, 'has a number that is too large')
      return bytes.readUIntBE(0, bytes.length)
    },
    isCount: (element): element is Element => hasType(element, Type.INTEGER),
  }
  return reader
}

/** The text of a string element, of whatever kind. */
export function tryReadText(element: Element | undefined): string | undefined {
  return typeof element?.value === 'string' ? element.value : undefined
}

/** The encoding of an element. */
export function encodeElement(element: Element): Buffer {
  return Buffer.from(forge.asn1.toDer(element).getBytes(), 'latin1')
}

/** A SEQUENCE. */
export function sequence(...parts: readonly Element[]): Element {
  return forge.asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...parts])
}

/** A SET. */
export function set(...parts: readonly Element[]): Element {
  return forge.asn1.create(Class.UNIVERSAL, Type.SET, true, [...parts])
}

/** Forge takes the number of any tag where its published types list those of the universal class. */
const createTagged: (tagClass: number, type: number, constructed: boolean, value: string | Element[]) => Element = forge.asn1.create

/** An element with a tag of its context around another one. */
export function tagged(number: number, part: Element): Element {
  return createTagged(Class.CONTEXT_SPECIFIC, number, true, [part])
}

/** An OCTET STRING whose own tag is replaced by one of the context. */
export function taggedOctets(number: number, bytes: Buffer): Element {
  return createTagged(Class.CONTEXT_SPECIFIC, number, false, bytes.toString('latin1'))
}

/** An OCTET STRING. */
export function octets(bytes: Buffer): Element {
  return forge.asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, bytes.toString('latin1'))
}

/** An INTEGER. */
export function count(value: number): Element {
  return forge.asn1.create(Class.UNIVERSAL, Type.INTEGER, false, forge.asn1.integerToDer(value).getBytes())
}

/** An OBJECT IDENTIFIER from its dotted form. */
export function objectIdentifier(dotted: string): Element {
  return forge.asn1.create(Class.UNIVERSAL, Type.OID, false, forge.asn1.oidToDer(dotted).getBytes())
}

/** NULL, as parameters of algorithms that have none. */
export function nothing(): Element {
  return forge.asn1.create(Class.UNIVERSAL, Type.NULL, false, '')
}

/** A BMPString: two octets for each UTF-16 unit. */
export function bmpText(text: string): Element {
  return forge.asn1.create(Class.UNIVERSAL, Type.BMPSTRING, false, text)
}
