import { existsSync } from 'node:fs'
import { type AuditVerification, verifyAuditLog } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { auditKeyOf } from './connector-material.ts'
import type { DataFolder } from './data-folder.ts'

/** The parts that keep an audit log, and where below the data folder. */
export const auditFolders = {
  connector: ['connector', 'audit'],
  'connectivity-proxy': ['cloud', 'audit'],
  'destination-service': ['cloud', 'destination-audit'],
} as const

/** A part that keeps an audit log. */
export type AuditedPart = keyof typeof auditFolders

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
  const logs = parts.map((log) => ({ log, path: folder.file(...auditFolders[log]) })).filter(({ path }) => existsSync(path))
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
  const verified: VerifiedLog[] = []
  for (const { log, path } of logs)
    verified.push({ log, folder: path, ...(await verifyAuditLog({ folder: path, key: auditKeyOf(folder, log) })) })
  return verified
}
