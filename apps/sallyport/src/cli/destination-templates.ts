import { basename } from 'node:path'
import {
  type DestinationDescriptor,
  destinationFromServiceKey,
  existingPolicies,
  resolveDescriptor,
  type ServiceKey,
  type TemplatedDestination,
  type TemplateOutcome,
} from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { withAdministration } from '../stack/destination-clients.ts'
import { parseObject } from '../stack/tokens.ts'
import { type LevelOptions, askedAs, levelOf } from './administered-level.ts'
import { createContext } from './context.ts'
import { parsePairs, readInput } from './property-values.ts'
import { reviewed } from './reviewed-destination.ts'

interface FromKeyOptions extends LevelOptions {
  readonly url?: string
  readonly authentication?: string
  readonly privateKey?: string
  readonly existing: string
  readonly force?: boolean
}

interface DeployOptions extends LevelOptions {
  readonly key: readonly string[]
}

/** `destination from-key` and `destination deploy`: destinations that point to service instances, by their keys. */
export function addTemplateCommands(parent: Command): void {
  const withPerson = (command: Command): Command =>
    command
      .option('--instance <name>', 'instance that gets them (default: that of the binding)')
      .option('--tenant <subaccount>', 'administer another subaccount than that of the binding')
      .option('--as <user>', 'administer with the roles of this user')

  withPerson(
    parent
      .command('from-key')
      .description('make a destination of the subaccount that points to a service instance, out of a service key')
      .argument('<name>', 'name of the destination')
      .argument('<key>', 'JSON file with the service key; - is standard input')
      .argument('[properties...]', 'further Name=Value pairs'),
  )
    .option('--url <url>', 'address of the target (default: that of the key)')
    .option('--authentication <type>', 'default: OAuth2ClientCredentials')
    .option('--private-key <file>', 'PEM file, for a key whose certificate comes without one')
    .option('--existing <policy>', `what happens when it exists: ${existingPolicies.join(', ')}`, 'fail')
    .option('--force', 'store it although it cannot work like this')
    .action(async (name: string, keyFile: string, pairs: readonly string[], options: FromKeyOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      if (!existingPolicies.some((known) => known === options.existing))
        throw usageError(`--existing takes one of ${existingPolicies.join(', ')}, not "${options.existing}"`)
      const made = usable(
        name,
        destinationFromServiceKey(await readKey(keyFile), {
          name,
          url: options.url,
          authentication: options.authentication,
          privateKey: options.privateKey === undefined ? undefined : await readInput(options.privateKey),
          properties: parsePairs(pairs),
        }),
      )
      reviewed(printer, made.destination, options.force === true)
      const subaccount = {
        existing_destinations_policy: options.existing,
        existing_certificates_policy: options.existing,
        ...initialData([made]),
      }
      const applied = await apply(folder, options, { init_data: { subaccount } })
      printer.result({ name, ...applied }, () => `${name}: ${describe(applied)}. It works as long as the key exists.`)
    })

  withPerson(
    parent
      .command('deploy')
      .description('store the destinations of a multi-target application: sections "subaccount" and "instance" with destinations')
      .argument('<file>', 'JSON file; - is standard input'),
  )
    .option(
      '--key <instance/key=file>',
      'JSON file with a service key that destinations refer to; may be repeated',
      (word: string, words: readonly string[]) => [...words, word],
      [],
    )
    .action(async (file: string, options: DeployOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const keys = new Map<string, ServiceKey>()
      for (const [key, source] of Object.entries(parsePairs(options.key))) keys.set(key, await readKey(source))
      const content = parseObject(await readInput(file))
      const sections: Record<string, unknown> = {}
      for (const [level, section] of Object.entries(content)) {
        const { destinations = [], ...rest } = section as { readonly destinations?: readonly DestinationDescriptor[] }
        const made = destinations.map((one) =>
          usable(
            one.Name,
            resolveDescriptor(one, (instance, key) => keys.get(`${instance}/${key}`)),
          ),
        )
        sections[level] = { ...rest, ...initialData(made) }
      }
      if (Object.keys(sections).length === 0)
        throw usageError(`"${file}" is not a JSON object with the sections "subaccount" or "instance"`)
      const applied = await apply(folder, options, { init_data: sections })
      printer.result({ file: basename(file), ...applied }, () => `${describe(applied)}.`)
    })
}

type Applied = Awaited<ReturnType<Parameters<Parameters<typeof withAdministration>[2]>[0]['applyParameters']>>

function apply(
  folder: () => Parameters<typeof withAdministration>[0],
  options: Omit<LevelOptions, 'level'>,
  parameters: unknown,
): Promise<Applied> {
  return withAdministration(folder(), askedAs({ level: 'instance', ...options }), async (client) => {
    const level = await levelOf({ level: 'instance', ...options }, client)
    return client.applyParameters(level === 'subaccount' ? '' : level.instance, parameters)
  })
}

function initialData(made: readonly TemplatedDestination[]): object {
  return { destinations: made.map(({ destination }) => destination), certificates: made.flatMap(({ certificate }) => certificate ?? []) }
}

function usable(name: string, outcome: TemplateOutcome): TemplatedDestination {
  if (!('problem' in outcome)) return outcome
  throw new ConnectivityError('DESTINATION_INVALID', `the destination "${name}" cannot be made: ${outcome.problem}`)
}

async function readKey(file: string): Promise<ServiceKey> {
  const key = parseObject(await readInput(file))
  if (Object.keys(key).length === 0) throw usageError(`"${file}" is not a JSON object with a service key`)
  // The command line of Cloud Foundry wraps what it prints.
  const { credentials } = key
  return typeof credentials === 'object' && credentials !== null ? (credentials as ServiceKey) : key
}

function describe({ created, replaced, kept }: Applied): string {
  return `${created} created, ${replaced} replaced, ${kept} left as they were`
}
