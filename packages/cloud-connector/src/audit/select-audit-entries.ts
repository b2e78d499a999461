import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { listSegments } from './audit-folder.ts'
import { listLogs, readAuditIndex } from './audit-index.ts'
import { parseAuditBody, parseAuditLine, type StoredAuditEntry } from './audit-line.ts'
import { matchesPattern } from './audit-pattern.ts'
import { auditLinesOf, subaccountsByFolder } from './audit-reading.ts'

/** Which entries are wanted; all conditions hold together, and one that is left out always holds. */
export interface AuditSelection {
  /** `''` is what belongs to no subaccount. */
  readonly subaccounts?: readonly string[]
  readonly types?: readonly string[]
  /** Somewhere in category, user, correlation ID or message; `*` and `?` stand for other characters. */
  readonly pattern?: string
  /** Inclusive, both. */
  readonly fromMs?: number
  readonly toMs?: number
}

const dayMs = 86_400_000

/**
 * Reads the entries of a selection: subaccount by subaccount, each in the order of its log. Lines that are no entries are left out: whether a log is as it was
 * written is asked of `verifyAuditLog`. The log may be written to meanwhile.
 */
export async function* selectAuditEntries(
  log: { readonly folder: string; readonly key: KeyObject },
  selection: AuditSelection,
): AsyncGenerator<StoredAuditEntry> {
  const index = await readAuditIndex(log)
  const logs = subaccountsByFolder(typeof index === 'object' ? index.subaccounts : [], await listLogs(log.folder))
  const wanted = [...logs].toSorted(([, a], [, b]) => (a < b ? -1 : 1))
  for (const [folder, subaccount] of wanted) {
    if (selection.subaccounts !== undefined && !selection.subaccounts.includes(subaccount)) continue
    const path = join(log.folder, folder)
    for (const { day, file } of await listSegments(path)) {
      if (!mayHold(day, selection)) continue
      for await (const line of auditLinesOf(join(path, file))) {
        const parsed = line === undefined ? undefined : parseAuditLine(line)
        if (parsed === undefined) continue
        const entry = parseAuditBody(parsed.body, subaccount)
        if (isSelected(entry, selection)) yield entry
      }
    }
  }
}

/** Whether an entry belongs to a selection. */
function isSelected(entry: StoredAuditEntry, selection: AuditSelection): boolean {
  const { fromMs, pattern, toMs, types } = selection
  const atMs = Date.parse(entry.timestamp)
  if (types !== undefined && !types.includes(entry.type)) return false
  if (fromMs !== undefined && !(atMs >= fromMs)) return false
  if (toMs !== undefined && !(atMs <= toMs)) return false
  if (pattern === undefined) return true
  return [entry.message, entry.category, entry.user, entry.correlationId].some((text) => matchesPattern(text, pattern))
}

/** A day of UTC. A clock that was set back may have left entries of an earlier day in it, of a later one never. */
function mayHold(day: string, { fromMs }: AuditSelection): boolean {
  return fromMs === undefined || Date.parse(day) + dayMs > fromMs
}
