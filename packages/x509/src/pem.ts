import { createDerReader, invalid } from './der-reader.ts'
import { tags } from './der-writer.ts'
import { maxCertificateBytes, maxPemCertificates, maxPemCharacters } from './limits.ts'

/** RFC 7468, 64 characters a line, with a line break at the end. */
export function formatPem(label: 'CERTIFICATE' | 'CERTIFICATE REQUEST', der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/**
 * DER of every certificate in a PEM text, in order; text between the blocks is skipped. A blank text has none.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for a text that is not blank and holds no certificate, for an unfinished or
 * damaged block, and for too much of it.
 */
export function parsePemCertificates(pem: string): Buffer[] {
  const what = 'the certificate file'
  const certificates = readPem(pem, ['CERTIFICATE', 'X509 CERTIFICATE'], what, maxPemCertificates)
  for (const certificate of certificates) {
    if (certificate.length > maxCertificateBytes) throw invalid(what, `has a certificate larger than ${maxCertificateBytes} bytes`)
    const reader = createDerReader(certificate, what)
    reader.read(tags.sequence)
    reader.end()
  }
  if (certificates.length === 0 && pem.trim() !== '') throw invalid(what, 'has no certificate in PEM form')
  return certificates
}

/** The contents of the blocks with one of these labels. Searches with `indexOf`, so that time is linear in the text. */
export function readPem(pem: string, labels: readonly string[], what: string, maxBlocks: number): Buffer[] {
  if (pem.length > maxPemCharacters) throw invalid(what, `is larger than ${maxPemCharacters} characters`)
  const blocks: Buffer[] = []
  let offset = 0
  for (;;) {
    const begin = pem.indexOf(beginning, offset)
    if (begin < 0) return blocks
    const labelEnd = pem.indexOf('-----', begin + beginning.length)
    const label = labelEnd < 0 ? '' : pem.slice(begin + beginning.length, labelEnd)
    const ending = `-----END ${label}-----`
    const end = labelEnd < 0 ? -1 : pem.indexOf(ending, labelEnd)
    if (end < 0) throw invalid(what, 'has a PEM block that does not end')
    offset = end + ending.length
    if (!labels.includes(label)) continue
    if (blocks.length === maxBlocks) throw invalid(what, `has more than ${maxBlocks} PEM blocks`)
    const base64 = pem.slice(labelEnd + 5, end).replaceAll(/\s+/g, '')
    if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) throw invalid(what, 'has a PEM block that is not base64')
    blocks.push(Buffer.from(base64, 'base64'))
  }
}

const beginning = '-----BEGIN '
