import { randomBytes } from 'node:crypto'
import type { Sealer } from '@sallyport/core'
import { type Kysely, sql, type Transaction } from 'kysely'
import { isPostgres } from '../database-kind.ts'
import { sealKeyBytes } from '../limits.ts'
import { createSealKey, openText, type SealKey, sealText } from '../sealed-text.ts'
import { type CustomerKeyRow, type DataKeyRow, type KeySchema, masterContext } from './key-tables.ts'

/** What is kept of the keys of one subaccount, as it is at one moment; generations in their order. */
export interface SubaccountKeyRows {
  readonly generations: readonly DataKeyRow[]
  readonly customer: CustomerKeyRow | undefined
}

/** Reads the rows of a subaccount with one statement, so that they belong together. */
export async function readKeyRows(db: Kysely<KeySchema>, subaccountId: string): Promise<SubaccountKeyRows> {
  const rows = await db
    .selectFrom('sealing_data_key as data')
    .leftJoin('sealing_customer_key as customer', 'customer.subaccount_id', 'data.subaccount_id')
    .select(['data.subaccount_id', 'data.generation', 'data.wrapped_key', 'data.customer_key_id', 'data.key_id'])
    .select([
      'customer.id',
      'customer.system',
      'customer.key_name',
      'customer.wrapped_key as wrapping',
      'customer.since_ms',
      'customer.settled_at_ms',
    ])
    .where('data.subaccount_id', '=', subaccountId)
    .orderBy('data.generation')
    .execute()
  const generations = rows.map(({ subaccount_id, generation, wrapped_key, customer_key_id, key_id }) => ({
    subaccount_id,
    generation,
    wrapped_key,
    customer_key_id,
    key_id,
  }))
  const [first] = rows
  if (first === undefined || first.id === null) return { generations, customer: undefined }
  const { id, system, key_name, wrapping, since_ms, settled_at_ms } = first
  return {
    generations,
    customer: {
      subaccount_id: subaccountId,
      id,
      system: system ?? '',
      key_name: key_name ?? '',
      wrapped_key: wrapping ?? '',
      since_ms: since_ms ?? 0,
      settled_at_ms,
    },
  }
}

/** Changes keys of a subaccount in one transaction. Nobody else changes them meanwhile, on whichever machine: SQLite has one writer at a time anyway. */
export async function changeKeyRows<T>(
  db: Kysely<KeySchema>,
  subaccountId: string,
  work: (transaction: Transaction<KeySchema>, rows: SubaccountKeyRows) => Promise<T>,
): Promise<T> {
  const locked = async (transaction: Transaction<KeySchema>): Promise<T> => {
    if (isPostgres(transaction))
      await sql`select pg_advisory_xact_lock(hashtextextended(${`sallyport keys of ${subaccountId}`}, 0))`.execute(transaction)
    return work(transaction, await readKeyRows(transaction, subaccountId))
  }
  return db.isTransaction ? locked(db as Transaction<KeySchema>) : db.transaction().execute(locked)
}

/** The data key of a row. `wrapping` is the wrapping key of the subaccount, where it has one. */
export function openDataKey(row: DataKeyRow, master: Sealer, wrapping: SealKey | undefined): Buffer {
  const inner = master.open(row.wrapped_key, masterContext(row.subaccount_id, row.generation))
  if (row.customer_key_id === null) return Buffer.from(inner, 'base64')
  const keys = new Map(wrapping === undefined ? [] : [[wrapping.id, wrapping]])
  return Buffer.from(openText(inner, keys, wrappingContext(row.subaccount_id, row.generation)), 'base64')
}

/** A row with a data key that opens with the master key, and with the wrapping key where there is one. */
export function closeDataKey(
  key: Buffer,
  { subaccountId, generation }: { readonly subaccountId: string; readonly generation: number },
  master: Sealer,
  wrapping: SealKey | undefined,
): DataKeyRow {
  const encoded = key.toString('base64')
  const inner = wrapping === undefined ? encoded : sealText('v2', wrapping, encoded, wrappingContext(subaccountId, generation))
  return {
    subaccount_id: subaccountId,
    generation,
    wrapped_key: master.seal(inner, masterContext(subaccountId, generation)),
    customer_key_id: wrapping?.id ?? null,
    key_id: createSealKey(key).id,
  }
}

/** A data key that nobody has seen yet. */
export function newKeyBytes(): Buffer {
  return randomBytes(sealKeyBytes)
}

const wrappingContext = (subaccountId: string, generation: number): string =>
  JSON.stringify(['data key under a customer key', subaccountId, generation])
