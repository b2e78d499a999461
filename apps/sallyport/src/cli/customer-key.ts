import type { Command } from 'commander'
import { exitCodes } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import type { CustomerEncryption, SubaccountEncryptionEntry } from '../stack/customer-encryption.ts'
import { createContext } from './context.ts'
import { type ConfigOption, maintenanceContext } from './maintenance-context.ts'

interface SubaccountOption extends ConfigOption {
  readonly subaccount: string
}

/** `db customer-key status|use|rotate|release`: keys that customers put around what their subaccounts store. Services may run. */
export function addCustomerKeyCommand(db: Command): void {
  const group = db.command('customer-key').description('let keys of customers protect what their subaccounts store')
  const withConfig = (command: Command): Command => command.option('--config <file>', 'configuration file (default: sallyport.yaml)')
  const onSubaccount = (command: Command): Command => withConfig(command.requiredOption('--subaccount <id>', 'subaccount'))
  withConfig(group.command('status').description('show whose data needs a key of the customer, and whether the key can be used')).action(
    showStatus,
  )
  onSubaccount(group.command('use').description('encrypt a subaccount with the key that the configuration names (customerKey)')).action(
    change(async (encryption, { subaccount }) => {
      const changed = await encryption.use(subaccount)
      const text = changed
        ? `Nothing of ${subaccount} opens without the key of the customer any more. Services that were started without its system in their configuration answer 500 for it: restart them.`
        : `${subaccount} was encrypted with this key already.`
      return { changed, text }
    }),
  )
  onSubaccount(group.command('rotate').description('take the newest version of the key into use, and seal everything again')).action(
    change(async (encryption, { subaccount }) => {
      await encryption.rotate(subaccount)
      const { version } = (await encryption.list()).find((entry) => entry.subaccount === subaccount) ?? {}
      const newest = version === undefined ? 'the newest version of its key' : `version ${version} of its key, the newest there is`
      // Rotated without a new version, the data key is new all the same.
      return {
        changed: true,
        text: `${subaccount} is encrypted anew, with ${newest}. Keep earlier versions, if there are any, for two minutes.`,
      }
    }),
  )
  onSubaccount(group.command('release').description('let the key of the installation do alone again')).action(
    change(async (encryption, { subaccount }) => {
      const changed = await encryption.release(subaccount)
      const text = changed
        ? `The key of the customer is not needed for ${subaccount} any more.`
        : `${subaccount} was not encrypted with a key of the customer.`
      return { changed, text }
    }),
  )
}

async function showStatus(options: ConfigOption, command: Command): Promise<void> {
  const { printer } = createContext(command)
  const subaccounts = await within(options, command, (encryption) => encryption.list())
  const ready = subaccounts.every(({ state }) => state === 'usable' || state === 'off')
  printer.result({ ready, subaccounts }, () =>
    subaccounts.length === 0
      ? 'No subaccount is encrypted with a key of its own, and the configuration names none (customerKey).'
      : [
          formatTable(
            ['SUBACCOUNT', 'KEY', 'STATE', 'VERSION', 'SINCE'],
            subaccounts.map((entry) => [
              entry.subaccount,
              `${entry.system}/${entry.key}`,
              wordsOf(entry),
              entry.version ?? '',
              entry.since ?? '',
            ]),
          ),
          ...subaccounts.flatMap(({ subaccount, reason }) => (reason === undefined ? [] : [`${subaccount}: ${reason}`])),
        ].join('\n'),
  )
  if (!ready) process.exitCode = exitCodes.failed
}

function wordsOf({ state, settled }: SubaccountEncryptionEntry): string {
  if (state === 'off') return 'not in use: db customer-key use'
  return state === 'usable' && settled === false ? 'usable, values are being sealed again' : state
}

function change(
  work: (encryption: CustomerEncryption, options: SubaccountOption) => Promise<{ readonly changed: boolean; readonly text: string }>,
): (options: SubaccountOption, command: Command) => Promise<void> {
  return async (options, command) => {
    const { printer } = createContext(command)
    const { subaccount } = options
    const { changed, text } = await within(options, command, (encryption) => work(encryption, options))
    printer.result({ subaccount, changed }, () => text)
  }
}

async function within<T>(options: ConfigOption, command: Command, work: (encryption: CustomerEncryption) => Promise<T>): Promise<T> {
  const [{ withCustomerEncryption }, { destinationDatabase }] = await Promise.all([
    import('../stack/maintain-customer-keys.ts'),
    import('../stack/destination-service-part.ts'),
  ])
  return withCustomerEncryption(await maintenanceContext(options, command), destinationDatabase, work)
}
