import type { StoredTable } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { Migrations } from '../migrate.ts'

/** The tables of the keys of subaccounts. */
export interface KeySchema {
  /** The newest generation seals. */
  readonly sealing_data_key: DataKeyRow
  /** One row for each subaccount whose data keys are also wrapped with a key of its owner. */
  readonly sealing_customer_key: CustomerKeyRow
}

/** A data key as it is kept. */
export interface DataKeyRow {
  readonly subaccount_id: string
  readonly generation: number
  /** Sealed with the master key; inside, when {@link customer_key_id} is set, sealed with the wrapping key once more. */
  readonly wrapped_key: string
  /** The wrapping key that is needed beside the master key; null when none is. */
  readonly customer_key_id: string | null
  /** What the key is called in sealed texts; null in rows of early versions. */
  readonly key_id: string | null
}

/** The wrapping key of a subaccount, as the key management system of its owner has wrapped it. */
export interface CustomerKeyRow {
  readonly subaccount_id: string
  /** Names the wrapping key, which nobody but the key management system can unwrap. */
  readonly id: string
  readonly system: string
  readonly key_name: string
  /** The wrapping key as the system has wrapped it. */
  readonly wrapped_key: string
  readonly since_ms: number
  /** Null until every value is sealed with a data key that was made under this wrapping key. */
  readonly settled_at_ms: number | null
}

/** Steps for the tables of keys, for `migrate` with `{ part: dataKeyPart }`; in every database with values that are sealed per subaccount. */
export const dataKeyMigrations: Migrations = {
  '0001-data-keys': {
    async up(db) {
      await db.schema
        .createTable('sealing_data_key')
        .addColumn('subaccount_id', 'text', (column) => column.notNull())
        .addColumn('generation', 'integer', (column) => column.notNull())
        .addColumn('wrapped_key', 'text', (column) => column.notNull())
        .addPrimaryKeyConstraint('sealing_data_key_key', ['subaccount_id', 'generation'])
        .execute()
    },
  },
  '0002-customer-keys': {
    async up(db) {
      await db.schema.alterTable('sealing_data_key').addColumn('customer_key_id', 'text').execute()
      await db.schema.alterTable('sealing_data_key').addColumn('key_id', 'text').execute()
      await db.schema
        .createTable('sealing_customer_key')
        .addColumn('subaccount_id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('id', 'text', (column) => column.notNull())
        .addColumn('system', 'text', (column) => column.notNull())
        .addColumn('key_name', 'text', (column) => column.notNull())
        .addColumn('wrapped_key', 'text', (column) => column.notNull())
        .addColumn('since_ms', 'bigint', (column) => column.notNull())
        .addColumn('settled_at_ms', 'bigint')
        .execute()
    },
  },
}
export const dataKeyPart = 'data-keys'

/** What a data key is bound to when it is sealed with the master key. */
export const masterContext = (subaccountId: string, generation: number): string => JSON.stringify(['data key', subaccountId, generation])

/** The tables for jobs over whole databases. */
export const dataKeyTables: readonly StoredTable[] = [
  {
    name: 'sealing_data_key',
    key: ['subaccount_id', 'generation'],
    sealed: [{ column: 'wrapped_key', context: (row) => masterContext(String(row['subaccount_id']), Number(row['generation'])) }],
  },
  // What the system has wrapped is of no use to anybody else.
  { name: 'sealing_customer_key', key: ['subaccount_id'], sealed: [] },
]

/** The database as the keys see it: their tables come with their own steps, whatever else it holds. */
export function keysIn<Schema>(db: Kysely<Schema>): Kysely<KeySchema> {
  return db as unknown as Kysely<KeySchema>
}
