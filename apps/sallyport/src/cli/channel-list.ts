import type { Command } from 'commander'
import { exitCodes } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { type AdministrationOptions, administering } from './administering.ts'
import { chooseSubaccounts, type SubaccountOption } from './chosen-subaccount.ts'
import { readConnectorReports } from './connector-reports.ts'
import { createContext } from './context.ts'
import { listChannels, targetOf } from './shown-channel.ts'

/** `channel list`: on the machine of the connector with the reason why a port is not open, elsewhere with what the REST API says. Exit 3 when one is not open. */
export function addChannelListCommand(command: Command): void {
  command
    .description('every channel with its port, where it leads, and why it is not open')
    .action(async (options: AdministrationOptions & SubaccountOption, called: Command) => {
      if (options.url === undefined && options.user === undefined) await listHere(options, called)
      else await listElsewhere(options, called)
    })
}

const nothing = 'no service channel is configured; add one with: sallyport channel add <type> <target>'

async function listHere({ subaccount: named }: SubaccountOption, command: Command): Promise<void> {
  const { printer, folder } = createContext(command)
  const reports = await readConnectorReports(folder())
  const channels = reports.flatMap(({ channels: list, locationId, subaccount }) =>
    named === undefined || named.split('@')[0] === subaccount ? list.map((channel) => ({ subaccount, locationId, ...channel })) : [],
  )
  printer.result({ channels }, () =>
    channels.length === 0
      ? nothing
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
}

async function listElsewhere({ subaccount: named }: SubaccountOption, command: Command): Promise<void> {
  await administering(command, async (administration, printer) => {
    const channels = (
      await Promise.all(
        (await chooseSubaccounts(administration, named)).map(async (key) =>
          (await listChannels(administration, key)).map((channel) => ({
            subaccount: key.subaccount,
            locationId: key.locationID,
            ...channel,
          })),
        ),
      )
    ).flat()
    printer.result({ channels }, () =>
      channels.length === 0
        ? nothing
        : formatTable(
            ['SUBACCOUNT', 'LOCATION', 'ID', 'TYPE', 'PORT', 'LEADS TO', 'STATE', 'CLIENTS'],
            channels.map((channel) => [
              channel.subaccount,
              `"${channel.locationId}"`,
              String(channel.id),
              channel.type,
              `${channel.host}:${channel.port}`,
              targetOf(channel),
              channel.state === undefined ? 'disabled' : channel.state.connected ? 'open' : 'closed',
              String(channel.state?.openedConnections ?? 0),
            ]),
          ),
    )
    if (channels.some(({ state }) => state?.connected === false)) process.exitCode = exitCodes.notReady
  })
}
