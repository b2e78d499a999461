import type { StoredTable } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Steps that bring a database up to date for {@link createSqlConnectivityRepository}; forward only. */
export const connectivityMigrations: Readonly<Record<string, Migration>> = {
  '0001-connectivity-service': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('connectivity_authority')
        .addColumn('generation', 'integer', (column) => column.primaryKey())
        .addColumn('certificate', 'text', (column) => column.notNull())
        .addColumn('sealed_key', 'text', (column) => column.notNull())
        .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('connectivity_pairing_code')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('subaccount', 'text', (column) => column.notNull())
        .addColumn('created_by', 'text', (column) => column.notNull())
        .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('connectivity_certificate')
        .addColumn('fingerprint', 'text', (column) => column.primaryKey())
        .addColumn('subaccount', 'text', (column) => column.notNull())
        .addColumn('connector_id', 'text', (column) => column.notNull())
        .addColumn('location_id', 'text', (column) => column.notNull())
        .addColumn('description', 'text', (column) => column.notNull())
        .addColumn('registered_by', 'text', (column) => column.notNull())
        .addColumn('issued_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('revoked_at_ms', 'bigint')
        .execute()
      await db.schema
        .createIndex('connectivity_certificate_connector')
        .on('connectivity_certificate')
        .columns(['subaccount', 'connector_id'])
        .execute()
    },
  },
  '0002-subaccounts': {
    async up(db: Kysely<unknown>): Promise<void> {
      await db.schema
        .createTable('connectivity_subaccount')
        .addColumn('subaccount', 'text', (column) => column.primaryKey())
        .execute()
    },
  },
}

/** All tables after the last step, for jobs over whole databases. */
export const connectivityStoredTables: readonly StoredTable[] = [
  {
    name: 'connectivity_authority',
    key: ['generation'],
    sealed: [{ column: 'sealed_key', context: (row) => authorityContext(Number(row['generation'])) }],
  },
  { name: 'connectivity_subaccount', key: ['subaccount'], sealed: [] },
  { name: 'connectivity_pairing_code', key: ['hash'], sealed: [] },
  { name: 'connectivity_certificate', key: ['fingerprint'], sealed: [] },
]

/** What binds the key of an authority to its row. */
export function authorityContext(generation: number): string {
  return `connectivity-authority/${generation}`
}
