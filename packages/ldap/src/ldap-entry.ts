import type { WireEntry } from './ldap-message.ts'

/** One entry of a directory. */
export interface LdapEntry {
  readonly dn: string
  /** Attributes that are text, by the name that the server uses. */
  readonly attributes: Readonly<Record<string, readonly string[]>>
  /** Attributes that are bytes: those with the option `;binary`, the adapter's list, and values that are not UTF-8. */
  readonly binary: Readonly<Record<string, readonly Buffer[]>>
}

/** Attributes that hold bytes in every directory that has them; their names are compared without case and options. */
const binaryAttributes: readonly string[] = [
  'jpegPhoto',
  'photo',
  'audio',
  'thumbnailPhoto',
  'userCertificate',
  'userSMIMECertificate',
  'userPKCS12',
  'cACertificate',
  'crossCertificatePair',
  'certificateRevocationList',
  'authorityRevocationList',
  'objectGUID',
  'objectSid',
]

/** Tells text from bytes. `isBinary` decides by the name; what is not UTF-8 is bytes in any case. */
export function toEntry({ dn, attributes }: WireEntry, isBinary: (name: string) => boolean): LdapEntry {
  // Names come from the server; on these objects none of them means anything else.
  const text = Object.create(null) as Record<string, readonly string[]>
  const binary = Object.create(null) as Record<string, readonly Buffer[]>
  for (const [name, values] of attributes) {
    const texts = isBinary(name) ? undefined : decode(values)
    if (texts === undefined) binary[name] = values.map((value) => Buffer.from(value))
    else text[name] = texts
  }
  return { dn, attributes: text, binary }
}

/** Makes the decision by name. */
export function createBinaryNames(more: readonly string[]): (name: string) => boolean {
  const names = new Set([...binaryAttributes, ...more].map((name) => name.toLowerCase()))
  return (name) => {
    const [type = '', ...options] = name.toLowerCase().split(';')
    return names.has(type) || options.includes('binary')
  }
}

function decode(values: readonly Buffer[]): readonly string[] | undefined {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    return values.map((value) => decoder.decode(value))
  } catch {
    // Not text, then.
    return undefined
  }
}
