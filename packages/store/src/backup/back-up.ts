import { ConnectivityError } from '@sallyport/core'
import { executedSteps } from '../migrate.ts'
import { walk } from '../reseal.ts'
import type { SealKeys } from '../sealer.ts'
import { writeArchive } from './archive-file.ts'
import type { ArchiveLine, ArchiveValue } from './archive-line.ts'
import type { ArchiveLock } from './archive-lock.ts'
import type { PartedDatabase } from './parted-database.ts'

/** What a backup holds. */
export interface BackupSummary {
  readonly bytes: number
  /** Rows by table. */
  readonly tables: Readonly<Record<string, number>>
}

/**
 * Writes a backup while services go on: each database as it is at one moment. It restores into either kind of database. Values stay sealed inside; under a
 * password the archive also holds the keys, so that password and file are all that is needed.
 *
 * @throws ConnectivityError `STORE_FAILED` when a database does not have the schema of this version, or the file cannot be written.
 */
export async function backUp(options: {
  readonly file: string
  readonly databases: readonly PartedDatabase[]
  readonly keys: SealKeys
  readonly lock: ArchiveLock
  /** Files that belong to the installation, by name. */
  readonly files: Readonly<Record<string, string>>
  readonly nowMs: number
  readonly writtenBy: string
}): Promise<BackupSummary> {
  const { file, databases, keys, lock, files, nowMs, writtenBy } = options
  const tables: Record<string, number> = {}

  async function* lines(): AsyncGenerator<ArchiveLine> {
    if (lock.kind === 'password') {
      const [current, ...previous] = [keys.current, ...(keys.previous ?? [])].map((key) => key.toString('base64'))
      yield { keys: { current: current ?? '', previous } }
    }
    for (const [name, content] of Object.entries(files)) yield { file: name, content }
    for (const database of databases) yield* linesOf(database, tables)
    yield { end: { rows: Object.values(tables).reduce((sum, rows) => sum + rows, 0) } }
  }

  const bytes = await writeArchive(file, lines(), { lock, createdAtMs: nowMs, writtenBy })
  return { bytes, tables }
}

/** One transaction, which the consumer keeps open by taking line after line. */
async function* linesOf({ db, parts }: PartedDatabase, counted: Record<string, number>): AsyncGenerator<ArchiveLine> {
  const transaction = await db.startTransaction().setAccessMode('read only').setIsolationLevel('repeatable read').execute()
  try {
    for (const { name, migrations, tables } of parts) {
      const steps = await executedSteps(transaction, name)
      // A service that has never run with this database has left nothing.
      if (steps.length === 0) continue
      const expected = Object.keys(migrations).toSorted()
      if (steps.join() !== expected.join())
        throw new ConnectivityError('STORE_FAILED', `the tables of ${name} are not those of this version: run "sallyport db migrate" first`)
      yield { part: name, steps }
      for (const table of tables) {
        counted[table.name] = 0
        let columns: readonly string[] | undefined
        for await (const row of walk(transaction, table)) {
          if (columns === undefined) {
            columns = Object.keys(row)
            yield { table: table.name, columns }
          }
          counted[table.name] = (counted[table.name] ?? 0) + 1
          yield { row: columns.map((column): ArchiveValue => row[column] ?? null) }
        }
      }
    }
  } finally {
    await transaction.rollback().execute()
  }
}
