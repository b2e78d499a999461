import type { AuditSink } from '@sallyport/core'
import type { AdministeredDocument } from './administered-document.ts'

/** The audit log of what no subaccount owns: nothing is written while that part of it is off (cloud-connector.md §7.1). */
export function createInstallationAudit(
  audit: Pick<AuditSink, 'write'>,
  level: () => AdministeredDocument['reporting']['auditLog']['level'],
): Pick<AuditSink, 'write'> {
  return { write: (entry) => (level() === 'OFF' ? undefined : audit.write(entry)) }
}
