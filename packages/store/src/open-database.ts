import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { busyTimeoutMs } from './limits.ts'
import { createNodeSqliteDialect } from './sqlite-dialect.ts'
import { storeFailed } from './store-errors.ts'

/** A database that has been opened, of either kind; for users that only hand it on. */
export type Database<Schema> = Kysely<Schema>

/**
 * Opens the database in `file`, or a private one in memory for `':memory:'`, and creates file and folder when missing.
 *
 * A write that has been acknowledged survives a kill and a power cut (write-ahead log, `fsync` on every commit). Several processes may open the same file;
 * they wait for each other up to {@link busyTimeoutMs}. Within one process open a file once and share the result: statements are synchronous, so a second
 * connection that waited for the first would keep it from ever finishing. The file is readable for its owner alone. The caller ends it with `destroy()`.
 *
 * @throws ConnectivityError `STORE_FAILED` when the file cannot be opened or is not a database.
 */
export function openDatabase<Schema>(file: string): Kysely<Schema> {
  let database: DatabaseSync | undefined
  try {
    if (file !== ':memory:') keepPrivate(file)
    database = new DatabaseSync(file, { timeout: busyTimeoutMs, enableForeignKeyConstraints: true })
    const mode = database.prepare('pragma journal_mode = wal').get()?.['journal_mode']
    if (mode !== 'wal' && file !== ':memory:') throw new Error('the file system offers no shared memory for a write-ahead log')
    database.exec('pragma synchronous = full')
    return new Kysely<Schema>({ dialect: createNodeSqliteDialect(database) })
  } catch (error) {
    if (database?.isOpen === true) database.close()
    throw storeFailed(`opening the database ${file}`, error)
  }
}

/** The write-ahead log and its index take their mode from the main file, so that is the one to restrict, before anything is written. */
function keepPrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}
