import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { ConnectivityError, type Logger } from '@sallyport/core'
import { type Database, type DatabasePart, migrate, openDatabase, openPostgresDatabase, type PostgresOptions } from '@sallyport/store'
import { type Configuration, resolveText } from '../configuration/configuration.ts'
import type { DataFolder } from './data-folder.ts'

/** The database of one service. With SQLite a file of its own; with PostgreSQL all services share one database and know only their tables. */
export interface CloudDatabase {
  readonly name: string
  readonly parts: readonly DatabasePart[]
}

interface StorageContext {
  readonly configuration: Configuration
  readonly folder: DataFolder
  readonly log?: Logger
}

/** How long one statement of maintenance may take: a change of a whole table, or waiting for another replica that makes one. */
const maintenanceTimeoutMs = 600_000

/** Opens the database of a service and brings its tables up to date. The caller destroys it. */
export async function openCloudDatabase<Schema>(context: StorageContext, database: CloudDatabase): Promise<Database<Schema>> {
  const { configuration } = context
  const postgres = postgresOptions(context)
  const maintenance =
    postgres === undefined ? undefined : openPostgresDatabase<Schema>({ ...postgres, statementTimeoutMs: maintenanceTimeoutMs })
  const db = postgres === undefined ? openDatabase<Schema>(sqliteFile(context, database)) : openPostgresDatabase<Schema>(postgres)
  try {
    for (const { name, migrations } of database.parts) await migrate(maintenance ?? db, migrations, { part: name })
  } catch (error) {
    await db.destroy()
    if (postgres === undefined) throw error
    throw withAdvice(error, `check storage.postgresql in ${configuration.path}, and --database`)
  } finally {
    await maintenance?.destroy()
  }
  return db
}

/** Where something can be read about the data: for people. */
export function describeStorage(context: StorageContext, database: CloudDatabase): string {
  const postgres = postgresOptions(context)
  return postgres === undefined ? sqlitePath(context, database) : postgres.url
}

/** As {@link openCloudDatabase}, for maintenance: nothing is migrated, and statements may take long. `undefined` when there is no such file yet. */
export function openForMaintenance<Schema>(
  context: StorageContext,
  database: CloudDatabase,
  options: { readonly create: boolean },
): Database<Schema> | undefined {
  const postgres = postgresOptions(context)
  if (postgres !== undefined)
    return openPostgresDatabase<Schema>({ ...postgres, maxConnections: 4, statementTimeoutMs: maintenanceTimeoutMs })
  const exists = existsSync(sqlitePath(context, database))
  return options.create || exists ? openDatabase<Schema>(sqliteFile(context, database)) : undefined
}

/** Whether all services share one database. */
export function sharesOneDatabase({ configuration }: Pick<StorageContext, 'configuration'>): boolean {
  return configuration.storage.postgresql !== undefined
}

/** As {@link sqlitePath}; the folder around it exists afterwards. */
function sqliteFile({ folder }: StorageContext, { name }: CloudDatabase): string {
  return folder.file('cloud', `${name}.db`)
}

/** For looking: whoever only asks makes nothing. */
function sqlitePath({ folder }: StorageContext, { name }: CloudDatabase): string {
  return join(folder.path, 'cloud', `${name}.db`)
}

function postgresOptions({ configuration, log }: StorageContext): PostgresOptions | undefined {
  const entry = configuration.storage.postgresql
  if (entry === undefined) return undefined
  const { password, authorities, clientCertificate } = entry
  const read = ({ file }: { readonly file: string }): string => readFileSync(resolve(dirname(configuration.path), file), 'utf8')
  return {
    url: resolveText(entry.url, configuration, process.env),
    ...(password === undefined ? {} : { password: () => resolveText(password, configuration, process.env) }),
    tls:
      entry.tls === 'off'
        ? { mode: 'off' }
        : {
            mode: 'verify',
            ...(authorities === undefined ? {} : { authorities: authorities.map(read) }),
            ...(clientCertificate === undefined
              ? {}
              : { certificate: read(clientCertificate.certificate), key: read(clientCertificate.key) }),
          },
    maxConnections: entry.maxConnections,
    connectTimeoutMs: entry.connectTimeoutSeconds * 1_000,
    statementTimeoutMs: entry.statementTimeoutSeconds * 1_000,
    ...(log === undefined ? {} : { log }),
  }
}

function withAdvice(error: unknown, next: string): unknown {
  return ConnectivityError.is(error)
    ? new ConnectivityError(error.code, error.message, { cause: error, details: { next, ...error.details } })
    : error
}
