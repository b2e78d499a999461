import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { isAbsolute, join, resolve } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { usageError } from '../output/exit-code.ts'
import { explainHiddenProgram, fitsUnit, formatConnectorUnit, unitMark } from '../systemd/connector-unit.ts'
import { createContext } from './context.ts'
import { parseOffset } from './dev.ts'

interface ServiceOptions {
  readonly name: string
  readonly config?: string
  readonly portOffset: string
  readonly program?: string
  readonly unitFolder: string
  readonly now?: boolean
}

/** `connector service print|install|uninstall`: the connector as a service of systemd. */
export function addConnectorServiceCommand(connector: Command): void {
  const service = connector.command('service').description('on premise: run the connector as a hardened service of systemd')
  const settings = (command: Command): Command =>
    command
      .option('--name <name>', 'name of the service and of its folder below /var/lib', 'sallyport-connector')
      .option('--config <file>', 'configuration file; without one the connector is administered')
      .option('--port-offset <n>', 'move every port that the configuration does not set', '0')
      .option('--program <path>', 'the sallyport command that the service runs (default: this one)')

  settings(service.command('print').description('print the unit')).action(
    async (options: Omit<ServiceOptions, 'unitFolder'>, command: Command) => {
      const { printer, workingFolder } = createContext(command)
      const { hidden, text } = await unitOf(options, workingFolder)
      if (hidden !== undefined) printer.note(`${hidden}; ${installElsewhere}`)
      printer.resultForElsewhere({ unit: text, ...(hidden === undefined ? {} : { hidden }) }, () => text)
    },
  )

  settings(service.command('install').description('write the unit, as root'))
    .option('--now', 'also start it, again if it runs, and at every start of the machine')
    .option('--unit-folder <folder>', 'where units lie', '/etc/systemd/system')
    .action(async (options: ServiceOptions, command: Command) => {
      const { printer, workingFolder } = createContext(command)
      const { hidden, text } = await unitOf(options, workingFolder)
      if (hidden !== undefined) throw new ConnectivityError('CONFIGURATION_INVALID', hidden, { details: { next: installElsewhere } })
      const file = unitFileOf(options)
      if (existsSync(file)) requireOwn(file)
      await writeUnit(file, text)
      const live = isLive(options)
      if (live) systemctl('daemon-reload')
      if (live && options.now === true) {
        systemctl('enable', unitNameOf(options))
        // One that runs goes on with its old unit and its old credentials otherwise; one that does not is started.
        systemctl('restart', unitNameOf(options))
      }
      printer.resultForElsewhere({ unit: file, started: live && options.now === true }, () =>
        [
          `${file} is written.`,
          `State:     /var/lib/${options.name} (below /var/lib/private while a user of its own holds it)`,
          live && options.now === true
            ? 'It has been started with it.'
            : `Start it:  systemctl enable ${options.name} && systemctl restart ${options.name}`,
          ...(options.config === undefined ? [`Password:  /var/lib/${options.name}/connector/initial-password`] : []),
        ].join('\n'),
      )
    })

  service
    .command('uninstall')
    .description('stop the service and remove its unit, as root; what it keeps stays')
    .option('--name <name>', 'name of the service', 'sallyport-connector')
    .option('--unit-folder <folder>', 'where units lie', '/etc/systemd/system')
    .action((options: Pick<ServiceOptions, 'name' | 'unitFolder'>, command: Command) => {
      const { printer } = createContext(command)
      const file = unitFileOf(options)
      if (!existsSync(file))
        throw new ConnectivityError('NOT_FOUND', `there is no ${file}`, { details: { next: 'name the service with --name' } })
      requireOwn(file)
      if (isLive(options)) systemctl('disable', '--now', unitNameOf(options))
      attempt(file, () => rmSync(file))
      if (isLive(options)) systemctl('daemon-reload')
      printer.resultForElsewhere({ removed: file, kept: `/var/lib/${options.name}` }, () =>
        [`${file} is removed.`, `Its folder stays: /var/lib/${options.name}, or /var/lib/private/${options.name}.`].join('\n'),
      )
    })
}

