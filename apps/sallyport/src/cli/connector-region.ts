import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { ConnectivityError } from '@sallyport/core'
import type { Administration } from '../connector-client/administration.ts'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { segmentOf } from './path-segment.ts'
import { addNew } from './taken-name.ts'

const path = '/api/private/v1/regions'

interface ShownRegion {
  readonly name: string
  readonly host: string
  /** Added here, and not one of those that everybody knows. */
  readonly custom: boolean
}

interface RegionOptions {
  readonly name?: string
  readonly server?: string
  readonly authority?: string
}

/** `connector region list|add|set|remove`: where subaccounts are. */
export function addConnectorRegionCommand(connector: Command): void {
  const region = connector.command('region').description('regions: where the connectivity services of subaccounts are')
  const leaf = (name: string, description: string): Command => addAdministrationOptions(region.command(name).description(description))

  leaf('list', 'every region that subaccounts can be added of').action(async (_options: unknown, command: Command) => {
    await administering(command, async (administration, printer) => {
      const regions = await administration.get<readonly ShownRegion[]>(path)
      printer.result({ regions }, () =>
        formatTable(
          ['HOST', 'NAME', 'ADDED HERE'],
          regions.map(({ custom, host, name }) => [host, name, custom ? 'yes' : '–']),
        ),
      )
    })
  })

  addSettings(leaf('add', 'a region of your own').argument('<host>', 'region host, as subaccounts are added with')).action(
    async (host: string, options: RegionOptions, command: Command) => {
      const body = { host, name: host, ...settingsOf(options) }
      await administering(command, async (administration, printer) => {
        requireRegions(administration)
        await addNew(
          administration.send('POST', path, body),
          `sallyport connector region list shows it; sallyport connector region set ${host} changes it`,
        )
        printer.result(
          { host, outcome: 'added' },
          () => `${host} added. Next: sallyport connector subaccount add --region ${host} --id <subaccount>`,
        )
      })
    },
  )

  addSettings(leaf('set', 'change a region; what is not named stays').argument('<host>', 'region host, see list')).action(
    async (host: string, options: RegionOptions, command: Command) => {
      const settings = settingsOf(options)
      if (Object.keys(settings).length === 0) throw usageError('nothing to change; name --name, --server or --authority')
      const place = placeOf(host)
      await administering(command, async (administration, printer) => {
        requireRegions(administration)
        const before = await administration.find<object>(place)
        if (before === undefined) throw noSuchRegion(host)
        await administration.send('PUT', place, { ...before, ...settings })
        printer.result(
          { host, outcome: 'changed' },
          () => `${host} changed. Subaccounts that are there keep the server that they were added with.`,
        )
      })
    },
  )

  leaf('remove', 'forget a region that was added')
    .argument('<host>', 'region host, see list')
    .action(async (host: string, _options: unknown, command: Command) => {
      const place = placeOf(host)
      await administering(command, async (administration, printer) => {
        requireRegions(administration)
        if ((await administration.find(place)) === undefined) throw noSuchRegion(host)
        await administration.send('DELETE', place)
        printer.result({ host, outcome: 'removed' }, () => `${host} removed.`)
      })
    })
}

function addSettings(command: Command): Command {
  return command
    .option('--name <text>', 'how it is called in lists (default: its host)')
    .option('--server <url>', 'connectivity service, such as https://cloud.example.org:8041 (default: the usual name before the host)')
    .option('--authority <file>', 'PEM of the authority that signs the service (default: those that this machine trusts)')
}

function settingsOf({ authority, name, server }: RegionOptions): Readonly<Record<string, string>> {
  return {
    ...(name === undefined ? {} : { name }),
    ...(server === undefined ? {} : { url: server }),
    ...(authority === undefined ? {} : { authority: readAuthority(authority) }),
  }
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`--authority "${file}" cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}

function placeOf(host: string): string {
  return `${path}/${segmentOf('region', host)}`
}

/** In a file connectors are paired, and nobody asks for regions. */
function requireRegions(administration: Administration): void {
  requireAdministered(administration, 'its connectors; regions are for connectors that are administered', undefined)
}

function noSuchRegion(host: string): ConnectivityError {
  return new ConnectivityError('NOT_FOUND', `no region with the host "${host}" was added here`, {
    details: { next: 'sallyport connector region list' },
  })
}
