import { lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { ExportOwner, MigrationReport, OriginalAnswers, SavedAnswers } from '@sallyport/connector-administration'
import { ConnectivityError, systemClock } from '@sallyport/core'
import { type Command, Option } from 'commander'
import { exitCodes, usageError } from '../output/exit-code.ts'
import { formatTable, type Printer } from '../output/printer.ts'
import { readWholeFile, writeNewFile } from './archive-file.ts'
import { createContext } from './context.ts'
import { askHidden, readSecretFile } from './secret-input.ts'

interface MigrateOptions {
  readonly out: string
  readonly user: string
  readonly passwordFile?: string
  readonly certificate?: string
  readonly subaccount?: string
}

const passwordVariable = 'SALLYPORT_ORIGINAL_PASSWORD'

/** `config migrate-from-scc`: from an original that runs, or from what was saved of one, to files for a connector of ours. */
export function addMigrateCommand(config: Command): void {
  config
    .command('migrate-from-scc')
    .description('make a configuration of that of an SAP Cloud Connector')
    .argument('<source>', 'https://host:8443 of one that runs, or a file, a ZIP archive or a folder of what was saved of one')
    .requiredOption('--out <folder>', 'new folder for what is made')
    .option('--user <name>', 'an administrator of the original', 'Administrator')
    .option('--password-file <file>', `file with the password, "-" for standard input; or set ${passwordVariable}`)
    .option('--certificate <file>', 'PEM of the certificate that the original shows, or of its authority')
    .addOption(new Option('--subaccount <region host/id>', 'whose the mappings are, for exports that do not say so'))
    .action(async (source: string, options: MigrateOptions, command: Command) => {
      const context = createContext(command)
      const { printer, workingFolder } = context
      const out = resolve(workingFolder, options.out)
      const { migrateAnswers, migratedFiles } = await import('@sallyport/connector-administration')
      const { answers, unread } = /^https?:\/\//.test(source)
        ? { answers: await readRunning(source, options, context.environment, printer), unread: [] }
        : await readSaved(resolve(workingFolder, source), options.subaccount)
      const nowMs = systemClock.now()
      const migration = migrateAnswers(answers, { nowMs, unread })
      const { configuration, files } = migratedFiles(migration, answers, nowMs)
      const { stringify } = await import('yaml')
      makeFolder(out)
      const all = {
        'connector.yaml': stringify(configuration, { lineWidth: 0 }),
        ...files,
        'report.json': `${JSON.stringify(migration.report, undefined, 2)}\n`,
      }
      for (const [name, content] of Object.entries(all)) writeNewFile(join(out, name), content)
      printer.result({ folder: out, files: Object.keys(all), ...migration.report }, () => describe(out, migration.report))
      if (migration.report.leftOut.length > 0 || unread.length > 0) process.exitCode = exitCodes.notReady
    })
}

async function readRunning(
  address: string,
  options: MigrateOptions,
  environment: NodeJS.ProcessEnv,
  printer: Printer,
): Promise<OriginalAnswers> {
  const parsed = URL.parse(address)
  if (parsed === null || parsed.protocol !== 'https:' || parsed.username !== '' || parsed.password !== '')
    throw usageError(`"${address}" is no https URL without user`)
  if (options.certificate === undefined)
    throw usageError('name the certificate of the original with --certificate <file>; without it nobody knows who gets the password')
  const { collectOriginalAnswers } = await import('@sallyport/connector-administration')
  const { createPinnedCaller } = await import('../connector-client/pinned-call.ts')
  const given =
    options.passwordFile === undefined
      ? (environment[passwordVariable] ?? (printer.json ? undefined : await askHidden(`Password of ${options.user}: `)))
      : await readSecretFile('--password-file', options.passwordFile)
  if (given === undefined) throw usageError(`the password of ${options.user} is missing: --password-file <file>, or ${passwordVariable}`)
  const authorization = `Basic ${Buffer.from(`${options.user}:${given}`).toString('base64')}`
  using call = createPinnedCaller(parsed.origin, readWholeFile(options.certificate).toString('utf8'))
  return await collectOriginalAnswers((path, accept) => call({ method: 'GET', path, headers: { accept, authorization } }))
}

async function readSaved(source: string, subaccount: string | undefined): Promise<SavedAnswers> {
  const { readSavedAnswers } = await import('@sallyport/connector-administration')
  return readSavedAnswers(readFiles(source), ownerOf(subaccount))
}

function ownerOf(text: string | undefined): ExportOwner | undefined {
  if (text === undefined) return undefined
  const [regionHost = '', subaccount = '', ...rest] = text.split('/')
  if (regionHost === '' || subaccount === '' || rest.length > 0)
    throw usageError(`--subaccount "${text}" is not <region host>/<subaccount>`)
  return { regionHost, subaccount }
}

/** As an upload of the administration. */
const maxFileBytes = 134_217_728
const maxFiles = 10_000

/** A file, or those below a folder by their path in it. Links are not followed. */
function readFiles(source: string): ReadonlyMap<string, Buffer> {
  if (!statOf(source).isDirectory()) return new Map([[source.slice(source.lastIndexOf('/') + 1), readBounded(source)]])
  const files = new Map<string, Buffer>()
  let bytes = 0
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const content = readBounded(path)
    bytes += content.length
    files.set(path.slice(source.length + 1).replaceAll('\\', '/'), content)
    if (files.size > maxFiles || bytes > maxFileBytes)
      throw new ConnectivityError('CONFIGURATION_INVALID', `${source} holds more than ${maxFiles} files or ${maxFileBytes} bytes`)
  }
  return files
}

function readBounded(path: string): Buffer {
  const { size } = statOf(path)
  if (size > maxFileBytes) throw new ConnectivityError('CONFIGURATION_INVALID', `${path} has more than ${maxFileBytes} bytes`)
  return readFileSync(path)
}

function statOf(path: string): ReturnType<typeof lstatSync> & {} {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found !== undefined && (found.isFile() || found.isDirectory())) return found
  throw usageError(`"${path}" is neither a file nor a folder`)
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException
    throw usageError(code === 'EEXIST' ? `"${folder}" is there already; name another folder` : `"${folder}" cannot be made (${code})`)
  }
}

function describe(folder: string, { byHand, leftOut, taken, unread }: MigrationReport): string {
  const counts = Object.entries(taken).map(
    ([name, count]) => `${count} ${name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`,
  )
  const section = (title: string, notes: MigrationReport['byHand']): readonly string[] =>
    notes.length === 0
      ? []
      : [
          '',
          title,
          formatTable(
            ['WHAT', 'NOTE'],
            notes.map(({ note, what }) => [what, note]),
          ),
        ]
  return [
    `${folder} holds ${counts.join(', ')}.`,
    ...section('Left out:', leftOut),
    ...section('To be done by hand:', byHand),
    ...(unread.length === 0 ? [] : ['', `Not read: ${unread.join(', ')}`]),
    '',
    `Next, for a connector that a file configures:  sallyport config validate ${join(folder, 'connector.yaml')}`,
    'For one that is administered, add each subaccount, then:  sallyport connector config-import <subaccount-….zip>',
  ].join('\n')
}
