import type { KeyObject } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type AuditExport, type AuditSelection, type AuditVerification, exportAuditLog, verifyAuditLog } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { auditFolders, type AuditedPart } from './audited-parts.ts'
import { auditKeyOf } from './connector-material.ts'
import type { DataFolder } from './data-folder.ts'

/** One log, and what a verification found. */
export interface VerifiedLog extends AuditVerification {
  readonly log: AuditedPart
  readonly folder: string
}

/**
 * Verifies the logs of these parts, those that there are.
 *
 * @throws ConnectivityError `NOT_FOUND` when there is none of them, `CONFIGURATION_INVALID` when there are logs without the key that they were written with.
 */
export async function verifyAuditLogs(folder: DataFolder, parts: readonly AuditedPart[]): Promise<readonly VerifiedLog[]> {
  const logs = openAuditLogs(folder, parts)
  const verified: VerifiedLog[] = []
  for (const { folder: path, key, log } of logs) verified.push({ log, folder: path, ...(await verifyAuditLog({ folder: path, key })) })
  return verified
}

/**
 * Writes the entries of one part's log that are selected into a new archive.
 *
 * @throws ConnectivityError as {@link verifyAuditLogs}; `STORE_FAILED` when the archive cannot be written, or is there already.
 */
export async function exportAuditEntries(
  folder: DataFolder,
  part: AuditedPart,
  selection: AuditSelection,
  to: { readonly file: string; readonly nowMs: number },
): Promise<AuditExport> {
  const [log] = openAuditLogs(folder, [part])
  if (log === undefined) throw new TypeError('one part has one log')
  try {
    return await exportAuditLog(log, selection, to)
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    const why = code === 'EEXIST' ? 'it is there already' : code
    throw new ConnectivityError('STORE_FAILED', `the entries cannot be written to ${to.file}: ${why}`, { cause })
  }
}

function openAuditLogs(
  folder: DataFolder,
  parts: readonly AuditedPart[],
): readonly { readonly log: AuditedPart; readonly folder: string; readonly key: KeyObject }[] {
  const logs = parts.map((log) => ({ log, path: join(folder.path, ...auditFolders[log]) })).filter(({ path }) => existsSync(path))
  if (logs.length === 0)
    throw new ConnectivityError('NOT_FOUND', `there is no audit log of ${parts.join(', ')} in ${folder.path}`, {
      details: { next: 'name the folder of the installation with --data' },
    })
  if (folder.read('seal.key') === undefined)
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${folder.path} holds audit logs, and not the key that they were written with (seal.key)`,
      {
        details: { next: 'put the key back from where it was copied to; without it nothing can be said about the logs' },
      },
    )
  return logs.map(({ log, path }) => ({ log, folder: path, key: auditKeyOf(folder, log) }))
}
