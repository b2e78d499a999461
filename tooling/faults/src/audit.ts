import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Installation } from './installation.ts'
import type { Acknowledgement } from './ledger.ts'
import type { Machine } from './machine.ts'

interface VerifiedLogs {
  readonly intact: boolean
  readonly logs: readonly {
    readonly log: string
    readonly problems: readonly { readonly file: string; readonly line: number; readonly problem: string }[]
  }[]
}

/** What `sallyport audit verify` finds on all machines, as people read it; empty when every log is as it was written. */
export async function alteredLogs({ cloud, connectors }: Installation): Promise<readonly string[]> {
  const machines = [cloud, ...connectors.map(({ machine }) => machine)]
  const found = await Promise.all(
    machines.map(async (machine) => {
      // The command ends with 1 when something is wrong, and prints the same document.
      const printed = await machine
        .command(['audit', 'verify'])
        .catch((error: unknown) => JSON.parse((error as { stdout: string }).stdout) as unknown)
      const { logs } = printed as VerifiedLogs
      return logs.flatMap(({ log, problems }) =>
        problems.map(({ file, line, problem }) => `audit log ${log} of ${machine.name}: ${file}:${line} ${problem}`),
      )
    }),
  )
  return found.flat()
}

/** Acknowledged changes that the audit log of the connector which acknowledged them does not tell. */
export function unauditedChanges(acknowledged: readonly Acknowledgement[]): readonly string[] {
  const texts = new Map<Machine, string>()
  return acknowledged.flatMap(({ by: { machine }, name }) => {
    const text = texts.get(machine) ?? auditText(machine)
    texts.set(machine, text)
    return text.includes(name) ? [] : [`${machine.name} has not audited ${name}`]
  })
}

/** Of these paths, those that no connector's audit log tells of. */
export function unauditedRequests({ connectors }: Installation, paths: readonly string[]): readonly string[] {
  const told = new Set(connectors.flatMap(({ machine }) => auditText(machine).match(/\/probe\/\d+/g) ?? []))
  return paths.filter((path) => !told.has(path))
}

function auditText(machine: Machine): string {
  const folder = join(machine.data, 'connector', 'audit')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name))
  return files
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n')
}
