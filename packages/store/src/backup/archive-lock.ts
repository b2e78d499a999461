import { hkdfSync, randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { ConnectivityError, type Secret } from '@sallyport/core'
import { sealKeyBytes, scryptCost } from '../limits.ts'
import { createSealKey } from '../sealed-text.ts'
import type { SealKeys } from '../sealer.ts'
import type { ArchiveLockInfo } from './archive-header.ts'

/**
 * What opens a backup: a password, or the master key of the installation. `cost` is how much work a guess of the password is in a new archive, as the
 * exponent of scrypt's N.
 */
export type ArchiveLock =
  | { readonly kind: 'password'; readonly password: Secret; readonly cost?: number }
  | { readonly kind: 'master-key'; readonly keys: SealKeys }

const saltBytes = 16
const derive = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt)

/** A key for one new archive, and what its header says of it. */
export async function closeLock(lock: ArchiveLock): Promise<{ readonly key: Buffer; readonly info: ArchiveLockInfo }> {
  const salt = randomBytes(saltBytes)
  const info: ArchiveLockInfo =
    lock.kind === 'password'
      ? { kind: 'password', salt: salt.toString('base64url'), cost: lock.cost ?? scryptCost }
      : { kind: 'master-key', salt: salt.toString('base64url'), keyId: createSealKey(lock.keys.current).id }
  return { key: await openLock(lock, info), info }
}

/**
 * The key of an archive. Whether a password is right shows when the first part does not open.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when the archive needs the other kind of lock, or a key that is not at hand.
 */
export async function openLock(lock: ArchiveLock, info: ArchiveLockInfo): Promise<Buffer> {
  const salt = Buffer.from(info.salt, 'base64url')
  if (info.kind === 'password') {
    if (lock.kind !== 'password')
      throw new ConnectivityError('CONFIGURATION_INVALID', 'the backup is locked with a password', {
        details: { next: 'name the file that holds it: --password-file <file>' },
      })
    const N = 2 ** info.cost
    return derive(lock.password.reveal().normalize('NFC'), salt, sealKeyBytes, { N, r: 8, p: 1, maxmem: 256 * N * 8 })
  }
  if (lock.kind !== 'master-key')
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      'the backup is locked with the sealing key of its installation, not with a password',
    )
  const key = [lock.keys.current, ...(lock.keys.previous ?? [])].find((candidate) => createSealKey(candidate).id === info.keyId)
  if (key === undefined)
    throw new ConnectivityError('CONFIGURATION_INVALID', `the backup is locked with the sealing key ${info.keyId}, which is not at hand`, {
      details: {
        next: 'put the seal.key of the installation that wrote it into the data folder, or name it in storage.previousSealingKeys',
      },
    })
  return Buffer.from(hkdfSync('sha256', key, salt, 'sallyport backup', sealKeyBytes))
}
