import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'
import type { ServerTrust } from '@sallyport/cloud-connector'
import { ConnectivityError } from '@sallyport/core'
import { type Command, Option } from 'commander'
import { askControl, requireRunning } from '../control/control-client.ts'
import { usageError } from '../output/exit-code.ts'
import { openAsOwner, serviceOf } from '../systemd/state-owner.ts'
import { addAccessTransferCommands } from './access-transfer.ts'
import { addChannelCommand } from './channel.ts'
import { addConnectorBackupCommands } from './connector-backup.ts'
import { addOnPremisesCommands } from './connector-on-premises.ts'
import { addConnectorRegionCommand } from './connector-region.ts'
import { addConnectorRoleCommand } from './connector-role.ts'
import { addConnectorServiceCommand } from './connector-service.ts'
import { addConnectorStatusCommand } from './connector-status.ts'
import { addConnectorSubaccountCommand } from './connector-subaccount.ts'
import { addConnectorUserCommand } from './connector-user.ts'
import { createContext } from './context.ts'
import { addMappingCommand } from './mapping.ts'
import { pairingCodeVariable, readPairingCode } from './pairing-code.ts'
import { addPrincipalCommand } from './principal.ts'
import { addResourceCommand } from './resource.ts'

interface InitOptions {
  readonly server?: string
  readonly code?: string
  readonly codeFile?: string
  readonly location?: string
  readonly description: string
  readonly authority?: string
  readonly fingerprint?: string
  readonly config?: string
}

interface CodeOptions {
  readonly subaccount?: string
  readonly authenticationData?: boolean
  readonly authority?: string
}

interface CodeAnswer {
  readonly code: string
  readonly expiresAtMs: number
  readonly subaccount: string
  readonly displayName: string
  readonly server: string
  readonly regionHost: string
  readonly authorities: string
}

/** `connector …`: pairing here; everything else in files of its own. */
export function addConnectorCommand(program: Command): void {
  const connector = program.command('connector').description('pair, watch and administer cloud connectors')
  addConnectorServiceCommand(connector)
  addConnectorUserCommand(connector)
  connector
    .command('code')
    .description('on the cloud side: a one-time pairing code, valid for 15 minutes')
    .option('--subaccount <id>', 'subaccount the connector will serve (default: the first one)')
    .option('--authentication-data', 'everything that adds the subaccount to an administered connector, as one text')
    .option('--authority <file>', 'PEM of the authority that signed the connectivity service, where that is not the own one')
    .action(async (options: CodeOptions, command: Command) => {
      const { printer, folder } = createContext(command)
      const authority = options.authority === undefined ? undefined : readAuthority(options.authority)
      const { authorities, displayName, regionHost, ...answer } = await askControl<CodeAnswer>(
        await requireRunning(folder(), 'connectivity-proxy'),
        'pairing-code',
        options.subaccount === undefined ? {} : { subaccount: options.subaccount },
      )
      if (options.authenticationData === true) {
        const { formatAuthenticationData } = await import('@sallyport/connector-administration')
        const { code, expiresAtMs, server, subaccount } = answer
        const data = { regionHost, subaccount, displayName, url: server, authority: authority ?? authorities, code, expiresAtMs }
        const authenticationData = formatAuthenticationData(data)
        printer.resultForElsewhere({ authenticationData, expiresAtMs, subaccount }, () => authenticationData)
        return
      }
      printer.resultForElsewhere(answer, () =>
        [
          `${answer.code}   for subaccount ${answer.subaccount}, until ${new Date(answer.expiresAtMs).toISOString()}`,
          '',
          `On the connector's machine:  sallyport connector init --server ${answer.server} --authority ca.crt`,
          'It asks for the code; without a terminal, give it with --code-file ("-" is standard input).',
          `Take ${folder().path}/ca.crt along as ca.crt, or compare the fingerprint instead (--fingerprint).`,
        ].join('\n'),
      )
    })

  connector
    .command('init')
    .description('on premise: pair this machine with a subaccount')
    .option('--server <url>', 'address of the connectivity service, such as https://cloud.example.org:8041')
    .addOption(new Option('--code-file <file>', `file with the pairing code, "-" for standard input; or set ${pairingCodeVariable}`))
    .addOption(new Option('--code <code>', 'the pairing code, for every user of this machine to see').conflicts('codeFile'))
    .option('--location <id>', 'location ID, when the subaccount has several connectors (default: that of the only connector of --config)')
    .option('--description <text>', 'shown on the cloud side', '')
    .option('--authority <file>', 'PEM file of the authority that signed the server')
    .option('--fingerprint <sha256>', "or the fingerprint of the server's certificate")
    .option('--config <file>', 'configuration file of the connector, which is checked before the code is used')
    .action(async (given: InitOptions, command: Command) => {
      const { printer, folder, environment } = createContext(command)
      const { pairConnector, saveIdentity } = await import('@sallyport/cloud-connector')
      const { openConnectorMaterial } = await import('../stack/connector-material.ts')
      // Before the code is used: it is good for one time.
      const location = given.config === undefined ? given.location : await locationOf(given.config, given.location)
      const chosen = location === undefined ? given : { ...given, location }
      const options = await askForMissing({ ...chosen, ...(await readPairingCode(given, environment)) }, printer.json)
      const server = URL.parse(options.server)
      if (server === null) throw usageError(`--server "${options.server}" is not a URL`)
      // Before anything is made: a wrong option leaves nothing behind.
      const trust = trustOf(options)
      const service = serviceOf(folder())
      const material = openConnectorMaterial(openAsOwner(folder()))
      const identity = await pairConnector({
        server,
        trust,
        code: options.code,
        connectorId: material.connectorId,
        locationId: options.location ?? '',
        description: options.description,
      })
      await saveIdentity(material.store, identity)
      const { subaccount, locationId, tunnelEndpoint } = identity
      printer.result({ subaccount, locationId, connectorId: material.connectorId, tunnelEndpoint }, () =>
        [
          `Paired with subaccount ${subaccount}, location "${locationId}". The tunnel goes to ${tunnelEndpoint}.`,
          '',
          service === undefined
            ? `Next:  sallyport serve connector --config ${options.config ?? 'connector.yaml'}`
            : `Next:  systemctl restart ${service}`,
        ].join('\n'),
      )
    })

  addConnectorRoleCommand(connector)
  addConnectorStatusCommand(connector)
  addConnectorSubaccountCommand(connector)
  addConnectorRegionCommand(connector)
  addOnPremisesCommands(connector)
  addMappingCommand(connector)
  addResourceCommand(connector)
  addChannelCommand(connector)
  addPrincipalCommand(connector)
  addAccessTransferCommands(connector)
  addConnectorBackupCommands(connector)
}

