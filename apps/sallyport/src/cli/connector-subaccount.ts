import type { Command } from 'commander'
import { ConnectivityError } from '@sallyport/core'
import type { Administration } from '../connector-client/administration.ts'
import { usageError } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import { addAdministrationOptions, administering, requireAdministered } from './administering.ts'
import { chooseSubaccount, fullName, listSubaccounts, type ListedSubaccount, subaccountPath } from './chosen-subaccount.ts'
import { readPairingCode } from './pairing-code.ts'
import { readSecretFile } from './secret-input.ts'
import { addNew } from './taken-name.ts'

/** What the REST API says about a subaccount, as far as it is shown. */
interface ShownSubaccount extends ListedSubaccount {
  readonly displayName: string
  readonly description: string
  readonly autoCertRenewal: boolean
  readonly tunnel: {
    readonly state: string
    readonly connectedSinceTimeStamp: number
    readonly connections: number
    readonly subaccountCertificate: { readonly notAfterTimeStamp: number }
  }
}

interface SettingOptions {
  readonly location?: string
  readonly displayName?: string
  readonly description?: string
  readonly autoRenew?: boolean
}

interface AddOptions extends SettingOptions {
  readonly authenticationData?: string
  readonly region?: string
  readonly id?: string
  readonly codeFile?: string
  readonly cloudUser?: string
  readonly cloudPasswordFile?: string
}

/** How the original's clients hand over a one-time code in the place of a password. */
const passcodeUser = '$SAP-CP-SSO-PASSCODE$'

/** `connector subaccount list|add|set|connect|disconnect|remove`. */
export function addConnectorSubaccountCommand(connector: Command): void {
  const subaccount = connector.command('subaccount').description('subaccounts that a running connector serves')
  addAdministrationOptions(subaccount.command('list').description('every subaccount with its tunnel')).action(
    async (_options: unknown, command: Command) => {
      await administering(command, async (administration, printer) => {
        const shown = await Promise.all((await listSubaccounts(administration)).map((key) => show(administration, key)))
        printer.result({ subaccounts: shown }, () =>
          shown.length === 0
            ? 'The connector has no subaccount. Add one with: sallyport connector subaccount add --authentication-data <file>'
            : formatTable(
                ['SUBACCOUNT', 'REGION', 'LOCATION', 'NAME', 'TUNNEL', 'SINCE', 'CERTIFICATE UNTIL'],
                shown.map(({ displayName, locationID, regionHost, subaccount: id, tunnel }) => [
                  id,
                  regionHost,
                  `"${locationID}"`,
                  displayName,
                  tunnel.state,
                  moment(tunnel.connectedSinceTimeStamp),
                  moment(tunnel.subaccountCertificate.notAfterTimeStamp).slice(0, 10),
                ]),
              ),
        )
      })
    },
  )

  addSettings(
    addAdministrationOptions(
      subaccount
        .command('add')
        .description('make the connector known to a subaccount, and connect it')
        .option(
          '--authentication-data <file>',
          'what "connector code --authentication-data" wrote on the cloud side; "-" is standard input',
        )
        .option('--region <host>', 'or the region host, with --id and a code or a user')
        .option('--id <subaccount>', 'ID of the subaccount')
        .option('--code-file <file>', 'file with a one-time pairing code; "-" is standard input')
        .option('--cloud-user <name>', 'administrator of the subaccount, on the cloud side')
        .option('--cloud-password-file <file>', 'file with his password; "-" is standard input'),
    ),
  ).action(async (options: AddOptions, command: Command) => {
    const credentials = await readCredentials(options)
    await administering(command, async (administration, printer) => {
      requireAdministered(administration, 'connectors', [{ subaccount: options.id ?? '<id>', locationId: options.location ?? '' }])
      const added = await addNew(
        administration.send<ShownSubaccount>('POST', '/api/v1/configuration/subaccounts', { ...credentials, ...settingsOf(options) }),
        'sallyport connector subaccount list shows it; sallyport connector subaccount set <id> changes it',
      )
      printer.result({ outcome: 'added', ...added }, () =>
        [
          `${fullName(added)} added; its tunnel is ${added.tunnel.state}.`,
          'Next: expose a system with: sallyport mapping add <virtual host:port> <http://internal host:port>',
        ].join('\n'),
      )
    })
  })

  addSettings(
    addAdministrationOptions(
      subaccount.command('set').description('change what is configured for a subaccount').argument('[subaccount]', chosen),
    ),
  ).action(async (named: string | undefined, options: SettingOptions, command: Command) => {
    const settings = settingsOf(options)
    if (Object.keys(settings).length === 0)
      throw usageError('nothing to change; name --location, --display-name, --description or --auto-renew')
    await changing(command, named, 'changed', async (administration, key) => {
      requireAdministered(administration, `the entry of ${key.subaccount} in connectors`, {
        ...(options.location === undefined ? {} : { locationId: options.location }),
        ...(options.description === undefined ? {} : { description: options.description }),
      })
      await administration.send('PUT', subaccountPath(key), settings)
    })
  })

  for (const [name, connected] of [
    ['connect', true],
    ['disconnect', false],
  ] as const)
    addAdministrationOptions(
      subaccount
        .command(name)
        .description(
          connected
            ? 'open the tunnel of a subaccount, now and after every start'
            : 'cut the tunnel of a subaccount, until it is connected again',
        )
        .argument('[subaccount]', chosen),
    ).action(async (named: string | undefined, _options: unknown, command: Command) => {
      await changing(command, named, `${name}ed`, async (administration, key) => {
        requireAdministered(administration, 'connectors', connected ? [{ subaccount: key.subaccount }] : undefined)
        await administration.send('PUT', `${subaccountPath(key)}/state`, { connected })
        if (!connected) return
        const { tunnel } = await show(administration, key)
        if (tunnel.state !== 'Connected')
          throw new ConnectivityError(
            'TUNNEL_NOT_OPENED',
            `the tunnel of ${fullName(key)} is ${tunnel.state} after some seconds; it is tried again`,
            {
              details: { next: 'sallyport connector status' },
            },
          )
      })
    })

  addAdministrationOptions(
    subaccount
      .command('remove')
      .description('cut the tunnel of a subaccount, and forget its certificate, mappings and channels')
      .argument('<subaccount>', '<id>, or <id>@<region host>'),
  ).action(async (named: string, _options: unknown, command: Command) => {
    await changing(command, named, 'removed', async (administration, key) => {
      requireAdministered(administration, 'connectors', undefined)
      await administration.send('DELETE', subaccountPath(key))
    })
  })
}

