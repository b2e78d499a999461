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
  type TransactionSettings,
} from 'kysely'

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

function asKyselyDatabase(database: DatabaseSync): SqliteDatabase {
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = database.prepare(sql)
      const values = (parameters: readonly unknown[]): SqliteValue[] => parameters as SqliteValue[]
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      }
    },
  }
}
