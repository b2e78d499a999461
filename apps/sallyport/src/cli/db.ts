import { resolve } from 'node:path'
import { ConnectivityError } from '@sallyport/core'
import type { Command } from 'commander'
import { exitCodes } from '../output/exit-code.ts'
import { formatTable } from '../output/printer.ts'
import type { CloudDatabase } from '../stack/cloud-database.ts'
import { backupPasswordVariable, readBackupLock } from './backup-password.ts'
import { createContext } from './context.ts'
import { addCustomerKeyCommand } from './customer-key.ts'
import { type ConfigOption, maintenanceContext } from './maintenance-context.ts'

interface BackupOptions extends ConfigOption {
  readonly passwordFile?: string
}

/** `db status|migrate|backup|restore|rotate|customer-key`: the databases of the cloud side, all at once. */
export function addDbCommand(program: Command): void {
  const db = program.command('db').description('look after the databases of the cloud side')
  const withConfig = (command: Command): Command => command.option('--config <file>', 'configuration file (default: sallyport.yaml)')
  const withPassword = (command: Command): Command =>
    withConfig(command).option(
      '--password-file <file>',
      `file with the password of the backup, "-" for standard input; or set ${backupPasswordVariable}. Without one the sealing key is used`,
    )

  withConfig(db.command('status').description('show where the databases are and whether their tables are up to date')).action(showStatus)
  withConfig(db.command('migrate').description('bring the tables up to date; services do so when they start')).action(migrateAll)
  withPassword(
    db
      .command('backup')
      .description('write a backup of all databases; services may run')
      .argument('<file>')
      .option('--force', 'replace a file that exists'),
  ).action(backUpAll)
  withPassword(
    db
      .command('restore')
      .description('put a backup into the databases; services must not run')
      .argument('<file>')
      .option('--replace', 'throw away what is there')
      .option('--check', 'only read the backup to its end'),
  ).action(restoreAll)
  withConfig(
    db
      .command('rotate')
      .description('change the sealing key and seal again what it seals; services may run')
      .option('--values', 'also change the keys of subaccounts, and seal every value again'),
  ).action(rotateKeys)
  addCustomerKeyCommand(db)
}

async function showStatus(options: ConfigOption, command: Command): Promise<void> {
  const { printer } = createContext(command)
  const { readDatabaseStatus } = await import('../stack/database-status.ts')
  const context = await maintenanceContext(options, command)
  const entries = await readDatabaseStatus(context, await allDatabases())
  // A service that has never run here has nothing to bring up to date.
  const ready = entries.every(({ steps, pending, unknown }) => unknown.length === 0 && (steps.length === 0 || pending.length === 0))
  printer.result({ ready, parts: entries }, () =>
    formatTable(
      ['PART', 'TABLES', 'DATABASE'],
      entries.map(({ part, steps, pending, unknown, location }) => [
        part,
        unknown.length > 0
          ? `of a newer version (${unknown.join(', ')})`
          : steps.length === 0
            ? 'not there yet'
            : pending.length === 0
              ? 'up to date'
              : `${pending.length} steps behind: sallyport db migrate`,
        location,
      ]),
    ),
  )
  if (!ready) process.exitCode = exitCodes.failed
}

async function migrateAll(options: ConfigOption, command: Command): Promise<void> {
  const { printer } = createContext(command)
  const { migrateDatabases } = await import('../stack/database-status.ts')
  const steps = await migrateDatabases(await maintenanceContext(options, command), await allDatabases())
  printer.result({ steps }, () => (steps.length === 0 ? 'Everything was up to date.' : `Done: ${steps.join(', ')}.`))
}

