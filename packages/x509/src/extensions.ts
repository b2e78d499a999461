import { isIPv4, isIPv6 } from 'node:net'
import { invalid } from './der-reader.ts'
import { contextTag, derTrue, encode, integer, namedBits, octetString, sequence, tags } from './der-writer.ts'
import { maxAlternativeNameBytes, maxAlternativeNames } from './limits.ts'
import * as oids from './object-identifiers.ts'
import type { CertificateProfile } from './types.ts'

type Extensions = CertificateProfile['extensions']
type AlternativeName = NonNullable<Extensions['subjectAltNames']>[number]

/** Positions of the bits, RFC 5280 §4.2.1.3. */
export const usageBits: Readonly<Record<NonNullable<Extensions['keyUsage']>[number], number>> = {
  digitalSignature: 0,
  keyEncipherment: 2,
  keyCertSign: 5,
  cRLSign: 6,
}
const purposes = { serverAuth: oids.serverAuth, clientAuth: oids.clientAuth } as const

/**
 * The extensions of a profile, in the order of RFC 5280 §4.2.1. Key identifiers are included when the profile asks and the caller knows them.
 * Basic constraints and key usage are critical; alternative names are when the subject is empty (§4.2.1.6).
 */
export function encodeExtensions(
  extensions: Extensions,
  context: { readonly emptySubject: boolean; readonly subjectKeyId?: Buffer; readonly authorityKeyId?: Buffer },
): readonly Buffer[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectAltNames } = extensions
  const encoded: Buffer[] = []
  if (extensions.authorityKeyIdentifier === true && context.authorityKeyId !== undefined) {
    encoded.push(extension(oids.authorityKeyIdentifier, false, sequence(encode(contextTag(0, false), context.authorityKeyId))))
  }
  if (extensions.subjectKeyIdentifier === true && context.subjectKeyId !== undefined) {
    encoded.push(extension(oids.subjectKeyIdentifier, false, octetString(context.subjectKeyId)))
  }
  if (keyUsage !== undefined && keyUsage.length > 0) {
    encoded.push(extension(oids.keyUsage, true, namedBits(keyUsage.map((usage) => usageBits[usage]))))
  }
  if (subjectAltNames !== undefined && subjectAltNames.length > 0) {
    if (subjectAltNames.length > maxAlternativeNames) {
      throw invalid('the certificate', `has more than ${maxAlternativeNames} alternative names`)
    }
    encoded.push(extension(oids.subjectAltName, context.emptySubject, sequence(...subjectAltNames.map(encodeAlternativeName))))
  }
  if (basicConstraints !== undefined) encoded.push(extension(oids.basicConstraints, true, encodeConstraints(basicConstraints)))
  if (extendedKeyUsage !== undefined && extendedKeyUsage.length > 0) {
    encoded.push(extension(oids.extendedKeyUsage, false, sequence(...extendedKeyUsage.map((purpose) => purposes[purpose]))))
  }
  return encoded
}

function extension(oid: Buffer, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid, derTrue, octetString(value)) : sequence(oid, octetString(value))
}

/** Defaults are left out in distinguished encoding: `cA` is there only when true. */
function encodeConstraints({ ca, pathLength }: NonNullable<Extensions['basicConstraints']>): Buffer {
  if (!ca) return sequence()
  if (pathLength === undefined) return sequence(derTrue)
  if (!Number.isInteger(pathLength) || pathLength < 0 || pathLength > 255)
    throw invalid('the certificate', 'has a path length outside 0 to 255')
  return sequence(derTrue, integer(Buffer.from([pathLength])))
}

function encodeAlternativeName(name: AlternativeName): Buffer {
  if ('ip' in name) return encode(contextTag(7, false), addressOctets(name.ip))
  if ('dns' in name) return encode(contextTag(2, false), asciiText(name.dns))
  if ('email' in name) return encode(contextTag(1, false), asciiText(name.email))
  return encode(contextTag(6, false), asciiText(name.uri))
}

function asciiText(text: string): Buffer {
  const octets = Buffer.from(text, 'utf8')
  if (octets.length === 0 || octets.length > maxAlternativeNameBytes) {
    throw invalid('the certificate', `has an alternative name outside 1 to ${maxAlternativeNameBytes} bytes`)
  }
  if (!/^[\u0021-\u007e]+$/.test(text))
    throw invalid('the certificate', 'has an alternative name with blanks, control or non-ASCII characters')
  return octets
}

function addressOctets(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number))
  if (!isIPv6(address) || address.includes('%')) throw invalid('the certificate', 'has an alternative name that is not an IP address')
  // An IPv4 tail becomes two groups; then the gap, if any, is filled with zero groups.
  const groups = address.replace(/[\d.]+$/, (tail) => {
    if (!tail.includes('.')) return tail
    const [a = 0, b = 0, c = 0, d = 0] = tail.split('.').map(Number)
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`
  })
  const [head = '', tail] = groups.split('::')
  const split = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const before = split(head)
  const after = split(tail ?? '')
  const all = tail === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  const octets = Buffer.alloc(16)
  all.forEach((group, index) => octets.writeUInt16BE(Number.parseInt(group, 16), index * 2))
  return octets
}

/** The `[3]` field of a certificate; empty when there is no extension. */
export function wrapExtensions(encoded: readonly Buffer[]): Buffer {
  return encoded.length === 0 ? Buffer.alloc(0) : encode(contextTag(3, true), sequence(...encoded))
}

/** Attributes of a certification request that asks for extensions; the `[0]` field is there even when it is empty. */
export function wrapRequestedExtensions(encoded: readonly Buffer[]): Buffer {
  if (encoded.length === 0) return encode(contextTag(0, true))
  return encode(contextTag(0, true), sequence(oids.extensionRequest, encode(tags.set, sequence(...encoded))))
}
