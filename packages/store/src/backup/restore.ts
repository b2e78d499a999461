import { type Clock, ConnectivityError } from '@sallyport/core'
import { type Kysely, sql, type Transaction } from 'kysely'
import { createDataKeys } from '../keys/data-keys.ts'
import { dataKeyPart } from '../keys/key-tables.ts'
import { isPostgres } from '../database-kind.ts'
import { rowsPerWalk } from '../limits.ts'
import { executedSteps, migrateWithin, migrationTables } from '../migrate.ts'
import { reseal } from '../reseal.ts'
import { createSealer, type SealKeys } from '../sealer.ts'
import { applicationName } from '../postgres-pool.ts'
import { addAttempt } from '../store-errors.ts'
import { openArchive, type OpenArchive } from './archive-file.ts'
import type { ArchiveLine, ArchiveValue } from './archive-line.ts'
import type { ArchiveLock } from './archive-lock.ts'
import type { DatabasePart, PartedDatabase } from './parted-database.ts'

/** What a backup was found to hold. */
export interface ArchiveContent {
  readonly files: Readonly<Record<string, string>>
  /** Rows by table. */
  readonly tables: Readonly<Record<string, number>>
  /** The keys that its values are sealed with, when they are inside. */
  readonly keys: SealKeys | undefined
}

/** Reads a backup from its beginning to its end. @throws ConnectivityError when anything of it is damaged or missing. */
export async function inspectArchive(file: string, lock: ArchiveLock): Promise<ArchiveContent> {
  return inspect(await openArchive(file, lock))
}

async function inspect(archive: OpenArchive): Promise<ArchiveContent> {
  const files: Record<string, string> = {}
  const tables: Record<string, number> = {}
  let keys: SealKeys | undefined
  let table = ''
  let [rows, end] = [0, -1]
  for await (const line of archive.lines()) {
    if ('row' in line) {
      tables[table] = (tables[table] ?? 0) + 1
      rows += 1
    } else if ('table' in line) table = line.table
    else if ('file' in line) files[line.file] = line.content
    else if ('end' in line) end = line.end.rows
    else if ('keys' in line)
      keys = {
        current: Buffer.from(line.keys.current, 'base64'),
        previous: line.keys.previous.map((key) => Buffer.from(key, 'base64')),
      }
  }
  if (rows !== end) throw new ConnectivityError('MESSAGE_INVALID', `the backup is damaged: it should hold ${end} rows and holds ${rows}`)
  return { files, tables, keys }
}

/**
 * Puts a backup into databases: all of it or, per database, nothing. The backup is read to its end first. One of an earlier version gets the steps that
 * have been added since; values are sealed again with the keys of this installation.
 *
 * Nobody else may use the databases meanwhile: services keep things in memory.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when a database holds something and `replace` is not set, `VERSION_UNSUPPORTED` when a newer version has
 * written the backup, `MESSAGE_INVALID` when it is damaged, `STORE_FAILED` when something cannot be written or does not open.
 */
export async function restore(options: {
  readonly file: string
  readonly databases: readonly PartedDatabase[]
  readonly keys: SealKeys
  readonly lock: ArchiveLock
  readonly replace: boolean
}): Promise<ArchiveContent> {
  const { file, databases, keys, lock, replace } = options
  const archive = await openArchive(file, lock)
  const content = await inspect(archive)
  const found = content.keys === undefined ? [] : [content.keys.current, ...(content.keys.previous ?? [])]
  const master = createSealer({ current: keys.current, previous: [...(keys.previous ?? []), ...found] })
  if (!replace) for (const database of databases) await requireEmpty(database.db, database.parts)
  for (const { db, parts } of databases) {
    await db.transaction().execute(async (transaction) => {
      await requireAlone(transaction)
      for (const part of parts) {
        await migrateWithin(transaction, part.migrations, part.name)
        if (!replace) await requireEmpty(transaction, [part])
        await dropPart(transaction, part)
      }
      await fill(transaction, parts, archive.lines())
      for (const part of parts) await migrateWithin(transaction, part.migrations, part.name)
      const dataKeys = parts.some(({ name }) => name === dataKeyPart)
        ? createDataKeys({ db: transaction, master, clock: oneMoment })
        : undefined
      await reseal(transaction, { tables: parts.flatMap(({ tables }) => tables), master, dataKeys })
    })
  }
  return content
}

/** Nothing that is opened on the way grows old. */
const oneMoment: Clock = { now: () => 0, elapsed: () => 0, after: () => () => {} }

