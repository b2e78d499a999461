import type { SealedColumn, StoredRow, StoredTable } from '@sallyport/core'
import { type Kysely, sql } from 'kysely'
import type { DataKeys } from './data-keys.ts'
import { rowsPerWalk } from './limits.ts'
import type { MasterSealer } from './sealer.ts'
import { addAttempt } from './store-errors.ts'

/** What a change of keys has done. */
export interface ResealOutcome {
  /** Sealed values that were looked at. */
  readonly values: number
  /** Those that were sealed with another key than the current one, and are not any more. */
  readonly sealedAgain: number
}

/**
 * Seals everything again that is not sealed with the current keys: data keys and other values with the current master key, values of subaccounts with the
 * newest key of their subaccount. With `renewDataKeys` every subaccount gets a new key first, so that not only the keys but all values change.
 *
 * Services may go on meanwhile: a value that they write at the same moment stays as they wrote it. It can be broken off and called again at any time. What
 * services have read before opens as long as the previous keys are at hand.
 *
 * @throws ConnectivityError `STORE_FAILED` at the first value that does not open; what was done before stays done.
 */
export async function reseal<Schema>(
  database: Kysely<Schema>,
  options: {
    readonly tables: readonly StoredTable[]
    readonly master: MasterSealer
    readonly dataKeys: DataKeys | undefined
    readonly renewDataKeys?: boolean
  },
): Promise<ResealOutcome> {
  const { tables, dataKeys, renewDataKeys = false } = options
  const db = database as unknown as AnyDatabase
  if (renewDataKeys && dataKeys !== undefined) for (const subaccountId of await dataKeys.subaccounts()) await dataKeys.renew(subaccountId)
  let [values, sealedAgain] = [0, 0]
  for (const table of tables.filter(({ sealed }) => sealed.length > 0)) {
    for await (const row of walk(db, table)) {
      for (const column of table.sealed) {
        const text = row[column.column]
        if (typeof text !== 'string') continue
        values += 1
        const fresh = await sealedWithCurrent(text, row, column, options).catch((error: unknown) => {
          throw addAttempt(`sealing ${column.column} of ${table.name} (${table.key.map((name) => row[name]).join(', ')}) again`, error)
        })
        if (fresh !== undefined && (await replaceText(db, table, row, column.column, text, fresh))) sealedAgain += 1
      }
    }
  }
  return { values, sealedAgain }
}

type AnyDatabase = Kysely<Record<string, Record<string, string | number | null>>>

/** The text sealed with the current key; nothing when it is already. */
async function sealedWithCurrent(
  text: string,
  row: StoredRow,
  column: SealedColumn,
  { master, dataKeys }: { readonly master: MasterSealer; readonly dataKeys: DataKeys | undefined },
): Promise<string | undefined> {
  const context = column.context(row)
  if (column.subaccount === undefined || dataKeys === undefined)
    return master.isCurrent(text) ? undefined : master.seal(master.open(text, context), context)
  const subaccountId = column.subaccount(row)
  const sealer = await dataKeys.of(subaccountId, text)
  return (await dataKeys.isCurrent(subaccountId, text)) ? undefined : sealer.seal(sealer.open(text, context), context)
}

/** Only when nobody else has changed it since it was read. */
async function replaceText(
  db: AnyDatabase,
  table: StoredTable,
  row: StoredRow,
  column: string,
  text: string,
  fresh: string,
): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable(table.name)
    .set({ [column]: fresh })
    .where((build) =>
      build.and(Object.fromEntries([...table.key, column].map((name) => [name, name === column ? text : (row[name] ?? null)]))),
    )
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Every row of a table, in the order of its key, a bounded number at a time. */
export async function* walk<Schema>(db: Kysely<Schema>, table: Pick<StoredTable, 'name' | 'key'>): AsyncIterable<StoredRow> {
  const key = sql.join(table.key.map((name) => sql.ref(name)))
  let last: StoredRow | undefined
  for (;;) {
    const after = last === undefined ? sql`true` : sql`(${key}) > (${sql.join(table.key.map((name) => (last as StoredRow)[name]))})`
    const query = sql<StoredRow>`select * from ${sql.table(table.name)} where ${after} order by ${key} limit ${sql.lit(rowsPerWalk)}`
    const { rows } = await query.execute(db)
    yield* rows
    if (rows.length < rowsPerWalk) return
    last = rows.at(-1)
  }
}
