import type { ColumnType } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The tables of this service, for `migrate` of `@sallyport/store` and for PostgreSQL alike. */
export interface DestinationTables {
  readonly destination: {
    readonly subaccount_id: string
    /** Empty on the subaccount's own level: part of a key cannot be null. */
    readonly instance_id: string
    readonly name: string
    /** All properties, sealed. */
    readonly properties: string
    readonly shared_with_subscriber: number
    readonly created_at_ms: BigNumber
    readonly modified_at_ms: BigNumber
  }
  /** One row per subaccount that ever had destinations: what writers of one subaccount lock, so that its limit holds. */
  readonly destination_subaccount: {
    readonly subaccount_id: string
  }
}

/** A 64-bit number: PostgreSQL's driver hands it out as a text, SQLite's as a number. */
type BigNumber = ColumnType<number | string, number, number>

/** Steps in the order of their names; forward only. */
export const destinationMigrations: Readonly<Record<string, Migration>> = {
  '0001-destinations': {
    async up(db) {
      await db.schema
        .createTable('destination')
        .addColumn('subaccount_id', 'text', (column) => column.notNull())
        .addColumn('instance_id', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('properties', 'text', (column) => column.notNull())
        .addColumn('shared_with_subscriber', 'integer', (column) => column.notNull())
        .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('modified_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('destination_key', ['subaccount_id', 'instance_id', 'name'])
        .execute()
      await db.schema
        .createTable('destination_subaccount')
        .addColumn('subaccount_id', 'text', (column) => column.notNull().primaryKey())
        .execute()
    },
  },
}
