import type { Command } from 'commander'
import type { Administration } from '../connector-client/administration.ts'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { addSubaccountOption, chooseSubaccount, type ListedSubaccount, type SubaccountOption } from './chosen-subaccount.ts'
import { segmentOf } from './path-segment.ts'
import { mappingPath, type ShownMapping } from './shown-mapping.ts'
import { addNew } from './taken-name.ts'

interface ShownResource {
  readonly id: string
  readonly enabled: boolean
  readonly exactMatchOnly: boolean
  readonly websocketUpgradeAllowed: boolean
  readonly description?: string
}

interface ResourceOptions extends SubaccountOption {
  readonly subPaths?: boolean
  readonly prefix?: boolean
  readonly exact?: boolean
  readonly websocket?: boolean
  readonly enabled?: boolean
  readonly disabled?: boolean
  readonly description?: string
}

/** `resource list|add|set|remove`. */
export function addResourceCommand(parent: Command): void {
  const resource = parent.command('resource').description('what a mapping admits: URL paths of HTTP, functions of RFC')
  const leaf = (name: string, description: string): Command =>
    addSubaccountOption(
      addAdministrationOptions(resource.command(name).description(description).argument('<virtual>', 'host:port of the mapping')),
    )

  leaf('list', 'every resource of a mapping').action(async (virtual: string, options: SubaccountOption, command: Command) => {
    await administering(command, async (administration, printer) => {
      const key = await chooseSubaccount(administration, options.subaccount)
      const resources = await administration.get<readonly ShownResource[]>(`${mappingPath(key, virtual)}/resources`)
      printer.result({ virtual, subaccount: key.subaccount, resources }, () =>
        resources.length === 0
          ? `${virtual} admits nothing. Add a resource with: sallyport resource add ${virtual} </path>`
          : formatTable(
              ['RESOURCE', 'ADMITS', 'STATE', 'WEBSOCKET', 'DESCRIPTION'],
              resources.map(({ description = '', enabled, exactMatchOnly, id, websocketUpgradeAllowed }) => [
                id,
                exactMatchOnly ? 'exactly this' : 'what begins so',
                enabled ? 'enabled' : 'suspended',
                websocketUpgradeAllowed ? 'allowed' : '–',
                description,
              ]),
            ),
      )
    })
  })

  addSettings(
    leaf('add', 'admit a path or a function; exactly this one unless told otherwise').argument('<resource>', 'path, or name of a function'),
  )
    .option('--disabled', 'suspended at first')
    .action(async (virtual: string, id: string, options: ResourceOptions, command: Command) => {
      const settings = settingsOf(options)
      await administering(command, async (administration, printer) => {
        const key = await chooseSubaccount(administration, options.subaccount)
        const body = { id, enabled: options.disabled !== true, exactMatchOnly: true, ...settings }
        await requireAdministeredMapping(administration, key, virtual, body)
        await addNew(
          administration.send('POST', `${mappingPath(key, virtual)}/resources`, body),
          `sallyport resource list ${virtual} shows it; sallyport resource set ${virtual} ${id} changes it`,
        )
        printer.result(
          { virtual, resource: id, subaccount: key.subaccount, outcome: 'added' },
          () =>
            `${virtual} admits ${body.exactMatchOnly ? 'exactly' : 'what begins with'} ${id}${body.enabled ? '' : ', once it is enabled'}.`,
        )
      })
    })

  addSettings(leaf('set', 'change a resource; what is not named stays').argument('<resource>', 'path, or name of a function'))
    .option('--exact', 'admit exactly this one')
    .option('--enabled', 'admit it')
    .option('--no-enabled', 'suspend it')
    .action(async (virtual: string, id: string, options: ResourceOptions, command: Command) => {
      const settings = { ...settingsOf(options), ...(options.enabled === undefined ? {} : { enabled: options.enabled }) }
      if (Object.keys(settings).length === 0) throw usageError('nothing to change; name an option, see --help')
      await administering(command, async (administration, printer) => {
        const key = await chooseSubaccount(administration, options.subaccount)
        await requireAdministeredMapping(administration, key, virtual, { id, ...settings })
        await administration.send('PUT', await resourcePath(key, virtual, id), settings)
        printer.result({ virtual, resource: id, subaccount: key.subaccount, outcome: 'changed' }, () => `${id} of ${virtual} changed.`)
      })
    })

  leaf('remove', 'admit a path or a function no longer')
    .argument('<resource>', 'path, or name of a function')
    .action(async (virtual: string, id: string, options: SubaccountOption, command: Command) => {
      await administering(command, async (administration, printer) => {
        const key = await chooseSubaccount(administration, options.subaccount)
        requireAdministered(administration, `the resources of ${virtual}`, undefined)
        await administration.send('DELETE', await resourcePath(key, virtual, id))
        printer.result({ virtual, resource: id, subaccount: key.subaccount, outcome: 'removed' }, () => `${id} of ${virtual} removed.`)
      })
    })
}

function addSettings(command: Command): Command {
  return command
    .option('--sub-paths', 'admit every path that begins so')
    .option('--prefix', 'admit every function whose name begins so')
    .option('--websocket', 'admit requests that upgrade to WebSocket')
    .option('--no-websocket', 'refuse them')
    .option('--description <text>', 'what it is for')
}

function settingsOf({ description, exact, prefix, subPaths, websocket }: ResourceOptions): Readonly<Record<string, unknown>> {
  const wide = subPaths === true || prefix === true
  if (wide && exact === true) throw usageError('--exact contradicts --sub-paths and --prefix')
  return {
    ...(wide ? { exactMatchOnly: false } : exact === true ? { exactMatchOnly: true } : {}),
    ...(websocket === undefined ? {} : { websocketUpgradeAllowed: websocket }),
    ...(description === undefined ? {} : { description }),
  }
}

async function resourcePath(key: ListedSubaccount, virtual: string, id: string): Promise<string> {
  const { encodeResourceId } = await import('@sallyport/connector-administration')
  return `${mappingPath(key, virtual)}/resources/${segmentOf('resource', encodeResourceId(id))}`
}

/** Where a file decides, resources are written in its words. */
async function requireAdministeredMapping(
  administration: Administration,
  key: ListedSubaccount,
  virtual: string,
  { enabled, exactMatchOnly, id, ...rest }: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (administration.session.configuredBy === undefined) return
  const { protocol } = await administration.get<ShownMapping>(mappingPath(key, virtual))
  const isFunction = protocol.startsWith('RFC')
  const wide = exactMatchOnly === undefined ? {} : { [isFunction ? 'prefix' : 'subPaths']: exactMatchOnly !== true }
  const entry = { [isFunction ? 'name' : 'path']: id, ...wide, ...(enabled === false ? { enabled } : {}), ...rest }
  requireAdministered(administration, `the ${isFunction ? 'functions' : 'resources'} of ${virtual}`, [entry])
}
