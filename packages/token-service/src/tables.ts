import type { StoredTable } from '@sallyport/core'
import type { ColumnType, Kysely } from 'kysely'
import type { Migration } from 'kysely/migration'

/** Some drivers return 64-bit integers as text. */
type Milliseconds = ColumnType<number | string, number, number>

/** The tables of the token service. */
export interface TokenServiceTables {
  readonly token_signing_key: {
    readonly key_id: string
    /** Sealed. */
    readonly private_key: string
    readonly public_key: string
    readonly signs_from_ms: Milliseconds
  }
  readonly token_grant: {
    readonly hash: string
    readonly kind: string
    /** Hash of whose grant it is. */
    readonly owner: string
    readonly sealed_grant: string
    readonly created_at_ms: Milliseconds
    readonly expires_at_ms: Milliseconds
    readonly redeemed_with: string | null
  }
  /** One row per thing that only one process may do at a time; whoever updates it does. */
  readonly token_lock: {
    readonly name: string
  }
}

/** Steps that bring a database up to date, for `migrate` of the store package with `{ part: 'token-service' }`. */
export const tokenServiceMigrations: Readonly<Record<string, Migration>> = {
  '0001-signing-keys-and-grants': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('token_signing_key')
        .addColumn('key_id', 'text', (column) => column.primaryKey())
        .addColumn('private_key', 'text', (column) => column.notNull())
        .addColumn('public_key', 'text', (column) => column.notNull())
        .addColumn('signs_from_ms', 'bigint', (column) => column.notNull())
        .execute()
      await db.schema
        .createTable('token_grant')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('grant_json', 'text', (column) => column.notNull())
        .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('redeemed_with', 'text')
        .execute()
      await db.schema.createIndex('token_grant_owner').on('token_grant').columns(['owner', 'created_at_ms']).execute()
      await db.schema.createIndex('token_grant_expiry').on('token_grant').column('expires_at_ms').execute()
      await db.schema.createIndex('token_grant_age').on('token_grant').column('created_at_ms').execute()
    },
  },
  '0002-lock': {
    async up(db: Kysely<unknown>) {
      await db.schema
        .createTable('token_lock')
        .addColumn('name', 'text', (column) => column.primaryKey())
        .execute()
    },
  },
  '0003-sealed-grants': {
    async up(db: Kysely<unknown>) {
      // Grants were kept readable before, with the names of users. They are given up: their users log on once more.
      await db.schema.dropTable('token_grant').execute()
      await db.schema
        .createTable('token_grant')
        .addColumn('hash', 'text', (column) => column.primaryKey())
        .addColumn('kind', 'text', (column) => column.notNull())
        .addColumn('owner', 'text', (column) => column.notNull())
        .addColumn('sealed_grant', 'text', (column) => column.notNull())
        .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
        .addColumn('redeemed_with', 'text')
        .execute()
      await db.schema.createIndex('token_grant_owner').on('token_grant').columns(['owner', 'created_at_ms']).execute()
      await db.schema.createIndex('token_grant_expiry').on('token_grant').column('expires_at_ms').execute()
      await db.schema.createIndex('token_grant_age').on('token_grant').column('created_at_ms').execute()
    },
  },
}

/** All tables after the last step, for jobs over whole databases. Tokens and grants belong to users of many tenants at once, so the master key seals them. */
export const tokenServiceStoredTables: readonly StoredTable[] = [
  {
    name: 'token_signing_key',
    key: ['key_id'],
    sealed: [{ column: 'private_key', context: (row) => signingKeyContext(String(row['key_id'])) }],
  },
  { name: 'token_grant', key: ['hash'], sealed: [{ column: 'sealed_grant', context: (row) => grantContext(String(row['hash'])) }] },
  { name: 'token_lock', key: ['name'], sealed: [] },
]

/** What binds a private key to its row. */
export function signingKeyContext(keyId: string): string {
  return `token_signing_key/${keyId}/private_key`
}

/** What binds a grant to its row. */
export function grantContext(hash: string): string {
  return `token_grant/${hash}/sealed_grant`
}
