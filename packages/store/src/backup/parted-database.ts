import type { StoredTable } from '@sallyport/core'
import type { Kysely } from 'kysely'
import type { Migrations } from '../migrate.ts'

/** The tables of one service in a database, with the steps that make them. */
export interface DatabasePart {
  /** As for `migrate`. */
  readonly name: string
  readonly migrations: Migrations
  /** All of them as they are after the last step, parents before children. */
  readonly tables: readonly StoredTable[]
}

/** A database and everything in it that is ours. */
export interface PartedDatabase {
  // The tables come with the parts; nobody here knows their types.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly db: Kysely<any>
  readonly parts: readonly DatabasePart[]
}
