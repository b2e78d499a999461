/** A row as it is in the database. */
export type StoredRow = Readonly<Record<string, string | number | null>>

/** What jobs over whole databases (backup, change of keys) have to know of a table. Services describe theirs; nobody else knows them. */
export interface StoredTable {
  readonly name: string
  /** Columns of the primary key. */
  readonly key: readonly string[]
  /** Columns whose texts are sealed. */
  readonly sealed: readonly SealedColumn[]
}

/** A column that may be null, and otherwise holds a sealed text. */
export interface SealedColumn {
  readonly column: string
  /** The context that the text of a row is sealed with. */
  context(row: StoredRow): string
  /** The subaccount whose key seals it. Without it the master key does. */
  subaccount?(row: StoredRow): string
}
