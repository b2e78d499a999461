import { unreadable } from './keystore-errors.ts'
import { maxCertificates, maxDerBytes, maxPrivateKeys } from './limits.ts'

/** One block of a PEM file (RFC 7468, and RFC 1421 with headers). */
export interface PemBlock {
  readonly label: string
  /** Whether headers say that it is encrypted, as OpenSSL's older form of keys does. */
  readonly encrypted: boolean
  /** What is between the two lines: in clear, or not if `encrypted`. */
  readonly content: Buffer
  /** The whole block, with its two lines. */
  readonly text: string
}

const beginning = '-----BEGIN '
const wanted = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY', 'ENCRYPTED PRIVATE KEY'])

/** Certificates and private keys of a PEM text, in order; other blocks and text in between are skipped. Time is linear in the text. */
export function readPemBlocks(pem: string, what: string): PemBlock[] {
  const blocks: PemBlock[] = []
  let offset = 0
  for (;;) {
    const begin = pem.indexOf(beginning, offset)
    if (begin < 0) return blocks
    const labelEnd = pem.indexOf('-----', begin + beginning.length)
    const label = labelEnd < 0 ? '' : pem.slice(begin + beginning.length, labelEnd)
    const ending = `-----END ${label}-----`
    const end = labelEnd < 0 || label.length > 64 ? -1 : pem.indexOf(ending, labelEnd)
    if (end < 0) throw unreadable(what, 'has a PEM block that does not end')
    offset = end + ending.length
    if (!wanted.has(label)) continue
    if (blocks.length === maxCertificates + maxPrivateKeys) throw unreadable(what, 'has too many PEM blocks')
    blocks.push(readBlock(label, pem.slice(labelEnd + 5, end), { what, text: pem.slice(begin, offset) }))
  }
}

function readBlock(label: string, body: string, { what, text }: { readonly what: string; readonly text: string }): PemBlock {
  const lines = body.trim().split(/\r\n|\n|\r/)
  const blank = lines[0]?.includes(':') === true ? lines.findIndex((line) => line.trim() === '') : 0
  if (blank < 0) throw unreadable(what, 'has a PEM block whose headers do not end')
  const encrypted = lines.slice(0, blank).some((line) => /^Proc-Type: *4, *ENCRYPTED *$/.test(line))
  const base64 = lines.slice(blank).join('').replaceAll(/\s+/g, '')
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) throw unreadable(what, 'has a PEM block that is not base64')
  if (base64.length > (maxDerBytes / 3) * 4) throw unreadable(what, `has a certificate or key larger than ${maxDerBytes} bytes`)
  return { label, encrypted, content: Buffer.from(base64, 'base64'), text }
}
