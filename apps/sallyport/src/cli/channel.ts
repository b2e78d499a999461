import type { Command } from 'commander'
import { exitCodes } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { readConnectorReports } from './connector-reports.ts'
import { createContext } from './context.ts'

/** `channel list`. */
export function addChannelCommand(program: Command): void {
  program
    .command('channel')
    .description('service channels: ports of the connector that lead to services of the cloud side')
    .command('list')
    .description('on premise: every channel with its port, where it leads, and why it is not open')
    .action(async (_options: unknown, command: Command) => {
      const { printer, folder } = createContext(command)
      const reports = await readConnectorReports(folder())
      const channels = reports.flatMap(({ channels: list, locationId, subaccount }) =>
        list.map((channel) => ({ subaccount, locationId, ...channel })),
      )
      printer.result({ channels }, () =>
        channels.length === 0
          ? 'no service channel is configured; add one below "channels:" of a connector'
          : formatTable(
              ['SUBACCOUNT', 'LOCATION', 'ID', 'TYPE', 'PORT', 'LEADS TO', 'STATE', 'CLIENTS', 'PROBLEM'],
              channels.map((channel) => [
                channel.subaccount,
                `"${channel.locationId}"`,
                String(channel.id),
                channel.type,
                `${channel.host}:${channel.port}`,
                channel.cluster === undefined ? channel.service : `${channel.cluster}/${channel.service}`,
                channel.state,
                String(channel.openedConnections),
                channel.problem ?? '',
              ]),
            ),
      )
      if (channels.some(({ enabled, state }) => enabled && state !== 'open')) process.exitCode = exitCodes.notReady
    })
}
