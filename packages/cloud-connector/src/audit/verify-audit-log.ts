import type { KeyObject } from 'node:crypto'
import { join } from 'node:path'
import { type AuditAnchor, listSegments, readAnchor } from './audit-folder.ts'
import { auditIndexFile, listLogs, readAuditIndex } from './audit-index.ts'
import { type BlockCheck, chainStart, checkBlock, parseAuditLine } from './audit-line.ts'
import { auditLinesOf, subaccountsByFolder } from './audit-reading.ts'

/** Something in an audit log that is not as it was written. `line` counts from 1; 0 speaks of the file. */
export interface AuditProblem {
  readonly subaccount: string
  readonly file: string
  readonly line: number
  readonly problem: string
}

/** What a verification found. */
export interface AuditVerification {
  readonly segments: number
  readonly entries: number
  /** At most a hundred; one is enough to distrust the log. */
  readonly problems: readonly AuditProblem[]
}

const maxProblems = 100

/**
 * Checks the chains of all subaccounts: altered, inserted, removed and reordered entries, missing segments that no clean-up has removed, missing
 * logs of whole subaccounts, and logs that end before the point that is known to have been reached.
 *
 * Entries of the last second before a power cut may be missing without notice. Who removes the whole audit folder, or puts back an older copy of
 * all of it, leaves nothing to notice that by: keep copies elsewhere.
 */
export async function verifyAuditLog(options: { readonly folder: string; readonly key: KeyObject }): Promise<AuditVerification> {
  const problems: AuditProblem[] = []
  let segments = 0
  let entries = 0
  const folders = await listLogs(options.folder)
  const index = await readAuditIndex(options)
  const indexed = typeof index === 'object' ? index.subaccounts : []
  const reportIndex = (problem: string): void => void problems.push({ subaccount: '', file: auditIndexFile, line: 0, problem })
  if (index === 'altered' || (index === 'missing' && folders.length > 0)) reportIndex(`is ${index}`)
  if (typeof index === 'object' && index.wasLost) reportIndex('was missing or altered when the log was opened: logs may have disappeared')
  for (const [folder, subaccount] of subaccountsByFolder(indexed, folders)) {
    const found = await verifySubaccount(join(options.folder, folder), subaccount, options.key)
    segments += found.segments
    entries += found.entries
    problems.push(...found.problems)
  }
  return { segments, entries, problems: problems.slice(0, maxProblems) }
}

async function verifySubaccount(path: string, subaccount: string, key: KeyObject): Promise<AuditVerification> {
  const problems: AuditProblem[] = []
  const report = (file: string, line: number, problem: string): void => {
    if (problems.length < maxProblems) problems.push({ subaccount, file, line, problem })
  }
  const segments = await listSegments(path)
  const anchor = await readAnchor(path, key, subaccount)
  let entries = 0
  // The first segment that is left after a clean-up links to one that is gone on purpose.
  let previous: string | undefined
  let begins = false
  for (const [at, { file }] of segments.entries()) {
    let count = 0
    let block: BlockCheck | undefined
    const reportUnsealed = (): void => {
      if (block !== undefined) report(file, count, 'is not sealed')
      block = undefined
    }
    for await (const line of auditLinesOf(join(path, file))) {
      const parsed = line === undefined ? undefined : parseAuditLine(line)
      if (parsed === undefined || parsed.previous !== '') reportUnsealed()
      count++
      if (parsed === undefined) {
        report(file, count, 'is not an audit entry')
        continue
      }
      if (parsed.previous !== '') {
        block = checkBlock(key, subaccount, parsed.previous)
        if (previous !== undefined && parsed.previous !== previous) report(file, count, 'does not follow the entry before it')
        if (previous === undefined && at === 0 && count > 1 && parsed.previous === chainStart)
          report(file, count, 'starts a chain inside a segment')
        if (count === 1 && typeof anchor === 'object' && parsed.previous === anchor.begin) begins = true
      } else if (block === undefined) report(file, count, 'follows no entry')
      block?.add(parsed.body)
      if (parsed.seal === '') continue
      if (block?.isSealedBy(parsed.seal) === false) report(file, count, explainBroken(block.lines))
      block = undefined
      previous = parsed.seal
      if (typeof anchor === 'object' && anchor.segment === file && anchor.entries === count && anchor.hmac !== parsed.seal) {
        report(file, count, 'is not the entry that was synchronised here')
      }
    }
    reportUnsealed()
    entries += count
    if (count === 0) report(file, 0, 'is empty')
    if (typeof anchor === 'object' && anchor.segment === file && count < anchor.entries) {
      report(file, count, `ends after ${count} entries, but ${anchor.entries} were written`)
    }
  }
  const files = segments.map((segment) => segment.file)
  checkAnchor(anchor, files, report)
  // What stands before the beginning is what a clean-up had no time to remove.
  if (entries > 0 && typeof anchor === 'object' && !begins)
    report(files[0] ?? '', 1, 'is not where the log begins: earlier segments are missing')
  return { segments: segments.length, entries, problems }
}

/** One seal covers what was written together, and cannot say which of it is wrong. */
function explainBroken(lines: number): string {
  return lines === 1 ? 'was altered' : `was altered, or one of the ${lines - 1} entries before it, or some of them were added or taken away`
}

function checkAnchor(
  anchor: AuditAnchor | 'missing' | 'altered',
  files: readonly string[],
  report: (file: string, line: number, problem: string) => void,
): void {
  if (anchor === 'missing' || anchor === 'altered') {
    report('audit-log.anchor', 0, `is ${anchor}`)
    return
  }
  const isCleanedUp = anchor.begin === anchor.hmac
  if (!files.includes(anchor.segment) && !isCleanedUp) report(anchor.segment, 0, 'is missing')
}