const installElsewhere =
  'clone and build it in /opt/sallyport as root, and call this command there: docs/connector-administration.md, "As a service"'

async function unitOf(
  options: Omit<ServiceOptions, 'unitFolder'>,
  workingFolder: string,
): Promise<{ readonly text: string; readonly hidden: string | undefined }> {
  requireName(options.name)
  const portOffset = parseOffset(options.portOffset)
  const program = programOf(options.program)
  const configuration = options.config === undefined ? undefined : resolve(workingFolder, options.config)
  for (const path of [...program, ...(configuration === undefined ? [] : [configuration])])
    if (!fitsUnit(path))
      throw usageError(`${JSON.stringify(path)} cannot stand in a unit; it has control characters, or ends in a blank or a backslash`)
  let files: readonly string[] = []
  if (configuration !== undefined) {
    const { requireConfiguration } = await import('../configuration/read-configuration.ts')
    const { referencedFiles } = await import('../systemd/referenced-files.ts')
    files = referencedFiles(requireConfiguration(configuration))
  }
  return {
    text: formatConnectorUnit({ name: options.name, program, portOffset, configuration, referencedFiles: files }),
    // A link may lie where the service sees it, and lead to where it does not.
    hidden: explainHiddenProgram([...program, ...program.map(withoutLinks)]),
  }
}

/** As it is, where nothing is there yet. */
function withoutLinks(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/** Links are followed: that of `npm` leads to the script, and its folder may be hidden where the link is not. */
function programOf(given: string | undefined): readonly string[] {
  if (given === undefined) return [process.execPath, realpathSync(process.argv[1] ?? '')]
  if (!isAbsolute(given)) throw usageError(`--program "${given}" is not an absolute path`)
  return [given]
}

function requireName(name: string): void {
  if (!/^[a-z][\w-]{0,63}$/.test(name))
    throw usageError(`--name "${name}" is no name of a service; it has lower case letters, digits, _ and -`)
}

function unitNameOf({ name }: Pick<ServiceOptions, 'name'>): string {
  return `${name}.service`
}

function unitFileOf(options: Pick<ServiceOptions, 'name' | 'unitFolder'>): string {
  requireName(options.name)
  return join(resolve(options.unitFolder), unitNameOf(options))
}

/** @throws ConnectivityError `CONFIGURATION_INVALID` for a unit that somebody else wrote. */
function requireOwn(file: string): void {
  if (readFileSync(file, 'utf8').startsWith(unitMark)) return
  throw new ConnectivityError('CONFIGURATION_INVALID', `${file} was not written by this command, and stays as it is`, {
    details: { next: 'choose another --name, or remove that file' },
  })
}

/** Whether systemd runs and reads this folder; in an image or a chroot there is nobody to tell. */
function isLive({ unitFolder }: Pick<ServiceOptions, 'unitFolder'>): boolean {
  return resolve(unitFolder) === '/etc/systemd/system' && existsSync('/run/systemd/system')
}

async function writeUnit(file: string, text: string): Promise<void> {
  const { writeFileAtomically } = await import('../stack/data-folder.ts')
  // Not secret, and readable for everybody as other units are.
  attempt(file, () => writeFileAtomically(file, text, 0o644))
}

function attempt(file: string, work: () => void): void {
  try {
    work()
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException
    throw new ConnectivityError('STORE_FAILED', `${file} cannot be changed (${code})`, {
      cause,
      details: { next: 'run this command as root' },
    })
  }
}

function systemctl(...words: readonly string[]): void {
  try {
    execFileSync('systemctl', words, { stdio: ['ignore', 'ignore', 'pipe'], timeout: systemctlMs })
  } catch (cause) {
    const unit = words.find((word) => word.endsWith('.service'))
    const said = (cause as { readonly stderr?: Buffer }).stderr?.toString('utf8').trim().slice(0, 500) ?? ''
    throw new ConnectivityError('SERVICE_UNAVAILABLE', `systemctl ${words.join(' ')} failed: ${said}`, {
      cause,
      details: { next: unit === undefined ? 'systemctl status says more' : `journalctl -u ${unit} says more` },
    })
  }
}

/** Longer than a start or an end of the service may take. */
const systemctlMs = 150_000
