import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely } from 'kysely'
import { busyPauseMs, busyTimeoutMs } from './limits.ts'
import { createNodeSqliteDialect } from './sqlite-dialect.ts'
import { storeFailed } from './store-errors.ts'

/** SQLITE_BUSY, https://www.sqlite.org/rescode.html#busy */
const sqliteBusy = 5

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
    const mode = useWriteAheadLog(database)
    if (mode !== 'wal' && file !== ':memory:') throw new Error('the file system offers no shared memory for a write-ahead log')
    database.exec('pragma synchronous = full')
    return new Kysely<Schema>({ dialect: createNodeSqliteDialect(database) })
  } catch (error) {
    if (database?.isOpen === true) database.close()
    throw storeFailed(`opening the database ${file}`, error)
  }
}

/**
 * Switches to the write-ahead log and returns the journal mode that is in force then. Of several processes that switch a new file at the same time all but
 * one are told at once that it is locked: SQLite does not let them wait there, because each already holds a lock that the others want. So we ask again, for
 * as long as a statement waits.
 */
function useWriteAheadLog(database: DatabaseSync): unknown {
  const until = performance.now() + busyTimeoutMs
  for (;;) {
    try {
      return database.prepare('pragma journal_mode = wal').get()?.['journal_mode']
    } catch (error) {
      if ((error as { readonly errcode?: number }).errcode !== sqliteBusy || performance.now() > until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, busyPauseMs)
    }
  }
}

/** The write-ahead log and its index take their mode from the main file, so that is the one to restrict, before anything is written. */
function keepPrivate(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
  closeSync(openSync(file, 'a', 0o600))
  chmodSync(file, 0o600)
}
