/** The parts that keep an audit log, and where below the data folder. */
export const auditFolders = {
  connector: ['connector', 'audit'],
  'connectivity-proxy': ['cloud', 'audit'],
  'destination-service': ['cloud', 'destination-audit'],
} as const

/** A part that keeps an audit log. */
export type AuditedPart = keyof typeof auditFolders