async function backUpAll(file: string, options: BackupOptions & { readonly force?: boolean }, command: Command): Promise<void> {
  const { printer, workingFolder, environment } = createContext(command)
  const { backUpInstallation } = await import('../stack/cloud-backup.ts')
  const lock = await readBackupLock(options.passwordFile, environment)
  const path = resolve(workingFolder, file)
  const context = await maintenanceContext(options, command)
  const { bytes, tables } = await backUpInstallation(context, await allDatabases(), { file: path, lock, replace: options.force === true })
  printer.result({ file: path, bytes, lock: lock?.kind ?? 'master-key', tables }, () => {
    const opener = lock === undefined ? 'the sealing key of this installation, which is not inside: keep it elsewhere' : 'the password'
    return `Wrote ${path}: ${rowsOf(tables)} rows of ${Object.keys(tables).length} tables, ${bytes} bytes.\nIt opens with ${opener}.`
  })
}

async function restoreAll(
  file: string,
  options: BackupOptions & { readonly replace?: boolean; readonly check?: boolean },
  command: Command,
): Promise<void> {
  const { printer, workingFolder, environment } = createContext(command)
  const lock = await readBackupLock(options.passwordFile, environment)
  const path = resolve(workingFolder, file)
  const context = await maintenanceContext(options, command)
  if (options.check === true) {
    const { inspectArchive, readArchiveHeader } = await import('@sallyport/store')
    const { existingMasterKeys } = await import('../stack/master-keys.ts')
    const { header } = await readArchiveHeader(path)
    const keys = lock === undefined ? existingMasterKeys(context) : undefined
    const opener = lock ?? (keys === undefined ? undefined : ({ kind: 'master-key', keys } as const))
    if (opener === undefined)
      throw new ConnectivityError('CONFIGURATION_INVALID', `${context.folder.path} has no sealing key to open ${path} with`, {
        details: {
          next:
            header.lock.kind === 'password'
              ? `the backup has a password: give it with --password-file, or in ${backupPasswordVariable}`
              : 'name the folder of the installation with --data, or its configuration with --config',
        },
      })
    const { tables, files } = await inspectArchive(path, opener)
    const createdAt = new Date(header.createdAtMs).toISOString()
    printer.result(
      { file: path, createdAt, writtenBy: header.writtenBy, tables, files: Object.keys(files) },
      () =>
        `${path} is whole: ${rowsOf(tables)} rows of ${Object.keys(tables).length} tables, written ${createdAt} by ${header.writtenBy}.`,
    )
    return
  }
  const { restoreInstallation } = await import('../stack/cloud-backup.ts')
  const restored = await restoreInstallation(context, await allDatabases(), { file: path, lock, replace: options.replace === true })
  printer.result(
    { file: path, ...restored },
    () => `Restored ${rowsOf(restored.tables)} rows of ${Object.keys(restored.tables).length} tables, and ${restored.files.join(', ')}.`,
  )
}

async function rotateKeys(options: ConfigOption & { readonly values?: boolean }, command: Command): Promise<void> {
  const { printer } = createContext(command)
  const { rotateSealing } = await import('../stack/rotate-sealing.ts')
  const outcome = await rotateSealing(await maintenanceContext(options, command), await allDatabases(), {
    values: options.values === true,
  })
  printer.result(outcome, () =>
    [
      outcome.madeKey
        ? 'Made a new sealing key; the previous ones stay, because backups may need them.'
        : 'The sealing key is that of the configuration.',
      `Of ${outcome.values} sealed values ${outcome.sealedAgain} were sealed again.`,
      ...(outcome.unavailable.length === 0
        ? []
        : [`Left alone, because the key of the customer is not available: ${outcome.unavailable.join(', ')}.`]),
    ].join('\n'),
  )
}

/** Loaded only here: the other commands need no service in memory. */
async function allDatabases(): Promise<readonly CloudDatabase[]> {
  const [{ tokenDatabase }, { destinationDatabase }, { connectivityDatabase }] = await Promise.all([
    import('../stack/token-service-part.ts'),
    import('../stack/destination-service-part.ts'),
    import('../stack/connectivity-proxy-part.ts'),
  ])
  return [tokenDatabase, destinationDatabase, connectivityDatabase]
}

function rowsOf(tables: Readonly<Record<string, number>>): number {
  return Object.values(tables).reduce((sum, rows) => sum + rows, 0)
}
