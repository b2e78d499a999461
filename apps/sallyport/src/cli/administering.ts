import { readFileSync } from 'node:fs'
import { ConnectivityError } from '@sallyport/core'
import { type Command, Option } from 'commander'
import type { Administration } from '../connector-client/administration.ts'
import { askControl, findRunning } from '../control/control-client.ts'
import { usageError } from '../output/exit-code.ts'
import type { Printer } from '../output/printer.ts'
import type { ConnectorSession } from '../stack/connector-session.ts'
import { startOf } from './connector-reports.ts'
import { type CommandContext, createContext } from './context.ts'
import { askHidden, readSecretFile } from './secret-input.ts'

/** Which connector, and as whom; without any of them the one of the data folder, as the user of the operating system. */
export interface AdministrationOptions {
  readonly url?: string
  readonly user?: string
  readonly passwordFile?: string
  readonly certificate?: string
}

const passwordVariable = 'SALLYPORT_CONNECTOR_PASSWORD'

/** Adds them. */
export function addAdministrationOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--url <url>', 'administration of a connector on another machine, such as https://host:8443').env(
        'SALLYPORT_CONNECTOR_URL',
      ),
    )
    .addOption(new Option('--user <name>', 'log on as this user instead').env('SALLYPORT_CONNECTOR_USER'))
    .option('--password-file <file>', `file with the password, "-" for standard input; or set ${passwordVariable}`)
    .addOption(
      new Option('--certificate <file>', 'PEM of the certificate that the administration shows, or of its authority').env(
        'SALLYPORT_CONNECTOR_CERTIFICATE',
      ),
    )
}

/** Opens the administration, does the work of a command, and logs off. */
export async function administering(
  command: Command,
  work: (administration: Administration, printer: Printer) => Promise<void>,
): Promise<void> {
  const context = createContext(command)
  await using administration = await open(command, context)
  await work(administration, context.printer)
}

async function open(command: Command, context: CommandContext): Promise<Administration> {
  const options = command.optsWithGlobals<AdministrationOptions>()
  const { logOn, openAdministration } = await import('../connector-client/administration.ts')
  const { createPinnedCaller } = await import('../connector-client/pinned-call.ts')
  const { url, user } = options
  if (url === undefined && user === undefined) {
    if (options.passwordFile !== undefined) throw usageError('--password-file goes with --user')
    // A variable of the environment serves other commands as well.
    if (command.getOptionValueSourceWithGlobals('certificate') === 'cli') throw usageError('--certificate goes with --url or --user')
    const local = await askLocally<ConnectorSession>(context, {})
    return await openAdministration(createPinnedCaller(local.url, local.certificate), local.url, local)
  }
  const password = await readPassword(options, context)
  const named = options.certificate === undefined ? undefined : readCertificate(options.certificate)
  const place =
    url === undefined
      ? await askLocally<Pick<ConnectorSession, 'url' | 'certificate'>>(context, { logOn: false })
      : remote(url, named, context)
  const call = createPinnedCaller(place.url, named ?? place.certificate)
  return await openAdministration(call, place.url, await logOn(call, user ?? 'Administrator', password))
}

/** Asks the connector that runs with the data folder. */
async function askLocally<Answer>({ folder }: CommandContext, argument: { readonly logOn?: false }): Promise<Answer> {
  const record = await findRunning(folder(), 'connector')
  if (record !== undefined) return await askControl<Answer>(record, 'connector-session', argument)
  throw new ConnectivityError('SERVICE_UNAVAILABLE', `no connector is running with the data in ${folder().path}`, {
    details: { next: `start it with: ${startOf(folder())}, or name its data folder with --data, or another machine with --url` },
  })
}

/** What is trusted on another machine: the certificate that is named, else the authority of this installation. Never whatever is shown. */
function remote(url: string, named: string | undefined, { folder }: CommandContext): Pick<ConnectorSession, 'url' | 'certificate'> {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '')
    throw usageError(`--url "${url}" is no https URL without user`)
  const certificate = named ?? folder().read('ca.crt')
  if (certificate === undefined)
    throw usageError('name the certificate of the administration with --certificate <file>; without it nobody knows who answers')
  return { url: parsed.origin, certificate }
}

async function readPassword(
  { passwordFile, user = 'Administrator' }: AdministrationOptions,
  { environment, printer }: CommandContext,
): Promise<string> {
  if (passwordFile !== undefined) return await readSecretFile('--password-file', passwordFile)
  const given = environment[passwordVariable] ?? (printer.json ? undefined : await askHidden(`Password of ${user}: `))
  if (given !== undefined) return given
  throw usageError(`the password of ${user} is missing: --password-file <file>, or ${passwordVariable}`)
}

function readCertificate(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usageError(`--certificate "${file}" cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`)
  }
}

/**
 * Refuses a change where a file decides, and says how the change would look there. `entry` is the form of the file; `undefined` where something is to be taken
 * out.
 */
export function requireAdministered({ session }: Administration, where: string, entry: unknown): void {
  const { configuredBy } = session
  if (configuredBy === undefined) return
  const next =
    entry === undefined
      ? `take it out of ${where}`
      : `write it below ${where}:\n        ${Array.isArray(entry) ? entry.map((each) => `- ${JSON.stringify(each)}`).join('\n        ') : JSON.stringify(entry)}`
  throw new ConnectivityError('ACCESS_DENIED', `${configuredBy} configures this connector, and nothing else changes it`, {
    details: { next: `in ${configuredBy}, ${next}` },
  })
}