const chosen = '<id>, or <id>@<region host>; not needed where there is one only'

function addSettings(command: Command): Command {
  return command
    .option('--location <id>', 'location ID, which tells connectors of one subaccount apart')
    .option('--display-name <text>', 'how the subaccount is called here')
    .option('--description <text>', 'of the subaccount')
    .option('--auto-renew', 'renew its certificate by itself')
    .option('--no-auto-renew', 'leave that to people')
}

function settingsOf({ autoRenew, description, displayName, location }: SettingOptions): Readonly<Record<string, unknown>> {
  return {
    ...(location === undefined ? {} : { locationID: location }),
    ...(displayName === undefined ? {} : { displayName }),
    ...(description === undefined ? {} : { description }),
    ...(autoRenew === undefined ? {} : { autoCertRenewal: autoRenew }),
  }
}

async function readCredentials(options: AddOptions): Promise<Readonly<Record<string, string>>> {
  const { authenticationData, cloudPasswordFile, cloudUser, codeFile, id, region } = options
  if (authenticationData !== undefined)
    return { authenticationData: (await readSecretFile('--authentication-data', authenticationData)).trim() }
  if (region === undefined || id === undefined)
    throw usageError('name --authentication-data <file>, or --region <host> and --id <subaccount>')
  const place = { regionHost: region, subaccount: id }
  if (cloudUser !== undefined) {
    if (cloudPasswordFile === undefined) throw usageError('--cloud-user goes with --cloud-password-file <file>')
    return { ...place, cloudUser, cloudPassword: await readSecretFile('--cloud-password-file', cloudPasswordFile) }
  }
  const { code } = await readPairingCode(codeFile === undefined ? {} : { codeFile }, process.env)
  if (code === undefined) throw usageError('name --code-file <file>, or --cloud-user and --cloud-password-file')
  return { ...place, cloudUser: passcodeUser, cloudPassword: code }
}

async function changing(
  command: Command,
  named: string | undefined,
  outcome: string,
  change: (administration: Administration, key: ListedSubaccount) => Promise<void>,
): Promise<void> {
  await administering(command, async (administration, printer) => {
    const key = await chooseSubaccount(administration, named)
    await change(administration, key)
    printer.result({ regionHost: key.regionHost, subaccount: key.subaccount, outcome }, () => `${fullName(key)} ${outcome}.`)
  })
}

function show(administration: Administration, key: ListedSubaccount): Promise<ShownSubaccount> {
  return administration.get(subaccountPath(key))
}

function moment(timeStamp: number): string {
  return timeStamp === 0 ? '–' : new Date(timeStamp).toISOString()
}
