import type { Label } from '@sallyport/admin-api'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { withAdministration } from '../stack/destination-clients.ts'
import { addLevelOptions, askedAs, type LevelOptions, levelOf } from './administered-level.ts'
import { createContext } from './context.ts'
import { type EditedKind, notFound } from './edited-collection.ts'

interface LabelOptions extends LevelOptions {
  readonly remove: readonly string[]
  readonly clear?: boolean
}

/** `labels` of destinations or fragments: shows them, or sets and removes some. */
export function addLabelsCommand(parent: Command, kind: EditedKind): void {
  const { command: word, collection } = kind
  addLevelOptions(
    parent
      .command('labels')
      .description(`show, set or remove labels of a ${word}; labels are not secret`)
      .argument('<name>')
      .argument('[labels...]', 'key=value,value pairs to set; a key alone is a label without values'),
  )
    .option('--remove <key>', 'label to remove; may be repeated', (key: string, keys: readonly string[]) => [...keys, key], [])
    .option('--clear', 'remove all labels first')
    .action(async (name: string, words: readonly string[], options: LabelOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const given = words.map(parseLabel)
      const labels = await withAdministration(folder(), askedAs(options), async (client) => {
        const level = await levelOf(options, client)
        const entity = await client.get(level, collection, name)
        if (entity === undefined) throw notFound(kind, name, options)
        if (given.length === 0 && options.remove.length === 0 && options.clear !== true) return entity.labels
        const dropped = new Set([...options.remove, ...given.map(({ key }) => key)])
        const kept = options.clear === true ? [] : entity.labels.filter(({ key }) => !dropped.has(key))
        const changed = [...kept, ...given]
        if (!(await client.setLabels(level, collection, name, changed))) throw notFound(kind, name, options)
        return changed
      })
      printer.result(labels, () =>
        labels.length === 0
          ? `${name} has no labels.`
          : formatTable(
              ['LABEL', 'VALUES'],
              labels.map(({ key, values }) => [key, values.join(', ')]),
            ),
      )
    })
}

function parseLabel(word: string): Label {
  const equals = word.indexOf('=')
  const key = equals < 0 ? word : word.slice(0, equals)
  if (key === '') throw usageError(`"${word}" is not key=value,value`)
  const values =
    equals < 0
      ? []
      : word
          .slice(equals + 1)
          .split(',')
          .filter((value) => value !== '')
  return { key, values }
}
