import { resolve } from 'node:path'
import { systemClock } from '@sallyport/core'
import type { Command } from 'commander'
import type { AuditSelection } from '@sallyport/cloud-connector'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { type AuditedPart, auditFolders } from '../stack/audited-parts.ts'
import { createContext } from './context.ts'

/** `audit verify`: whether the audit logs of this installation are as they were written. Exit code 1 when they are not. */
export function addAuditCommand(program: Command): void {
  const audit = program.command('audit').description('look after the audit logs of this installation')
  audit
    .command('verify')
    .description('check that no entry of the audit logs was altered, added or taken away; services may run')
    .option('--log <part>', `${Object.keys(auditFolders).join(', ')}; several with commas (default: all there are)`)
    .action(async (options: { readonly log?: string }, command: Command) => {
      const { printer, folder } = createContext(command)
      const { verifyAuditLogs } = await import('../stack/audit-logs.ts')
      const logs = await verifyAuditLogs(folder(), partsOf(options.log))
      const intact = logs.every(({ problems }) => problems.length === 0)
      printer.result({ intact, logs }, () =>
        [
          formatTable(
            ['LOG', 'ENTRIES', 'FILES', 'RESULT'],
            logs.map(({ log, entries, segments, problems }) => [
              log,
              String(entries),
              String(segments),
              problems.length === 0 ? 'as it was written' : `${problems.length} problems`,
            ]),
          ),
          ...logs.flatMap(({ problems }) =>
            problems.map(({ subaccount, file, line, problem }) => `${printer.bad('✗')} ${place(subaccount, file, line)} ${problem}`),
          ),
        ].join('\n'),
      )
      if (!intact) process.exitCode = exitCodes.failed
    })
  audit
    .command('export')
    .description('write entries of an audit log into an archive: gzip CSV and a manifest; services may run')
    .requiredOption('--out <file>', 'archive (tar) to be made')
    .option('--log <part>', `one of ${Object.keys(auditFolders).join(', ')}`, 'connector')
    .option('--from <time>', 'first moment, such as 2030-01-31 or 2030-01-31T12:00:00Z')
    .option('--to <time>', 'last moment; a day means its end')
    .option('--type <type>', 'such as access-denied; several with commas')
    .option('--pattern <text>', 'somewhere in message, user, category or correlation ID; * and ? stand for other characters')
    .option('--subaccount <id>', 'several with commas; "" is what belongs to none')
    .action(async (options: ExportOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const [part, ...more] = partsOf(options.log)
      if (part === undefined || more.length > 0) throw usageError('--log takes one part')
      const file = resolve(options.out)
      const { exportAuditEntries } = await import('../stack/audit-logs.ts')
      const { bytes, entries } = await exportAuditEntries(folder(), part, selectionOf(options), { file, nowMs: systemClock.now() })
      printer.result({ file, entries, bytes }, () => `${entries} entries are in ${file}`)
    })
}

interface ExportOptions {
  readonly out: string
  readonly log: string
  readonly from?: string
  readonly to?: string
  readonly type?: string
  readonly pattern?: string
  readonly subaccount?: string
}

function selectionOf({ from, pattern, subaccount, to, type }: ExportOptions): AuditSelection {
  return {
    ...(from === undefined ? {} : { fromMs: momentOf('--from', from, 'T00:00:00.000Z') }),
    ...(to === undefined ? {} : { toMs: momentOf('--to', to, 'T23:59:59.999Z') }),
    ...(type === undefined ? {} : { types: type.split(',').map((word) => word.trim()) }),
    ...(pattern === undefined ? {} : { pattern }),
    ...(subaccount === undefined ? {} : { subaccounts: subaccount.split(',').map((word) => word.trim()) }),
  }
}

function momentOf(option: string, text: string, timeOfDay: string): number {
  const full = /^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}${timeOfDay}` : text
  const moment = /^\d{4}-\d{2}-\d{2}T/.test(full) ? Date.parse(full) : Number.NaN
  if (Number.isNaN(moment)) throw usageError(`${option} takes a day or a moment such as 2030-01-31T12:00:00Z, not "${text}"`)
  return moment
}

function place(subaccount: string, file: string, line: number): string {
  return `${subaccount === '' ? '' : `${subaccount}: `}${file}${line === 0 ? '' : `:${line}`}`
}

function partsOf(words: string | undefined): readonly AuditedPart[] {
  const all = Object.keys(auditFolders) as AuditedPart[]
  if (words === undefined) return all
  const given = words.split(',').map((word) => word.trim())
  const unknown = given.filter((word) => !all.some((part) => part === word))
  if (unknown.length > 0) throw usageError(`--log takes ${all.join(', ')}, not ${unknown.map((word) => `"${word}"`).join(', ')}`)
  return all.filter((part) => given.includes(part))
}