/** Best effort: a service that has had nothing to do for a while has no connection. */
async function requireAlone<Schema>(transaction: Transaction<Schema>): Promise<void> {
  if (!isPostgres(transaction)) return
  const { rows } = await sql<{ others: number }>`select count(*) as others from pg_stat_activity
    where datname = current_database() and application_name = ${applicationName} and pid <> pg_backend_pid()`.execute(transaction)
  if ((rows[0]?.others ?? 0) > 0)
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      'a backup cannot be restored while services are connected to the database: stop them',
    )
}

async function requireEmpty<Schema>(db: Kysely<Schema>, parts: readonly DatabasePart[]): Promise<void> {
  const existing = new Set((await db.introspection.getTables()).map(({ name }) => name))
  for (const { name } of parts.flatMap(({ tables }) => tables)) {
    if (!existing.has(name)) continue
    const { rows } = await sql`select 1 from ${sql.table(name)} limit 1`.execute(db)
    if (rows.length > 0)
      throw new ConnectivityError(
        'CONFIGURATION_INVALID',
        `the database holds data already (table ${name}), which a restore would throw away`,
        { details: { next: 'back it up; then add --replace' } },
      )
  }
}

/** Afterwards the part has never been there. */
async function dropPart<Schema>(transaction: Transaction<Schema>, { name, tables }: DatabasePart): Promise<void> {
  for (const table of tables.toReversed()) await transaction.schema.dropTable(table.name).execute()
  await sql`delete from ${sql.table(migrationTables(name).table)}`.execute(transaction)
}

/** Makes each part of ours as it was in the backup, and puts the rows in. Parts of other databases are passed over.
 * @throws ConnectivityError `MESSAGE_INVALID` for rows of anything but the tables that a part had. */
async function fill<Schema>(
  transaction: Transaction<Schema>,
  parts: readonly DatabasePart[],
  lines: AsyncIterable<ArchiveLine>,
): Promise<void> {
  let ours: ReadonlyMap<string, readonly string[]> | undefined
  let target: { readonly table: string; readonly columns: readonly string[] } | undefined
  let rows: (readonly ArchiveValue[])[] = []
  const flush = async (): Promise<void> => {
    if (target === undefined || rows.length === 0) return
    const values = rows.map((row) => sql`(${sql.join(row)})`)
    const columns = sql.join(target.columns.map((column) => sql.ref(column)))
    await sql`insert into ${sql.table(target.table)} (${columns}) values ${sql.join(values)}`.execute(transaction)
    rows = []
  }
  for await (const line of lines) {
    if ('row' in line) {
      if (ours === undefined) continue
      if (target === undefined || line.row.length !== target.columns.length)
        throw damaged('a row belongs to no table, or has too few or too many values')
      rows.push(line.row)
      if (rows.length >= rowsPerWalk) await flush()
      continue
    }
    await flush()
    if ('part' in line) {
      const part = parts.find(({ name }) => name === line.part)
      ours = part === undefined ? undefined : await makeAsItWas(transaction, part, line.steps)
      target = undefined
    } else if ('table' in line && ours !== undefined) {
      const columns = ours.get(line.table)
      // Any other table of the database may be somebody else's, or decide what is done next.
      if (columns === undefined) throw damaged(`it holds rows of the table "${line.table}", which its part did not have`)
      if (
        line.columns.length === 0 ||
        new Set(line.columns).size !== line.columns.length ||
        line.columns.some((column) => !columns.includes(column))
      )
        throw damaged(`the table ${line.table} did not have the columns that it names`)
      target = line
    }
  }
}

/** @returns the tables that it had, with their columns */
async function makeAsItWas<Schema>(
  transaction: Transaction<Schema>,
  part: DatabasePart,
  steps: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const before = new Set((await transaction.introspection.getTables()).map(({ name }) => name))
  const unknown = steps.filter((step) => !Object.hasOwn(part.migrations, step))
  if (unknown.length > 0)
    throw new ConnectivityError(
      'VERSION_UNSUPPORTED',
      `a newer version has written the backup: it knows the step ${unknown.join(', ')} of ${part.name}`,
    )
  const then = Object.fromEntries(Object.entries(part.migrations).filter(([step]) => steps.includes(step)))
  await migrateWithin(transaction, then, part.name).catch((error: unknown) => {
    throw addAttempt(`making the tables of ${part.name} as they were`, error)
  })
  if ((await executedSteps(transaction, part.name)).length !== steps.length)
    throw new ConnectivityError('MESSAGE_INVALID', `the backup names steps of ${part.name} twice`)
  const made = (await transaction.introspection.getTables()).filter(({ name }) => !before.has(name))
  return new Map(made.map(({ name, columns }) => [name, columns.map((column) => column.name)]))
}

function damaged(how: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `the backup is damaged: ${how}`)
}
