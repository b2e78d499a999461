import type { KeyObject } from 'node:crypto'
import { decrypt, type KeyEntry, parseJks, type TrustedKeyEntry } from 'jks-js'
import { formatPrivateKey, parseCertificate, toPem } from './certificate-chains.ts'
import type { Keystore, KeystoreEntry } from './keystore.ts'
import { passwordRefused, unreadable } from './keystore-errors.ts'
import { maxCertificates, maxDerBytes, maxPrivateKeys } from './limits.ts'
import { openPemKey } from './private-key.ts'

/**
 * Reads a Java key store. Its checksum is verified when there is a password; certificates are not encrypted in this format and need none. Keys with a password
 * other than that of the store stay locked.
 */
export function readJks(
  content: Buffer,
  { what, password = '' }: { readonly what: string; readonly password: string | undefined },
): Keystore {
  const keyEntries: KeystoreEntry[] = []
  const lockedEntries: KeystoreEntry[] = []
  const trustedEntries: KeystoreEntry[] = []
  let certificates = 0
  let keys = 0
  for (const entry of parse(content, { what, password })) {
    const chain = 'chain' in entry ? entry.chain : [entry.cert]
    certificates += chain.length
    if (certificates > maxCertificates) throw unreadable(what, `has more than ${maxCertificates} certificates`)
    const pems = chain.map(({ certType, value }) => {
      if (certType !== 'X.509') throw unreadable(what, 'has a certificate that is not X.509')
      return toPem(parseCertificate(value, what))
    })
    const named = { alias: entry.alias, certificates: pems }
    if (!('chain' in entry)) {
      trustedEntries.push(named)
      continue
    }
    if (++keys > maxPrivateKeys) throw unreadable(what, `has more than ${maxPrivateKeys} private keys`)
    if (pems.length === 0) throw unreadable(what, 'has a private key without certificate')
    const key = tryOpen(entry.protectedPrivateKey, { what, password })
    if (key === undefined) lockedEntries.push(named)
    else keyEntries.push({ ...named, privateKey: formatPrivateKey(key) })
  }
  return {
    entries: [...keyEntries, ...lockedEntries, ...trustedEntries],
    trusted: trustedEntries.flatMap((entry) => entry.certificates),
    locked: lockedEntries.length > 0,
  }
}

function parse(
  content: Buffer,
  { what, password }: { readonly what: string; readonly password: string },
): readonly (KeyEntry | TrustedKeyEntry)[] {
  const entries = tryParse(content, password)
  if (entries !== undefined) return entries
  // Without a password the checksum is not looked at: what can be read then is whole, but for the password.
  if (password !== '' && tryParse(content, '') !== undefined) throw passwordRefused(what)
  throw unreadable(what, 'is a damaged Java key store')
}

function tryParse(content: Buffer, password: string): readonly (KeyEntry | TrustedKeyEntry)[] | undefined {
  try {
    return parseJks(content, password)
  } catch {
    return undefined
  }
}

function tryOpen(encrypted: Buffer, { what, password }: { readonly what: string; readonly password: string }): KeyObject | undefined {
  if (encrypted.length > maxDerBytes) throw unreadable(what, `has a private key larger than ${maxDerBytes} bytes`)
  let pem: string
  try {
    pem = decrypt(encrypted, password)
  } catch {
    return undefined
  }
  return openPemKey(pem, what)
}
