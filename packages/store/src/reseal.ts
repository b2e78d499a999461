import type { SealedColumn, Sealer, StoredRow, StoredTable } from '@sallyport/core'
import { type Kysely, sql } from 'kysely'
import type { DataKeys } from './keys/data-keys.ts'
import { rowsPerWalk } from './limits.ts'
import { parseSealedText } from './sealed-text.ts'
import type { MasterSealer } from './sealer.ts'
import { isKeyFailure } from './keys/wrapping-key.ts'
import { addAttempt } from './store-errors.ts'

/** What a change of keys has done. */
export interface ResealOutcome {
  /** Sealed values that were looked at. */
  readonly values: number
  /** Those that were sealed with another key than the current one, and are not any more. */
  readonly sealedAgain: number
  /** Subaccounts of which something was left as it is, because a key of their owner is not available. It opens with the keys that it is sealed with. */
  readonly unavailable: readonly string[]
}

/**
 * Seals everything again that is not sealed with the current keys: data keys and other values with the current master key, values of subaccounts with the
 * newest key of their subaccount. With `renewDataKeys` every subaccount gets a new key first, so that not only the keys but all values change.
 *
 * Services may go on meanwhile: a value that they write at the same moment stays as they wrote it. It can be broken off and called again at any time. What
 * services have read before opens as long as the previous keys are at hand. Values of subaccounts whose owner has taken back the key are left alone.
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
    /** Only values of this subaccount; a key of its owner has to be available then. */
    readonly only?: string
  },
): Promise<ResealOutcome> {
  const { tables, dataKeys, renewDataKeys = false, only } = options
  const db = database as unknown as AnyDatabase
  const unavailable = new Set<string>()
  const unlessUnavailable = async <T>(subaccountId: string, work: () => Promise<T>): Promise<T | undefined> => {
    if (unavailable.has(subaccountId)) return undefined
    try {
      return await work()
    } catch (error) {
      if (only !== undefined || !isKeyFailure(error)) throw error
      unavailable.add(subaccountId)
      return undefined
    }
  }
  if (renewDataKeys && dataKeys !== undefined)
    for (const subaccountId of await dataKeys.subaccounts()) await unlessUnavailable(subaccountId, () => dataKeys.renew(subaccountId))
  let [values, sealedAgain] = [0, 0]
  for (const table of tables.filter(({ sealed }) => sealed.length > 0)) {
    for await (const row of walk(db, table)) {
      for (const column of table.sealed) {
        const text = row[column.column]
        const subaccountId = column.subaccount?.(row)
        if (typeof text !== 'string' || (only !== undefined && subaccountId !== only)) continue
        values += 1
        const sealerOf = (id: string): Promise<Sealer | undefined> => unlessUnavailable(id, async () => dataKeys?.of(id, text))
        const fresh = await sealedWithCurrent(text, row, column, { ...options, sealerOf }).catch((error: unknown) => {
          throw addAttempt(`sealing ${column.column} of ${table.name} (${table.key.map((name) => row[name]).join(', ')}) again`, error)
        })
        if (fresh !== undefined && (await replaceText(db, table, row, column.column, text, fresh))) sealedAgain += 1
      }
    }
  }
  return { values, sealedAgain, unavailable: [...unavailable] }
}

type AnyDatabase = Kysely<Record<string, Record<string, string | number | null>>>

/** The text sealed with the current key; nothing when it is already, or when the key is not available. */
async function sealedWithCurrent(
  text: string,
  row: StoredRow,
  column: SealedColumn,
  deps: {
    readonly master: MasterSealer
    readonly dataKeys: DataKeys | undefined
    sealerOf(subaccountId: string): Promise<Sealer | undefined>
  },
): Promise<string | undefined> {
  const { master, dataKeys, sealerOf } = deps
  const context = column.context(row)
  const withMaster = (): string | undefined => (master.isCurrent(text) ? undefined : master.seal(master.open(text, context), context))
  if (column.subaccount === undefined || dataKeys === undefined) return withMaster()
  const subaccountId = column.subaccount(row)
  if (await dataKeys.isCurrent(subaccountId, text)) return undefined
  const sealer = await sealerOf(subaccountId)
  if (sealer !== undefined) return sealer.seal(sealer.open(text, context), context)
  // Of an early version: the master key that it needs may go away, the customer's key comes later.
  return parseSealedText(text).version === 'v1' ? withMaster() : undefined
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
