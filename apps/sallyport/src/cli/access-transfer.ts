import type { Command } from 'commander'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { readWholeFile, writeNewFileOf } from './archive-file.ts'
import { addSubaccountOption, chooseSubaccount, type ListedSubaccount, type SubaccountOption, subaccountPath } from './chosen-subaccount.ts'
import { segmentOf } from './path-segment.ts'
import { mappingPath } from './shown-mapping.ts'

interface ContentOption extends SubaccountOption {
  readonly mappingsOnly?: boolean
}

interface ImportOptions extends ContentOption {
  readonly overwrite?: boolean
  readonly resources: boolean
}

interface ExportOptions extends SubaccountOption {
  readonly name: string
  readonly resource: readonly string[]
}

const mappingsOnly = 'an archive of mappings with their resources, and nothing else'

function contentPath(key: ListedSubaccount, { mappingsOnly: only }: ContentOption): string {
  return `${subaccountPath(key, 'private')}/${only === true ? 'accessControl' : 'configuration'}`
}

/** `connector config-export|config-import`: what is configured for a subaccount. `connector scenario export|import|remove`: named sets of resources (cloud-connector.md §2.10). */
export function addAccessTransferCommands(connector: Command): void {
  const adding = (command: Command): Command => addSubaccountOption(addAdministrationOptions(command))
  adding(
    connector
      .command('config-export')
      .description('mappings, cookie domains and channels of a subaccount, as an archive without keys and trust')
      .argument('<file>', 'ZIP archive to be made')
      .option('--mappings-only', mappingsOnly),
  ).action(async (file: string, options: ContentOption, command: Command) => {
    await administering(command, async (administration, printer) => {
      const key = await chooseSubaccount(administration, options.subaccount)
      const archive = await writeNewFileOf(file, () => administration.download('GET', contentPath(key, options)))
      printer.result(
        { file, subaccount: key.subaccount, bytes: archive.length },
        () => `${file} holds what is configured for ${key.subaccount}.`,
      )
    })
  })
  adding(
    connector
      .command('config-import')
      .description('take an archive over; what is there stays unless told otherwise')
      .argument('<file>', 'ZIP archive'),
  )
    .option('--mappings-only', mappingsOnly)
    .option('--overwrite', 'replace what is there')
    .option('--no-resources', 'take the mappings alone, so that they admit nothing at first')
    .action(async (file: string, options: ImportOptions, command: Command) => {
      const archive = readWholeFile(file)
      await administering(command, async (administration, printer) => {
        requireAdministered(administration, 'the mappings of its connector', ['the entries of the archive'])
        const key = await chooseSubaccount(administration, options.subaccount)
        await administration.upload('POST', contentPath(key, options), [
          ['archive', archive],
          ['overwrite', String(options.overwrite === true)],
          ['includeResources', String(options.resources)],
        ])
        printer.result(
          { file, subaccount: key.subaccount, outcome: 'imported' },
          () => `${key.subaccount} has taken ${file} over. Next: sallyport mapping list`,
        )
      })
    })

  const scenario = connector.command('scenario').description('named sets of resources that come into a mapping, and go, together')
  const several = (word: string, words: readonly string[]): readonly string[] => [...words, word]
  adding(
    scenario
      .command('export')
      .description('some resources of a mapping, under a name')
      .argument('<virtual>', 'host:port of the mapping')
      .argument('<file>', 'ZIP archive to be made'),
  )
    .requiredOption('--name <name>', 'of the scenario')
    .requiredOption('--resource <resource>', 'path or function; may be repeated', several, [])
    .action(async (virtual: string, file: string, { name, resource, subaccount }: ExportOptions, command: Command) => {
      // By that name it is removed again.
      segmentOf('scenario', name)
      await administering(command, async (administration, printer) => {
        const key = await chooseSubaccount(administration, subaccount)
        const path = `${mappingPath(key, virtual, 'private')}/scenarios/export`
        await writeNewFileOf(file, () => administration.download('POST', path, { name, resources: resource }))
        printer.result({ file, name, resources: resource }, () => `${file} holds the scenario "${name}" with ${resource.length} resources.`)
      })
    })
  adding(
    scenario
      .command('import')
      .description('join the resources of a scenario to those of a mapping')
      .argument('<virtual>', 'host:port of the mapping')
      .argument('<file>', 'ZIP archive'),
  ).action(async (virtual: string, file: string, options: SubaccountOption, command: Command) => {
    const archive = readWholeFile(file)
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, `the resources of ${virtual}`, ['the entries of the archive'])
      const key = await chooseSubaccount(administration, options.subaccount)
      await administration.upload('POST', `${mappingPath(key, virtual, 'private')}/scenarios`, [['archive', archive]])
      printer.result({ file, virtual, outcome: 'imported' }, () => `${virtual} has the scenario. Next: sallyport resource list ${virtual}`)
    })
  })
  adding(
    scenario
      .command('remove')
      .description('take away what came with a scenario and belongs to no other')
      .argument('<virtual>', 'host:port of the mapping')
      .argument('<name>', 'of the scenario'),
  ).action(async (virtual: string, name: string, options: SubaccountOption, command: Command) => {
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, `the resources of ${virtual}`, undefined)
      const key = await chooseSubaccount(administration, options.subaccount)
      await administration.send('DELETE', `${mappingPath(key, virtual, 'private')}/scenarios/${segmentOf('scenario', name)}`)
      printer.result({ virtual, name, outcome: 'removed' }, () => `The scenario "${name}" has left ${virtual}.`)
    })
  })
}
