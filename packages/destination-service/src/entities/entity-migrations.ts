import { type ColumnType, type Kysely, sql } from 'kysely'
import type { Migration } from 'kysely/migration'

/** The tables of this service, for `migrate` of `@sallyport/store` and for PostgreSQL alike. */
export interface DestinationTables {
  readonly entity: {
    readonly kind: string
    readonly subaccount_id: string
    /** Empty on the subaccount's own level: part of a key cannot be null. */
    readonly instance_id: string
    readonly name: string
    /** All properties, sealed. */
    readonly properties: string
    /** What is never shown, sealed; null when there is nothing. */
    readonly hidden: string | null
    /** JSON; labels are meant to be searched and hold no secrets. */
    readonly labels: string
    readonly shared_with_subscriber: number
    readonly created_at_ms: BigNumber
    readonly modified_at_ms: BigNumber
  }
  /** One row per subaccount that ever had entities: what writers of one subaccount lock, so that its limits hold. */
  readonly entity_subaccount: {
    readonly subaccount_id: string
    /** Another one after every change of any entity: tells whether what somebody remembers still holds. */
    readonly revision: string
  }
  /** Authorities that generated certificates come from. */
  readonly certificate_authority: {
    readonly landscape: string
    readonly generation: number
    /** Certificates and private keys, sealed. */
    readonly keys: string
    readonly created_at_ms: BigNumber
  }
  /** What somebody has been told about certificates that end. */
  readonly certificate_notice: {
    readonly subaccount_id: string
    readonly instance_id: string
    readonly name: string
    readonly expires_at_ms: BigNumber
    readonly days: number
    /** Until when somebody is about to tell; null once it has been told. */
    readonly leased_until_ms: ColumnType<number | string | null, number | null, number | null>
  }
  /** Key pairs that assertions are signed with: an active and a passive one per subaccount. */
  readonly trust_key_pair: {
    readonly subaccount_id: string
    readonly role: string
    readonly key_id: string
    /** Certificate and private key, sealed. */
    readonly key_pair: string
    readonly created_at_ms: BigNumber
  }
  /** What is remembered of the parameters of an instance. */
  readonly instance_settings: {
    readonly instance_id: string
    /** JSON; holds no secrets. */
    readonly settings: string
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
  '0002-entities': {
    async up(db: Kysely<FirstTables & DestinationTables>) {
      await db.schema
        .createTable('entity')
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('subaccount_id', 'text', (column) => column.notNull())
        .addColumn('instance_id', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('properties', 'text', (column) => column.notNull())
        .addColumn('hidden', 'text')
        .addColumn('labels', 'text', (column) => column.notNull())
        .addColumn('shared_with_subscriber', 'integer', (column) => column.notNull())
        .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('modified_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('entity_key', ['kind', 'subaccount_id', 'instance_id', 'name'])
        .execute()
      await db
        .insertInto('entity')
        .columns([...kept, 'kind', 'labels'])
        .expression((build) =>
          build.selectFrom('destination').select([...kept, sql<string>`'destination'`.as('kind'), sql<string>`'[]'`.as('labels')]),
        )
        .execute()
      await db.schema.dropTable('destination').execute()
      await db.schema.alterTable('destination_subaccount').renameTo('entity_subaccount').execute()
      await db.schema
        .alterTable('entity_subaccount')
        .addColumn('revision', 'text', (column) => column.notNull().defaultTo(''))
        .execute()
    },
  },
  '0003-keys': {
    async up(db) {
      await db.schema
        .createTable('certificate_authority')
        .addColumn('landscape', 'text', (column) => column.notNull())
        .addColumn('generation', 'integer', (column) => column.notNull())
        .addColumn('keys', 'text', (column) => column.notNull())
        .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('certificate_authority_key', ['landscape', 'generation'])
        .execute()
      await db.schema
        .createTable('certificate_notice')
        .addColumn('subaccount_id', 'text', (column) => column.notNull())
        .addColumn('instance_id', 'text', (column) => column.notNull())
        .addColumn('name', 'text', (column) => column.notNull())
        .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('days', 'integer', (column) => column.notNull())
        .addPrimaryKeyConstraint('certificate_notice_key', ['subaccount_id', 'instance_id', 'name', 'expires_at_ms', 'days'])
        .execute()
      await db.schema
        .createTable('trust_key_pair')
        .addColumn('subaccount_id', 'text', (column) => column.notNull())
        .addColumn('role', 'text', (column) => column.notNull())
        .addColumn('key_id', 'text', (column) => column.notNull())
        .addColumn('key_pair', 'text', (column) => column.notNull())
        .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
        .addPrimaryKeyConstraint('trust_key_pair_key', ['subaccount_id', 'role'])
        .execute()
    },
  },
  '0004-instance-settings': {
    async up(db) {
      await db.schema
        .createTable('instance_settings')
        .addColumn('instance_id', 'text', (column) => column.notNull().primaryKey())
        .addColumn('settings', 'text', (column) => column.notNull())
        .execute()
    },
  },
  '0005-notice-leases': {
    async up(db) {
      await db.schema.alterTable('certificate_notice').addColumn('leased_until_ms', 'bigint').execute()
    },
  },
}

/** What the second step takes over from the first one's table. */
const kept = [
  'subaccount_id',
  'instance_id',
  'name',
  'properties',
  'shared_with_subscriber',
  'created_at_ms',
  'modified_at_ms',
] as const satisfies readonly (keyof DestinationTables['entity'])[]

interface FirstTables {
  readonly destination: Pick<DestinationTables['entity'], (typeof kept)[number]>
}
