import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { withAdministration, withDestinationClient } from '../stack/destination-clients.ts'
import { addLevelOptions, askedAs, type LevelOptions, levelOf, levelText } from './administered-level.ts'
import { createContext } from './context.ts'
import { type EditedKind, notFound, shownProperties } from './edited-collection.ts'
import { listedDestination } from './listed-destination.ts'

/** `list` and `get` of destinations or fragments. */
export function addReadCommands(parent: Command, kind: EditedKind): void {
  const { command: word, collection } = kind
  addLevelOptions(parent.command('list').description(`list ${collection}`)).action(async (options: LevelOptions, command: Command) => {
    const { printer, folder } = createContext(command)
    const found = await withAdministration(folder(), askedAs(options), async (client) =>
      client.list(await levelOf(options, client), collection),
    )
    printer.result(found.map(shownProperties), () =>
      found.length === 0
        ? `There are no ${collection} on the ${levelText(options)}. Add one with: sallyport ${word} set ${examples[word]}`
        : formatTable(
            columns[word].map((name) => name.replaceAll(/([a-z])([A-Z])/g, '$1 $2').toUpperCase()).concat('LABELS'),
            found.map(({ properties, labels }) => [
              ...cellsOf(word, properties),
              labels.map(({ key, values }) => (values.length === 0 ? key : `${key}=${values.join(',')}`)).join(' '),
            ]),
          ),
    )
  })

  addLevelOptions(parent.command('get').description(`show one ${word}`).argument('<name>'))
    .option('--reveal', 'show secrets')
    .action(async (name: string, options: LevelOptions & { readonly reveal?: boolean }, command: Command) => {
      const { printer, folder } = createContext(command)
      const shown =
        options.reveal === true
          ? await withDestinationClient(folder(), (client) => client.get(plainLevel(options), name, collection))
          : await withAdministration(folder(), askedAs(options), async (client) => {
              const entity = await client.get(await levelOf(options, client), collection, name)
              return entity && shownProperties(entity)
            })
      if (shown === undefined) throw notFound(kind, name, options)
      printer.result(shown, () => formatTable(['PROPERTY', 'VALUE'], Object.entries(shown)))
    })
}

const columns = {
  destination: ['Name', 'Type', 'ProxyType', 'Authentication', 'Address'],
  fragment: ['FragmentName', 'URL', 'ProxyType', 'Authentication'],
} as const

function cellsOf(word: EditedKind['command'], properties: Readonly<Record<string, string>>): readonly string[] {
  const shown: Readonly<Record<string, string>> = { ...properties, ...(word === 'destination' ? listedDestination(properties) : {}) }
  return columns[word].map((name) => shown[name] ?? '')
}

const examples = {
  destination: 'Name=A Type=HTTP URL=http://a ProxyType=Internet',
  fragment: 'FragmentName=F URL=http://a',
} as const

/** Secrets are shown to the client of the binding alone, on its own levels. */
function plainLevel(options: LevelOptions): 'subaccount' | 'instance' {
  if (options.as !== undefined || options.tenant !== undefined || options.instance !== undefined)
    throw new ConnectivityError('ACCESS_DENIED', 'secrets are revealed to the client of the binding only', {
      details: { next: 'leave out --as, --tenant and --instance' },
    })
  if (options.level === 'subaccount' || options.level === 'instance') return options.level
  throw usageError(`--level takes subaccount or instance, not "${options.level}"`)
}
