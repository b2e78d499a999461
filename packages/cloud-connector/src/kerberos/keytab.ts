import type { KerberosEncryption, KerberosSettings } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { maxKeytabEntries } from '../limits.ts'

/** One key of a keytab; the key itself is not read. */
export interface KeytabEntry {
  /** With its realm. */
  readonly principal: string
  /** Number of the encryption type (RFC 3961). */
  readonly encryption: number
}

const encryptionNumbers: Readonly<Record<KerberosEncryption, number>> = { AES256_CTS_HMAC_SHA1_96: 18, RC4_HMAC: 23 }

/** Reads a keytab of version 0x0502, which all implementations write. @throws ConnectivityError `CONFIGURATION_INVALID`. */
export function readKeytab(content: Buffer): readonly KeytabEntry[] {
  if (content.length < 2 || content.readUInt16BE(0) !== 0x0502) throw invalid('it is no keytab, or one of a version before 0x0502')
  const entries: KeytabEntry[] = []
  for (let at = 2; at + 4 <= content.length;) {
    const length = content.readInt32BE(at)
    at += 4
    // Zero ends the file; a negative length is what a deleted entry has left behind.
    if (length === 0) break
    const end = at + Math.abs(length)
    if (end > content.length) throw invalid('it ends within an entry')
    if (length > 0) entries.push(readEntry(content.subarray(at, end)))
    if (entries.length > maxKeytabEntries) throw invalid(`it has more than ${maxKeytabEntries} keys`)
    at = end
  }
  return entries
}

/** Holds a keytab against the settings that it is for. @throws ConnectivityError `CONFIGURATION_INVALID` when it has no key that they need. */
export function checkKeytab(content: Buffer, { encryptionTypes, realm, serviceUser }: KerberosSettings): void {
  const entries = readKeytab(content)
  const principal = `${serviceUser}@${realm}`
  const own = entries.filter((entry) => entry.principal === principal)
  if (own.length === 0) {
    const others = [...new Set(entries.map((entry) => entry.principal))].slice(0, 5).join(', ')
    throw invalid(`it has no key of ${principal}${others === '' ? '' : `, but of ${others}`}`)
  }
  if (!encryptionTypes.some((type) => own.some(({ encryption }) => encryption === encryptionNumbers[type])))
    throw invalid(`it has no key of ${principal} with encryption ${encryptionTypes.join(' or ')}`)
}

function readEntry(entry: Buffer): KeytabEntry {
  let at = 0
  const take = (length: number): Buffer => {
    if (at + length > entry.length) throw invalid('one of its entries is too short')
    at += length
    return entry.subarray(at - length, at)
  }
  const takeText = (): string => take(take(2).readUInt16BE(0)).toString('utf8')
  const components = take(2).readUInt16BE(0)
  const realm = takeText()
  const names = Array.from({ length: Math.min(components, entry.length) }, takeText)
  // Type of the name, time, version of the key.
  take(4 + 4 + 1)
  return { principal: `${names.join('/')}@${realm}`, encryption: take(2).readUInt16BE(0) }
}

function invalid(why: string): ConnectivityError {
  return new ConnectivityError('CONFIGURATION_INVALID', `the keytab cannot be used: ${why}`)
}
