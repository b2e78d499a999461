import { type Kysely, sql, type Transaction } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { isPostgres } from './database-kind.ts'
import { oldestPostgres } from './limits.ts'
import { storeFailed } from './store-errors.ts'

/** Steps by name; they run once each, in the order of their names, so names start with a number: `0001-destinations`. */
export type Migrations = Readonly<Record<string, Migration>>

/**
 * Brings the schema up to date, forward only. All pending steps of one call become visible together or not at all, also when the process is killed
 * half-way; processes that start at the same time do it one after the other, on whichever machines they are.
 *
 * `part` names whose tables these are. Parts that share one database keep separate lists, so that each may add steps without regard to the others.
 *
 * @throws ConnectivityError `STORE_FAILED` when a step fails, when the database was written by a newer version whose steps are unknown here, or when the
 * server is older than PostgreSQL 15 or does not keep text as UTF-8.
 */
export async function migrate<Schema>(db: Kysely<Schema>, migrations: Migrations, options: { readonly part?: string } = {}): Promise<void> {
  if (isPostgres(db)) await checkServer(db)
  try {
    await db.transaction().execute((transaction) => migrateWithin(transaction, migrations, options.part))
  } catch (error) {
    throw storeFailed('migrating the database', error)
  }
}

/** As {@link migrate}, as a part of a larger change. Waits for others that migrate. */
export async function migrateWithin<Schema>(
  transaction: Transaction<Schema>,
  migrations: Migrations,
  part: string | undefined,
): Promise<void> {
  const { table, lockTable } = migrationTables(part)
  // Before anything is looked at: what is seen then is what the last one has left.
  await transaction.getExecutor().adapter.acquireMigrationLock(transaction, { lockTable, lockRowId: '' })
  const unknown = (await executedSteps(transaction, part)).filter((name) => !Object.hasOwn(migrations, name))
  if (unknown.length > 0) {
    const steps = unknown.join(', ')
    throw storeFailed(
      'migrating the database',
      `a newer version has written it (step ${steps}); run that version, or restore a backup of this one`,
    )
  }
  const migrator = new Migrator({
    db: transaction,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    migrationTableName: table,
    migrationLockTableName: lockTable,
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName
  throw storeFailed(failed === undefined ? 'migrating the database' : `migrating the database, step ${failed}`, error)
}

/** Names of the steps of a part that have been run, in their order; none in an empty database. */
export async function executedSteps<Schema>(db: Kysely<Schema>, part?: string): Promise<readonly string[]> {
  const { table } = migrationTables(part)
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === table)) return []
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(table)}`.execute(db)
  return rows.map(({ name }) => name).toSorted()
}

/** Where it is kept which steps have been run. */
export function migrationTables(part: string | undefined): { readonly table: string; readonly lockTable: string } {
  const table = part === undefined ? 'migrations' : `migrations_${part.replaceAll('-', '_')}`
  return { table, lockTable: `${table}_lock` }
}

async function checkServer<Schema>(db: Kysely<Schema>): Promise<void> {
  const { rows } = await sql<{ version: string; encoding: string }>`
    select current_setting('server_version_num') as version, current_setting('server_encoding') as encoding`.execute(db)
  const { version = '0', encoding = '' } = rows[0] ?? {}
  if (Number(version) < oldestPostgres)
    throw storeFailed('migrating the database', `the server is PostgreSQL ${Math.floor(Number(version) / 10_000)}; 15 or newer is needed`)
  if (encoding !== 'UTF8') throw storeFailed('migrating the database', `it keeps text as ${encoding}; create it with the encoding UTF8`)
}
