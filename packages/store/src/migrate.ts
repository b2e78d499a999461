import type { Kysely } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { storeFailed } from './store-errors.ts'

/** Steps by name; they run once each, in the order of their names, so names start with a number: `0001-destinations`. */
export type Migrations = Readonly<Record<string, Migration>>

/**
 * Brings the schema up to date, forward only. All pending steps of one call become visible together or not at all, also when the process is killed
 * half-way; two processes that start at the same time do it one after the other.
 *
 * `part` names whose tables these are. Parts that share one database keep separate lists, so that each may add steps without regard to the others.
 *
 * @throws ConnectivityError `STORE_FAILED` when a step fails, or when the database was written by a newer version whose steps are unknown here.
 */
export async function migrate<Schema>(db: Kysely<Schema>, migrations: Migrations, options: { readonly part?: string } = {}): Promise<void> {
  const prefix = options.part === undefined ? 'migrations' : `migrations_${options.part.replaceAll('-', '_')}`
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...migrations }) },
    migrationTableName: prefix,
    migrationLockTableName: `${prefix}_lock`,
  })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName
  throw storeFailed(failed === undefined ? 'migrating the database' : `migrating the database, step ${failed}`, error)
}
