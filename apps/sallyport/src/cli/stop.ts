import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { askControl } from '../control/control-client.ts'
import { readControlRecords } from '../control/control-record.ts'
import { createContext } from './context.ts'

const waitMs = 15_000
const pollMs = 50

/** `stop`: ends every process that runs with this data folder, in order, and waits for them. */
export function addStopCommand(program: Command): void {
  program
    .command('stop')
    .description('stop what runs with this data folder')
    .action(async (_options: unknown, command: Command) => {
      const { printer, folder } = createContext(command)
      const records = await readControlRecords(folder())
      for (const record of records) await askControl(record, 'stop')
      const deadline = Date.now() + waitMs
      for (let running = records; running.length > 0; running = await readControlRecords(folder())) {
        if (Date.now() > deadline) {
          const names = running.map((record) => `${record.name} (pid ${record.pid})`).join(', ')
          throw new ConnectivityError('DEADLINE_EXCEEDED', `still running after ${waitMs / 1000} s: ${names}`)
        }
        await new Promise((resolve) => setTimeout(resolve, pollMs))
      }
      printer.result({ stopped: records.map(({ name, pid }) => ({ name, pid })) }, () =>
        records.length === 0
          ? 'Nothing was running.'
          : `Stopped ${records.map((record) => `${record.name} (pid ${record.pid})`).join(', ')}.`,
      )
    })
}
