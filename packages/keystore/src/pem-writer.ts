import { createPrivateKey } from 'node:crypto'
import { readWrittenEntry, type WrittenEntry } from './written-entry.ts'

/**
 * A PEM file: the chain, leaf first, then the private key in PKCS #8, encrypted with AES-256 when there is a password.
 */
export function writePem(entry: WrittenEntry): string {
  const { key, password } = readWrittenEntry(entry)
  const exported = createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({
    type: 'pkcs8',
    format: 'pem',
    ...(password === '' ? {} : { cipher: 'aes-256-cbc', passphrase: password }),
  })
  return [...entry.certificates, exported.toString()].map((pem) => `${pem.trimEnd()}\n`).join('')
}
