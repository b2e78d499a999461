import { text } from 'node:stream/consumers'
import type { DestinationAdminClient, DestinationLevel, DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { readAuthority, readBindings } from '../stack/binding-files.ts'
import type { DataFolder } from '../stack/data-folder.ts'
import { createRequester } from '../stack/request.ts'
import { fetchToken, parseObject } from '../stack/tokens.ts'
import { createContext } from './context.ts'
import { issueToken } from './token.ts'

interface LevelOptions {
  readonly level: string
  readonly reveal?: boolean
}

/** `destination list|get|set|delete|find`: over the REST API, with the binding of the stack. */
export function addDestinationCommand(program: Command): void {
  const destination = program.command('destination').description('administer and find destinations')
  const withLevel = (command: Command): Command => command.option('--level <level>', 'subaccount or instance', 'subaccount')

  withLevel(destination.command('list').description('list destinations')).action(async (options: LevelOptions, command: Command) => {
    const { printer, folder } = createContext(command)
    const found = await withClient(folder(), (client) => client.list(levelOf(options)))
    printer.result(found.map(hideSecrets), () =>
      found.length === 0
        ? `There are no destinations on the ${options.level} level. Add one with: sallyport destination set Name=A Type=HTTP URL=http://a ProxyType=Internet`
        : formatTable(
            ['NAME', 'TYPE', 'PROXY TYPE', 'AUTHENTICATION', 'ADDRESS'],
            found.map((entry) => [
              entry.Name,
              entry.Type,
              entry['ProxyType'] ?? '',
              entry['Authentication'] ?? '',
              entry['URL'] ?? entry['Address'] ?? '',
            ]),
          ),
    )
  })

  withLevel(destination.command('get').description('show one destination').argument('<name>'))
    .option('--reveal', 'show secrets')
    .action(async (name: string, options: LevelOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const found = await withClient(folder(), (client) => client.get(levelOf(options), name))
      if (found === undefined) throw notFound(name, options.level)
      const shown = options.reveal === true ? found : hideSecrets(found)
      printer.result(shown, () => formatTable(['PROPERTY', 'VALUE'], Object.entries(shown)))
    })

  withLevel(
    destination
      .command('set')
      .description('create or replace a destination')
      .argument('[properties...]', 'Name=Value pairs; none: a JSON object on standard input'),
  ).action(async (pairs: readonly string[], options: LevelOptions, command: Command) => {
    const { printer, folder } = createContext(command)
    const record = pairs.length === 0 ? parseRecord(await text(process.stdin)) : parsePairs(pairs)
    const outcome = await withClient(folder(), (client) => client.set(levelOf(options), record))
    printer.result({ name: record.Name, outcome }, () => `${record.Name} ${outcome}.`)
  })

  withLevel(destination.command('delete').description('delete a destination').argument('<name>')).action(
    async (name: string, options: LevelOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      if (!(await withClient(folder(), (client) => client.delete(levelOf(options), name)))) throw notFound(name, options.level)
      printer.result({ name, outcome: 'deleted' }, () => `${name} deleted.`)
    },
  )

  destination
    .command('find')
    .description('resolve a destination as an application does, tokens included')
    .argument('<name>')
    .option('--user <name>', 'user on whose behalf the application asks')
    .option('--reveal', 'show secrets and tokens')
    .action(async (name: string, options: { readonly user?: string; readonly reveal?: boolean }, command: Command) => {
      const { printer, folder } = createContext(command)
      const userToken =
        options.user === undefined ? {} : { userToken: (await issueToken(folder(), { client: 'xsuaa', user: options.user })).access_token }
      const found = await withClient(folder(), (client) => client.find(name, userToken))
      if (found === undefined) throw notFound(name, 'instance or subaccount')
      const shown: unknown =
        options.reveal === true
          ? found
          : JSON.parse(JSON.stringify(found, (key, value: unknown) => (isSecretName(key) || key === 'value' ? '(hidden)' : value)))
      printer.result(shown, () => JSON.stringify(shown, null, 2))
    })
}

async function withClient<T>(folder: DataFolder, work: (client: DestinationAdminClient) => Promise<T>): Promise<T> {
  const { createDestinationAdminClient } = await import('@sallyport/admin-api')
  const [binding] = readBindings(folder).destination
  await using request = createRequester({ authorities: [readAuthority(folder)] })
  const client = createDestinationAdminClient({
    url: String(binding.credentials['uri']),
    token: async () => (await fetchToken(request, binding, { grant_type: 'client_credentials' })).access_token,
    request: async (url, init) => {
      const answer = await request(url, init)
      return { status: answer.status, headers: { get: (name) => answer.headers[name.toLowerCase()] ?? null }, text: answer.text }
    },
  })
  return await work(client)
}

function levelOf(options: LevelOptions): DestinationLevel {
  if (options.level === 'subaccount' || options.level === 'instance') return options.level
  throw usageError(`--level takes subaccount or instance, not "${options.level}"`)
}

function notFound(name: string, level: string): ConnectivityError {
  return new ConnectivityError('DESTINATION_NOT_FOUND', `there is no destination "${name}" on the ${level} level`, {
    details: { next: 'sallyport destination list' },
  })
}

function parsePairs(pairs: readonly string[]): DestinationRecord {
  const entries = pairs.map((pair) => {
    const equals = pair.indexOf('=')
    if (equals < 1) throw usageError(`"${pair}" is not Name=Value`)
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const
  })
  return Object.fromEntries(entries) as DestinationRecord
}

function parseRecord(json: string): DestinationRecord {
  const record = parseObject(json)
  if (Object.keys(record).length === 0) throw usageError('standard input is not a JSON object with the properties of a destination')
  return record as DestinationRecord
}

/** Names of properties whose values are secrets, by their ending: password, secret, passwd. */
function isSecretName(name: string): boolean {
  return /(?:password|secret|passwd)$/i.test(name)
}

function hideSecrets(record: DestinationRecord): DestinationRecord {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, isSecretName(name) ? '(hidden)' : value]),
  ) as DestinationRecord
}
