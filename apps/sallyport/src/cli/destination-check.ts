import type { CheckedHop } from '@sallyport/admin-api'
import type { Command } from 'commander'
import { exitCodes } from '../output/exit-code.ts'
import type { Printer } from '../output/printer.ts'
import { withAdministration } from '../stack/destination-clients.ts'
import { addLevelOptions, askedAs, type LevelOptions, levelOf } from './administered-level.ts'
import { createContext } from './context.ts'
import { destinations, notFound } from './edited-collection.ts'

/** `destination check`: whether its target can be reached, and where the way ends. Exit 1 when it cannot. */
export function addCheckCommand(parent: Command): void {
  addLevelOptions(
    parent
      .command('check')
      .description('try to reach the target of a destination of type HTTP; applications try others with ping() of their client')
      .argument('<name>'),
  ).action(async (name: string, options: LevelOptions, command: Command) => {
    const { printer, folder } = createContext(command)
    const verdict = await withAdministration(folder(), askedAs(options), async (client) =>
      client.check(await levelOf(options, client), name),
    )
    if (verdict === undefined) throw notFound(destinations, name, options)
    printer.result(verdict, () =>
      [
        ...verdict.hops.map((hop, at) => formatHop(printer, hop, at + 1)),
        '',
        `${verdict.successful ? printer.good('✔') : printer.bad('✖')} ${verdict.message}  ${printer.dim(`${verdict.durationMs} ms`)}`,
      ].join('\n'),
    )
    if (!verdict.successful) process.exitCode = exitCodes.failed
  })
}

function formatHop(printer: Printer, { hop, ok, detail, durationMs }: CheckedHop, number: number): string {
  const mark = ok ? '' : `${printer.bad('✖')} `
  return `  ${number} ${hop.padEnd(12)} ${mark}${detail}  ${printer.dim(`${durationMs} ms`)}`
}
