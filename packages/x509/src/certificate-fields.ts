import { createHash } from 'node:crypto'
import { createDerReader, invalid, readInteger } from './der-reader.ts'
import { contextTag, tags } from './der-writer.ts'
import { readPublicKeyBits } from './keys.ts'
import { maxCertificateBytes } from './limits.ts'
import { formatRelativeNames } from './name-text.ts'
import { readName, readRelativeNames } from './name.ts'
import * as oids from './object-identifiers.ts'
import type { NameAttribute } from './types.ts'

/** What an issuer takes over from its own certificate, as the bytes that stand there. */
export interface CertificateFields {
  readonly subject: Buffer
  readonly publicKeyInfo: Buffer
  /** From the extension; computed from the key where there is none. */
  readonly subjectKeyId: Buffer
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
  let subjectKeyId: Buffer | undefined
  while (!tbs.atEnd) {
    const field = tbs.next()
    if (field.tag === contextTag(3, true)) subjectKeyId = readSubjectKeyId(field.content)
  }
  return { subject, publicKeyInfo, subjectKeyId: subjectKeyId ?? keyIdOf(publicKeyInfo) }
}

function readSubjectKeyId(extensions: Buffer): Buffer | undefined {
  const outer = createDerReader(extensions, what)
  const list = outer.enter(tags.sequence)
  outer.end()
  while (!list.atEnd) {
    const extension = list.enter(tags.sequence)
    const oid = extension.read(tags.objectIdentifier).encoded
    if (extension.peek() === tags.boolean) extension.next()
    const value = extension.read(tags.octetString).content
    extension.end()
    if (oid.equals(oids.subjectKeyIdentifier)) return createDerReader(value, what).read(tags.octetString).content
  }
  return undefined
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
