import { ConnectivityError } from '@sallyport/core'
import { maxArchiveHeaderBytes, maxScryptCost } from '../limits.ts'

/** How the content of an archive is locked. The salt is Base64url. */
export type ArchiveLockInfo =
  | { readonly kind: 'password'; readonly salt: string; readonly cost: number }
  | { readonly kind: 'master-key'; readonly salt: string; readonly keyId: string }

/** The first line of an archive; the only one that is readable. It is authenticated together with the content. */
export interface ArchiveHeader {
  readonly format: 'sallyport-backup'
  readonly version: 1
  readonly createdAtMs: number
  /** Version of the product. */
  readonly writtenBy: string
  readonly lock: ArchiveLockInfo
}

/** The line with its end. */
export function formatArchiveHeader(header: ArchiveHeader): Buffer {
  return Buffer.from(`${JSON.stringify(header)}\n`, 'utf8')
}

/**
 * Reads the line that the bytes begin with. Nothing in it can be trusted yet, so what would cost memory or time is bounded.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` when it is no archive, `VERSION_UNSUPPORTED` when a newer version has written it.
 */
export function parseArchiveHeader(start: Buffer): { readonly header: ArchiveHeader; readonly line: Buffer } {
  const end = start.subarray(0, maxArchiveHeaderBytes).indexOf(0x0a)
  const line = start.subarray(0, end + 1)
  let value: Partial<ArchiveHeader> | null = null
  try {
    value = JSON.parse(line.toString('utf8')) as Partial<ArchiveHeader> | null
  } catch {
    // No header, as below.
  }
  if (value?.format !== 'sallyport-backup') throw new ConnectivityError('MESSAGE_INVALID', 'the file is no backup of Sallyport')
  if (value.version !== 1)
    throw new ConnectivityError(
      'VERSION_UNSUPPORTED',
      `the backup has the format ${String(value.version)}, a newer one than this version reads`,
    )
  const { createdAtMs, writtenBy, lock } = value
  if (typeof createdAtMs !== 'number' || typeof writtenBy !== 'string' || !isLockInfo(lock))
    throw new ConnectivityError('MESSAGE_INVALID', 'the first line of the backup is damaged')
  return { header: { format: 'sallyport-backup', version: 1, createdAtMs, writtenBy, lock }, line }
}

function isLockInfo(lock: unknown): lock is ArchiveLockInfo {
  if (typeof lock !== 'object' || lock === null) return false
  const { kind, salt, cost, keyId } = lock as Record<string, unknown>
  if (typeof salt !== 'string') return false
  if (kind === 'password') return Number.isInteger(cost) && Number(cost) >= 10 && Number(cost) <= maxScryptCost
  return kind === 'master-key' && typeof keyId === 'string'
}
