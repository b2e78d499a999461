import type { DatabaseSync } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  type SqliteDatabase,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type SqliteStatement,
  type TransactionSettings,
} from 'kysely'
import { maxKeptStatements } from './limits.ts'

/**
 * Lets kysely speak to `node:sqlite`. Differs from kysely's own SQLite dialect in two points: a transaction takes the write lock at once, because one that
 * reads first and writes later would fail instead of waiting when another process wrote in between; and migrations run inside a transaction, which SQLite
 * supports for every statement that changes the schema.
 */
export function createNodeSqliteDialect(database: DatabaseSync): Dialect {
  return {
    createAdapter: () => Object.defineProperty(new SqliteAdapter(), 'supportsTransactionalDdl', { value: true }),
    createDriver: () =>
      Object.assign(new SqliteDriver({ database: asKyselyDatabase(database) }), {
        beginTransaction: async (connection: DatabaseConnection, settings: TransactionSettings): Promise<void> => {
          await connection.executeQuery(CompiledQuery.raw(settings.accessMode === 'read only' ? 'begin' : 'begin immediate'))
        },
      }),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  }
}

type SqliteValue = null | number | bigint | string | Uint8Array

/** Parsed statements are kept, because parsing takes longer than most look-ups. kysely uses the one connection for one thing at a time, so none is run twice at once. */
function asKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>()

  const prepare = (sql: string): SqliteStatement => {
    const statement = database.prepare(sql)
    const values = (parameters: readonly unknown[]): SqliteValue[] => parameters as SqliteValue[]
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => statement.all(...values(parameters)),
      run: (parameters) => statement.run(...values(parameters)),
      iterate: (parameters) => statement.iterate(...values(parameters)),
    }
  }

  return {
    close: () => database.close(),
    prepare(sql) {
      const known = kept.get(sql)
      if (known !== undefined) return known
      const statement = prepare(sql)
      const oldest = kept.size >= maxKeptStatements ? kept.keys().next().value : undefined
      if (oldest !== undefined) kept.delete(oldest)
      kept.set(sql, statement)
      return statement
    },
  }
}
