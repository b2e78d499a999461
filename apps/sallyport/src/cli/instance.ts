import type { Command } from 'commander'
import { formatTable } from '../output/printer.ts'
import { withAdministration } from '../stack/destination-clients.ts'
import { usageError } from '../output/exit-code.ts'
import { askedAs, levelOf } from './administered-level.ts'
import { createContext } from './context.ts'
import { readInput } from './property-values.ts'

interface InstanceOptions {
  readonly as?: string
  readonly tenant?: string
}

/** `instance list|update`: instances of the destination service. */
export function addInstanceCommand(program: Command): void {
  const instance = program.command('instance').description('instances of the destination service and their parameters')
  const withPerson = (command: Command): Command =>
    command
      .option('--tenant <subaccount>', 'ask as another subaccount than that of the binding')
      .option('--as <user>', 'ask with the roles of this user')

  withPerson(instance.command('list').description('list the instances that can be administered')).action(
    async (options: InstanceOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const found = await withAdministration(folder(), askedAs({ level: 'instance', ...options }), (client) => client.instances())
      printer.result(found, () =>
        found.length === 0
          ? 'There is no instance that could be administered.'
          : formatTable(
              ['NAME', 'ID', 'RELATION', 'DESTINATIONS', 'CERTIFICATES'],
              found.map(({ name, id, relation, access }) => [name, id, relation, access.destinations, access.certificates]),
            ),
      )
    },
  )

  withPerson(
    instance
      .command('update')
      .description('apply parameters: what the original takes as config.json')
      .argument('<name>', 'name or id of the instance'),
  )
    .requiredOption('-c, --parameters <file>', 'JSON file; - is standard input')
    .action(async (name: string, options: InstanceOptions & { readonly parameters: string }, command: Command) => {
      const { printer, folder } = createContext(command)
      const parameters = parse(await readInput(options.parameters), options.parameters)
      const applied = await withAdministration(folder(), askedAs({ level: 'instance', ...options }), async (client) => {
        const level = await levelOf({ level: 'instance', instance: name }, client)
        return client.applyParameters(level === 'subaccount' ? name : level.instance, parameters)
      })
      printer.result(
        { name, ...applied },
        () => `${name} updated: ${applied.created} created, ${applied.replaced} replaced, ${applied.kept} left as they were.`,
      )
    })
}

function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    // What the parser says may quote a password.
    throw usageError(`"${file}" is not JSON`)
  }
}
