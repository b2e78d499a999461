import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { addSubaccountOption, chooseSubaccount, chooseSubaccounts, type SubaccountOption } from './chosen-subaccount.ts'
import { addMappingCheckCommand } from './mapping-check.ts'
import { addMappingOptions, mappingEntry, type MappingOptions, mappingSettings, readMapping } from './mapping-options.ts'
import { addMappingTryCommand } from './mapping-try.ts'
import { mappingPath, type ShownMapping } from './shown-mapping.ts'
import { addNew } from './taken-name.ts'

/** `mapping list|add|set|remove|check|try`. */
export function addMappingCommand(parent: Command): void {
  const mapping = parent.command('mapping').description('system mappings: what a connector exposes, under which names')
  const leaf = (name: string, description: string): Command =>
    addSubaccountOption(addAdministrationOptions(mapping.command(name).description(description)))

  leaf('list', 'every mapping with its internal system and resources').action(async (options: SubaccountOption, command: Command) => {
    await administering(command, async (administration, printer) => {
      const found: (ShownMapping & { readonly subaccount: string })[] = []
      for (const key of await chooseSubaccounts(administration, options.subaccount))
        for (const each of await administration.get<readonly ShownMapping[]>(mappingPath(key)))
          found.push({ subaccount: key.subaccount, ...each })
      printer.result({ mappings: found }, () =>
        found.length === 0
          ? 'Nothing is exposed. Add a mapping with: sallyport mapping add <virtual host:port> <http://internal host:port>'
          : formatTable(
              ['SUBACCOUNT', 'VIRTUAL', 'INTERNAL', 'BACKEND', 'PRINCIPAL', 'RESOURCES', 'DESCRIPTION'],
              found.map((each) => [
                each.subaccount,
                `${each.virtualHost}:${each.virtualPort}`,
                `${each.protocol.toLowerCase()}://${each.localHost}:${each.localPort}`,
                each.backendType,
                each.authenticationMode,
                `${each.enabledResourcesCount} of ${each.totalResourcesCount}`,
                each.description ?? '',
              ]),
            ),
      )
    })
  })

  addMappingOptions(
    leaf('add', 'expose an internal system under a virtual name')
      .argument('<virtual>', 'host:port that the cloud uses')
      .argument('<internal>', 'address that the connector dials, such as https://10.0.0.5:44300'),
  ).action(async (virtual: string, internal: string, options: MappingOptions & SubaccountOption, command: Command) => {
    const entry = mappingEntry(virtual, internal, options)
    const read = await readMapping(entry)
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, 'the mappings of its connector', [entry])
      const key = await chooseSubaccount(administration, options.subaccount)
      const { creationDateMs: _creation, resources: _resources, ...body } = read
      await addNew(
        administration.send('POST', mappingPath(key), { ...body, ...(options.sid === undefined ? {} : { sid: options.sid }) }),
        `sallyport mapping list shows it; sallyport mapping set ${virtual} changes it`,
      )
      const needsResources = ['HTTP', 'HTTPS', 'RFC'].includes(read.protocol)
      printer.result({ virtual, internal, subaccount: key.subaccount, outcome: 'added' }, () =>
        [
          `${virtual} leads to ${internal}.`,
          needsResources
            ? `Next: it admits nothing yet; sallyport resource add ${virtual} ${read.protocol === 'RFC' ? '<FUNCTION>' : '</path>'}`
            : 'It is admitted as a whole.',
        ].join('\n'),
      )
    })
  })

  addMappingOptions(leaf('set', 'change a mapping; what is not named stays').argument('<virtual>', 'host:port that the cloud uses'))
    .option('--internal <url>', 'another address that the connector dials')
    .action(async (virtual: string, options: MappingOptions & SubaccountOption & { readonly internal?: string }, command: Command) => {
      const settings = mappingSettings(options)
      const { internal } = options
      const moved = internal === undefined ? undefined : await readMapping({ virtual, internal })
      if (internal === undefined && Object.keys(settings).length === 0) throw usageError('nothing to change; name an option, see --help')
      await administering(command, async (administration, printer) => {
        const key = await chooseSubaccount(administration, options.subaccount)
        const before = await administration.get<Readonly<Record<string, unknown>>>(mappingPath(key, virtual))
        requireAdministered(administration, `the mapping ${virtual}`, fileKeys(settings, internal))
        const place = moved === undefined ? {} : { localHost: moved.localHost, localPort: moved.localPort, protocol: moved.protocol }
        await administration.send('PUT', mappingPath(key, virtual), { ...before, ...place, ...settings })
        printer.result({ virtual, subaccount: key.subaccount, outcome: 'changed' }, () => `${virtual} changed.`)
      })
    })

  leaf('remove', 'expose an internal system no longer')
    .argument('<virtual>', 'host:port that the cloud uses')
    .action(async (virtual: string, options: SubaccountOption, command: Command) => {
      await administering(command, async (administration, printer) => {
        const key = await chooseSubaccount(administration, options.subaccount)
        const { totalResourcesCount } = await administration.get<ShownMapping>(mappingPath(key, virtual))
        requireAdministered(administration, 'the mappings of its connector', undefined)
        await administration.send('DELETE', mappingPath(key, virtual))
        printer.result({ virtual, subaccount: key.subaccount, outcome: 'removed', resources: totalResourcesCount }, () =>
          totalResourcesCount === 0 ? `${virtual} removed.` : `${virtual} removed, with ${totalResourcesCount} resources.`,
        )
      })
    })

  addMappingCheckCommand(leaf('check', 'look whether internal systems can be reached'))
  addMappingTryCommand(leaf('try', 'explain what would become of a request; nothing is sent'))
}

const namesInFile: Readonly<Record<string, string>> = { authenticationMode: 'principalType', blacklistedUsers: 'blockedUsers' }

function fileKeys(settings: Readonly<Record<string, unknown>>, internal: string | undefined): Readonly<Record<string, unknown>> {
  const named = Object.entries(settings).map(([name, value]) => [namesInFile[name] ?? name, value] as const)
  return { ...(internal === undefined ? {} : { internal }), ...Object.fromEntries(named) }
}
