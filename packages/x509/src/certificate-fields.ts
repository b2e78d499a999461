import { createHash } from 'node:crypto'
import { createDerReader, type DerReader, invalid, readInteger } from './der-reader.ts'
import { contextTag, tags } from './der-writer.ts'
import { usageBits } from './extensions.ts'
import { readPublicKeyBits } from './keys.ts'
import { maxCertificateBytes } from './limits.ts'
import { formatRelativeNames } from './name-text.ts'
import { readName, readRelativeNames } from './name.ts'
import * as oids from './object-identifiers.ts'
import type { CertificateProfile, NameAttribute } from './types.ts'

/** What an issuer takes over from its own certificate, as the bytes that stand there. */
export interface CertificateFields {
  readonly subject: Buffer
  readonly publicKeyInfo: Buffer
  /** From the extension; computed from the key where there is none. */
  readonly subjectKeyId: Buffer
  /** Value of an extension, by the DER of its identifier. */
  extension(oid: Buffer): Buffer | undefined
}

type KeyUsage = NonNullable<CertificateProfile['extensions']['keyUsage']>[number]

/** What a certificate says about its use; `undefined` where it says nothing. */
export interface CertificateUse {
  readonly authority: boolean | undefined
  /** The usages that {@link CertificateProfile} knows; others are left out. */
  readonly keyUsage: readonly KeyUsage[] | undefined
}

const what = 'the certificate'

/** Reads the frame of a certificate; names and extensions stay encoded. `crypto.X509Certificate` is for everything else. */
export function readCertificateFields(certificate: Buffer): CertificateFields {
  if (certificate.length > maxCertificateBytes) throw invalid(what, `is larger than ${maxCertificateBytes} bytes`)
  const outer = createDerReader(certificate, what)
  const frame = outer.enter(tags.sequence)
  outer.end()
  const tbs = frame.enter(tags.sequence)
  if (tbs.peek() === contextTag(0, true)) tbs.next()
  readInteger(tbs, what)
  tbs.read(tags.sequence)
  tbs.read(tags.sequence)
  tbs.read(tags.sequence)
  const subject = tbs.read(tags.sequence).encoded
  const publicKeyInfo = tbs.read(tags.sequence).encoded
  let extensions: readonly Extension[] = []
  while (!tbs.atEnd) {
    const field = tbs.next()
    if (field.tag === contextTag(3, true)) extensions = readExtensions(field.content)
  }
  const extension = (oid: Buffer): Buffer | undefined => extensions.find((candidate) => candidate.oid.equals(oid))?.value
  const keyId = extension(oids.subjectKeyIdentifier)
  return {
    subject,
    publicKeyInfo,
    subjectKeyId: keyId === undefined ? keyIdOf(publicKeyInfo) : createDerReader(keyId, what).read(tags.octetString).content,
    extension,
  }
}

interface Extension {
  readonly oid: Buffer
  readonly value: Buffer
}

function readExtensions(encoded: Buffer): readonly Extension[] {
  const outer = createDerReader(encoded, what)
  const list = outer.enter(tags.sequence)
  outer.end()
  const extensions: Extension[] = []
  while (!list.atEnd) {
    const extension = list.enter(tags.sequence)
    const oid = extension.read(tags.objectIdentifier).encoded
    if (extension.peek() === tags.boolean) extension.next()
    extensions.push({ oid, value: extension.read(tags.octetString).content })
    extension.end()
  }
  return extensions
}

/** Reads what a certificate (DER) may be used for; `crypto.X509Certificate` has no key usage. */
export function readCertificateUse(certificate: Buffer): CertificateUse {
  const { extension } = readCertificateFields(certificate)
  const constraints = extension(oids.basicConstraints)
  const usage = extension(oids.keyUsage)
  return {
    authority: constraints === undefined ? undefined : readAuthorityFlag(createDerReader(constraints, what).enter(tags.sequence)),
    keyUsage: usage === undefined ? undefined : readUsages(createDerReader(usage, what).read(tags.bitString).content.subarray(1)),
  }
}

/** The default FALSE is written by some programs, although distinguished encoding forbids it. */
function readAuthorityFlag(constraints: DerReader): boolean {
  return constraints.peek() === tags.boolean && constraints.next().content.some((octet) => octet !== 0)
}

function readUsages(bits: Buffer): readonly KeyUsage[] {
  const isSet = (bit: number): boolean => ((bits[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0
  return (Object.keys(usageBits) as KeyUsage[]).filter((usage) => isSet(usageBits[usage]))
}

/** RFC 5280 §4.2.1.2 (1). SHA-1 names the key here, it protects nothing. */
export function keyIdOf(publicKeyInfo: Buffer): Buffer {
  return createHash('sha1').update(readPublicKeyBits(publicKeyInfo, what)).digest()
}

/** The subject of a certificate (DER), most specific attribute first. @throws ConnectivityError `MESSAGE_INVALID` for attributes we have no word for. */
export function readSubject(certificate: Buffer): NameAttribute[] {
  return readName(readCertificateFields(certificate).subject, what)
}

/** The subject of a certificate (DER) in the text form of RFC 4514; unlike {@link readSubject} it renders every attribute there may be. */
export function formatSubject(certificate: Buffer): string {
  return formatRelativeNames(readRelativeNames(readCertificateFields(certificate).subject, what))
}
