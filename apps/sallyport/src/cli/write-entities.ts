import { isSecretProperty } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import type { Printer } from '../output/printer.ts'
import { usageError } from '../output/exit-code.ts'
import { withAdministration } from '../stack/destination-clients.ts'
import { addLevelOptions, askedAs, type LevelOptions, levelOf } from './administered-level.ts'
import { createContext } from './context.ts'
import { type EditedKind, notFound } from './edited-collection.ts'
import { parsePairs, readObject, readSecrets } from './property-values.ts'
import { reviewed } from './reviewed-destination.ts'

interface SetOptions extends LevelOptions {
  readonly secret: readonly string[]
  readonly keepSecrets?: boolean
  readonly force?: boolean
}

/** `set`, `delete` and `duplicate` of destinations or fragments. */
export function addWriteCommands(parent: Command, kind: EditedKind): void {
  const { command: word, collection, nameProperty } = kind
  addLevelOptions(
    parent
      .command('set')
      .description(`create or replace a ${word}`)
      .argument('[properties...]', 'Name=Value pairs; none: a JSON object on standard input'),
  )
    .option('--secret <name=file>', 'property whose value is in a file, or with - on standard input; may be repeated', collect, [])
    .option('--keep-secrets', 'keep stored secrets that are not given')
    .option('--force', 'store it although it cannot work like this')
    .action(async (pairs: readonly string[], options: SetOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const secrets = await readSecrets(options.secret)
      const given = pairs.length === 0 ? await readObject(word) : parsePairs(pairs)
      warnOfArguments(printer, pairs)
      const properties = { ...given, ...secrets }
      const name = properties[nameProperty]
      if (typeof name !== 'string' || name === '') throw usageError(`${nameProperty} is missing; write ${nameProperty}=…`)
      if (word === 'destination') reviewed(printer, properties, options.force === true)
      const outcome = await withAdministration(folder(), askedAs(options), async (client) => {
        const level = await levelOf(options, client)
        const stored = await client.get(level, collection, name)
        const keepSecrets = options.keepSecrets === true ? (stored?.secrets ?? []).filter((key) => !Object.hasOwn(properties, key)) : []
        const replaced = stored && (await client.replace(level, collection, name, { properties, keepSecrets }))
        const dropped = (stored?.secrets ?? []).filter((key) => !Object.hasOwn(properties, key) && !keepSecrets.includes(key))
        if (replaced !== undefined) {
          if (dropped.length > 0) printer.note(`warning: no longer stored: ${dropped.join(', ')}; --keep-secrets keeps what is not given`)
          return 'replaced'
        }
        if ((await client.create(level, collection, { properties })) !== undefined) return 'created'
        throw new ConnectivityError('SERVICE_UNAVAILABLE', `somebody else has created the ${word} "${name}" meanwhile`, {
          details: { next: 'look at it, and try again' },
        })
      })
      printer.result({ name, outcome }, () => `${name} ${outcome}.`)
    })

  addLevelOptions(parent.command('delete').description(`delete a ${word}`).argument('<name>')).action(
    async (name: string, options: LevelOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const deleted = await withAdministration(folder(), askedAs(options), async (client) =>
        client.delete(await levelOf(options, client), collection, name),
      )
      if (!deleted) throw notFound(kind, name, options)
      printer.result({ name, outcome: 'deleted' }, () => `${name} deleted.`)
    },
  )

  addLevelOptions(
    parent
      .command('duplicate')
      .description(`copy a ${word} with its secrets`)
      .argument('<name>')
      .argument('<newName>')
      .argument('[properties...]', 'Name=Value pairs that are different in the copy'),
  ).action(async (name: string, newName: string, pairs: readonly string[], options: LevelOptions, command: Command) => {
    const { printer, folder } = createContext(command)
    const changed = parsePairs(pairs)
    warnOfArguments(printer, pairs)
    await withAdministration(folder(), askedAs(options), async (client) => {
      const level = await levelOf(options, client)
      const original = await client.get(level, collection, name)
      if (original === undefined) throw notFound(kind, name, options)
      const draft = {
        properties: { ...original.properties, ...changed, [nameProperty]: newName },
        keepSecrets: original.secrets.filter((key) => !Object.hasOwn(changed, key)),
        secretsFrom: name,
      }
      if ((await client.create(level, collection, draft)) !== undefined) return
      throw new ConnectivityError('DESTINATION_INVALID', `there is a ${word} "${newName}" already`, {
        details: { next: 'choose another name' },
      })
    })
    printer.result({ name: newName, outcome: 'created', from: name }, () => `${newName} created as a copy of ${name}.`)
  })
}

function collect(word: string, words: readonly string[]): readonly string[] {
  return [...words, word]
}

/** Every user of the machine sees the arguments of a command while it runs, and the shell remembers them. */
function warnOfArguments(printer: Printer, pairs: readonly string[]): void {
  const secret = Object.keys(parsePairs(pairs)).find(isSecretProperty)
  if (secret !== undefined)
    printer.note(`warning: ${secret} was an argument, which others can see; better: --secret ${secret}=<file>, or =- for standard input`)
}
