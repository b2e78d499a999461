import { PostgresAdapter, PostgresDialect, Kysely, sql } from 'kysely'
import type { Logger } from '@sallyport/core'
import { postgresDefaults } from './limits.ts'
import { createPostgresPool } from './postgres-pool.ts'

/** Where a PostgreSQL server is and how to speak to it. */
export interface PostgresOptions {
  /** `postgresql://user@host:port/database`; for a Unix socket `postgresql://user@/database?host=/run/postgresql`. Holds no password. */
  readonly url: string
  /** Asked for whenever a connection is made, so that a password may change while the service runs. */
  readonly password?: () => string
  readonly tls?: PostgresTls
  /** Connections of this process at most; statements beyond wait for {@link connectTimeoutMs}. */
  readonly maxConnections?: number
  /** Covers waiting for a free connection, reaching the server, TLS and logging on. */
  readonly connectTimeoutMs?: number
  /** One statement at most, waiting for locks included. Maintenance (migrations, backups) wants more than a service. */
  readonly statementTimeoutMs?: number
  readonly log?: Logger
}

/**
 * How the connection is protected. `verify` is the default and checks chain and host name, against `authorities` (PEM) or else the system's.
 * A Unix socket never uses TLS.
 */
export type PostgresTls =
  | { readonly mode: 'verify'; readonly authorities?: readonly string[]; readonly certificate?: string; readonly key?: string }
  | { readonly mode: 'off' }

/**
 * Opens a PostgreSQL database. Connections are made when needed, so nothing fails here but the options; {@link checkDatabase} and `migrate` tell whether
 * the server answers. A write that has been acknowledged is as durable as the server makes it (`synchronous_commit` is on unless its owner changed that).
 * The caller ends it with `destroy()`.
 *
 * Failures: `SERVICE_UNAVAILABLE` when the server cannot be reached or has no connection left, `CONFIGURATION_INVALID` when it refuses user, password or
 * database, `PEER_UNTRUSTED` when TLS fails, and otherwise `STORE_FAILED`. Messages name server and database and hold no values.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when the URL or the TLS material is unusable.
 */
export function openPostgresDatabase<Schema>(options: PostgresOptions): Kysely<Schema> {
  const dialect = new PostgresDialect({ pool: createPostgresPool({ ...postgresDefaults, ...options }) })
  return new Kysely<Schema>({
    dialect: {
      createAdapter: () => Object.assign(new PostgresAdapter(), migrationLock),
      createDriver: () => dialect.createDriver(),
      createIntrospector: (db) => dialect.createIntrospector(db),
      createQueryCompiler: () => dialect.createQueryCompiler(),
    },
  })
}

/** Held until the transaction ends, whatever becomes of it; the same one over and over does no harm. Any number that nobody else uses. */
const migrationLock = {
  async acquireMigrationLock(db: Kysely<unknown>): Promise<void> {
    await sql`select pg_advisory_xact_lock(${sql.lit(7_310_583_962_113)})`.execute(db)
  },
  releaseMigrationLock: (): Promise<void> => Promise.resolve(),
}
