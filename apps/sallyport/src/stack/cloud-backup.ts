import { existsSync } from 'node:fs'
import { ConnectivityError } from '@sallyport/core'
import { type ArchiveLock, backUp, type BackupSummary, type Database, inspectArchive, type PartedDatabase, restore } from '@sallyport/store'
import { readControlRecords } from '../control/control-record.ts'
import { version } from '../version.ts'
import { type CloudDatabase, openForMaintenance, sharesOneDatabase } from './cloud-database.ts'
import { masterKeys } from './master-keys.ts'
import type { PartContext } from './part.ts'
import { roles } from './part.ts'

/** What maintenance of all databases works on. */
export type MaintenanceContext = Pick<PartContext, 'configuration' | 'folder' | 'clock'>

/** What an installation is, beside its databases: the clients in bindings, and the authority that its own certificates come from. */
const installationFiles = ['instances.json', 'cockpit.json', 'ca.crt', 'ca.key'] as const

/** Opens every database for maintenance; with `create` also those that are not there yet. */
export async function openDatabases(
  context: MaintenanceContext,
  databases: readonly CloudDatabase[],
  options: { readonly create: boolean },
): Promise<AsyncDisposable & { readonly databases: readonly PartedDatabase[] }> {
  const opened: PartedDatabase[] = []
  if (sharesOneDatabase(context)) {
    const [first] = databases
    const db = first === undefined ? undefined : openForMaintenance<never>(context, first, options)
    if (db !== undefined) opened.push({ db, parts: databases.flatMap(({ parts }) => parts) })
  } else {
    for (const database of databases) {
      const db: Database<never> | undefined = openForMaintenance(context, database, options)
      if (db !== undefined) opened.push({ db, parts: database.parts })
    }
  }
  return {
    databases: opened,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(opened.map(({ db }) => db.destroy()))
    },
  }
}

/** Backs up every database and the files of the installation. Services may run. */
export async function backUpInstallation(
  context: MaintenanceContext,
  cloud: readonly CloudDatabase[],
  options: { readonly file: string; readonly lock: ArchiveLock | undefined; readonly replace: boolean },
): Promise<BackupSummary> {
  const { file, replace } = options
  if (!replace && existsSync(file))
    throw new ConnectivityError('CONFIGURATION_INVALID', `${file} exists already`, {
      details: { next: 'name another file, or add --force' },
    })
  await using opened = await openDatabases(context, cloud, { create: false })
  if (opened.databases.length === 0)
    throw new ConnectivityError('NOT_FOUND', `there is no database in ${context.folder.path}`, {
      details: { next: 'name the folder of the installation with --data, or its configuration with --config' },
    })
  const keys = masterKeys(context)()
  const files = Object.fromEntries(
    installationFiles.flatMap((name) => {
      const content = context.folder.read(name)
      return content === undefined ? [] : [[name, content]]
    }),
  )
  return backUp({
    file,
    databases: opened.databases,
    keys,
    lock: options.lock ?? { kind: 'master-key', keys },
    files,
    nowMs: context.clock.now(),
    writtenBy: version,
  })
}

/** Puts a backup in place of what there is. Nothing of this installation may run meanwhile. */
export async function restoreInstallation(
  context: MaintenanceContext,
  cloud: readonly CloudDatabase[],
  options: { readonly file: string; readonly lock: ArchiveLock | undefined; readonly replace: boolean },
): Promise<{ readonly tables: Readonly<Record<string, number>>; readonly files: readonly string[] }> {
  const { folder } = context
  await refuseWhileRunning(context)
  const keys = masterKeys(context)()
  const lock = options.lock ?? { kind: 'master-key', keys }
  if (!options.replace) refuseOtherFiles(context, (await inspectArchive(options.file, lock)).files)
  await using opened = await openDatabases(context, cloud, { create: true })
  const content = await restore({ file: options.file, databases: opened.databases, keys, lock, replace: options.replace })
  const files = installationFiles.filter((name) => content.files[name] !== undefined)
  // Certificates that the previous authority has signed are made anew.
  if (files.length > 0) for (const name of ['server.crt', 'server.key']) folder.remove(name)
  for (const name of files) folder.write([name], content.files[name] ?? '')
  return { tables: content.tables, files }
}

/** Of an installation that has issued certificates or bindings, the files are as hard to get back as its databases. */
function refuseOtherFiles({ folder }: MaintenanceContext, files: Readonly<Record<string, string>>): void {
  const other = installationFiles.find((name) => {
    const there = folder.read(name)
    return files[name] !== undefined && there !== undefined && there !== files[name]
  })
  if (other === undefined) return
  throw new ConnectivityError('CONFIGURATION_INVALID', `${folder.file(other)} is there already, and not the one of the backup`, {
    details: { next: 'name another folder with --data, or throw away what is there with --replace' },
  })
}

async function refuseWhileRunning({ folder }: MaintenanceContext): Promise<void> {
  const running = (await readControlRecords(folder)).filter(({ name }) =>
    name.split('+').some((part) => part !== 'connector' && (part === 'dev' || roles.some((role) => role === part))),
  )
  if (running.length === 0) return
  const names = running.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')
  throw new ConnectivityError('CONFIGURATION_INVALID', `a backup cannot be restored while services run: ${names}`, {
    details: { next: 'sallyport stop' },
  })
}
