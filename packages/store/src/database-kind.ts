import { type Kysely, PostgresAdapter } from 'kysely'

/** Whether statements that only PostgreSQL knows may be used. */
export function isPostgres<Schema>(db: Kysely<Schema>): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter
}
