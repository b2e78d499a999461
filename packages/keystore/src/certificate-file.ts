import type { X509Certificate } from 'node:crypto'
import { assemble, parseCertificate } from './certificate-chains.ts'
import type { Keystore } from './keystore.ts'
import { passwordRefused, unreadable } from './keystore-errors.ts'
import type { KeyWork } from './key-work.ts'
import { type PemBlock, readPemBlocks } from './pem-blocks.ts'
import { decryptPrivateKey } from './password-encryption.ts'
import { type OpenedKey, openOlderPemKey, openPkcs8Key, openSec1OrPkcs1Key } from './private-key.ts'

/** Reads certificates, and private keys among them, in PEM; or one certificate in DER. */
export async function readCertificateFile(
  content: Buffer,
  { what, password, work }: { readonly what: string; readonly password: string | undefined; readonly work: KeyWork },
): Promise<Keystore> {
  // A SEQUENCE is how DER begins, and no text does.
  if (content[0] === 0x30 && content[1] !== undefined && content[1] >= 0x80) {
    return { ...assemble([], [{ certificate: parseCertificate(content, what) }], what), locked: false }
  }
  const blocks = readPemBlocks(content.toString('latin1'), what)
  if (blocks.length === 0) throw unreadable(what, 'holds neither certificates nor private keys in PEM form')
  const certificates: { readonly certificate: X509Certificate }[] = []
  const keys: OpenedKey[] = []
  let locked = false
  for (const block of blocks) {
    if (block.label.endsWith('CERTIFICATE')) {
      certificates.push({ certificate: parseCertificate(block.content, what) })
    } else if ((block.encrypted || block.label === 'ENCRYPTED PRIVATE KEY') && (password === undefined || password === '')) {
      locked = true
    } else {
      keys.push({ key: await openBlock(block, { what, password, work }) })
    }
  }
  return { ...assemble(keys, certificates, what), locked }
}

async function openBlock(
  block: PemBlock,
  { what, password = '', work }: { readonly what: string; readonly password: string | undefined; readonly work: KeyWork },
): Promise<OpenedKey['key']> {
  if (block.encrypted) {
    const key = openOlderPemKey(block.text, { what, password })
    if (key === undefined) throw passwordRefused(what)
    return key
  }
  switch (block.label) {
    case 'ENCRYPTED PRIVATE KEY':
      return openPkcs8Key(await decryptPrivateKey(block.content, { what, password, work }), what)
    case 'PRIVATE KEY':
      return openPkcs8Key(block.content, what)
    default:
      return openSec1OrPkcs1Key(block.content, { what, type: block.label === 'EC PRIVATE KEY' ? 'sec1' : 'pkcs1' })
  }
}
