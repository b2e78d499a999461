import type { Command } from 'commander'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { type AuditedPart, auditFolders, verifyAuditLogs } from '../stack/audit-logs.ts'
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