/**
 * The location ID of the connector of a file that is paired: the given one, or that of its only connector. A file without connectors leaves them to be
 * administered, with any location ID.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` where the file has no such connector, or several and none was chosen.
 */
async function locationOf(file: string, wanted: string | undefined): Promise<string | undefined> {
  const { requireConfiguration } = await import('../configuration/read-configuration.ts')
  const { connectors } = requireConfiguration(file)
  const [only, ...others] = connectors
  if (only === undefined) return wanted
  if (wanted === undefined && others.length === 0) return only.locationId
  if (connectors.some(({ locationId }) => locationId === (wanted ?? ''))) return wanted ?? ''
  const known = connectors.map(({ locationId }) => `"${locationId}"`).join(', ')
  throw new ConnectivityError('CONFIGURATION_INVALID', `${file} has no connector with the location ID "${wanted ?? ''}", but ${known}`, {
    details: { next: 'choose one of them with --location; the pairing code was not used' },
  })
}

type CompleteOptions = InitOptions & { readonly server: string; readonly code: string }

/** Asks what was not given, on a terminal only. */
async function askForMissing(options: InitOptions, json: boolean): Promise<CompleteOptions> {
  const missing = (['server', 'code'] as const).filter((name) => options[name] === undefined)
  if (missing.length === 0) return options as CompleteOptions
  if (json || !process.stdin.isTTY)
    throw usageError(
      `${missing.map((name) => (name === 'code' ? `the pairing code (--code-file, or ${pairingCodeVariable})` : 'the address of the connectivity service (--server)')).join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing, and there is no terminal to ask on`,
    )
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const server = options.server ?? (await terminal.question('Server (https://host:8041): ')).trim()
    const code = options.code ?? (await terminal.question('Pairing code: ')).trim()
    const location = options.location ?? (await terminal.question('Location ID (empty for the default): ')).trim()
    const authority =
      options.authority ?? options.fingerprint ?? (await terminal.question('File of the authority that signed the server: ')).trim()
    return { ...options, server, code, location, ...(options.fingerprint === undefined ? { authority } : {}) }
  } finally {
    terminal.close()
  }
}

/** First contact is never trusted blindly. */
function trustOf({ authority, fingerprint }: InitOptions): ServerTrust {
  if (fingerprint !== undefined) {
    if (!/^(?:sha-?256[:/])?\s*(?:[0-9a-f]{2}[:\s]*){32}$/i.test(fingerprint))
      throw usageError('--fingerprint takes the SHA-256 of a certificate, 64 hexadecimal digits')
    return { fingerprint }
  }
  if (authority === undefined || authority === '')
    throw usageError('name the authority of the server with --authority, or its certificate with --fingerprint')
  return { authorities: readAuthority(authority) }
}

function readAuthority(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `the authority ${file} cannot be read`, { cause })
  }
  requireCertificates(text, file)
  return text
}

/** @throws ConnectivityError `CONFIGURATION_INVALID` when a file holds something else than certificates. */
function requireCertificates(text: string, file: string): void {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  try {
    if (blocks.length === 0) throw new Error('there is none')
    for (const block of blocks) void new X509Certificate(block)
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `the authority ${file} is not a certificate in PEM`, {
      cause,
      details: { next: 'take ca.crt out of the data folder of the cloud side' },
    })
  }
}
