import type { Command } from 'commander'
import { askControl } from '../control/control-client.ts'
import { readControlRecords } from '../control/control-record.ts'
import { exitCodes } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import type { PartStatus } from '../stack/part.ts'
import { createContext } from './context.ts'

/** `status`: what runs with this data folder, and whether each part is ready. Exit 3 when something is not. */
export function addStatusCommand(program: Command): void {
  program
    .command('status')
    .description('show what runs with this data folder')
    .action(async (_options: unknown, command: Command) => {
      const { printer, folder } = createContext(command)
      const parts: (PartStatus & { readonly process: string })[] = []
      for (const record of await readControlRecords(folder())) {
        const answer = await askControl<{ parts: readonly PartStatus[] }>(record, 'status')
        parts.push(...answer.parts.map((part) => ({ ...part, process: `${record.name} (pid ${record.pid})` })))
      }
      const ready = parts.length > 0 && parts.every((part) => part.ready)
      printer.result({ ready, parts }, () =>
        parts.length === 0
          ? 'Nothing is running. Start the local stack with: sallyport dev'
          : formatTable(
              ['PART', 'STATE', 'ADDRESS', 'DETAIL', 'PROCESS'],
              parts.map((part) => [part.part, part.ready ? 'ready' : 'not ready', part.addresses.join(' '), part.detail, part.process]),
            ),
      )
      if (!ready) process.exitCode = exitCodes.notReady
    })
}
