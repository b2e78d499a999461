/**
 * What `index.ts` exports:
 *
 * openDatabase<Schema>(file: string | ':memory:'): Kysely<Schema>      // node:sqlite; WAL, synchronous=FULL, foreign_keys=ON, busy_timeout=5000; file mode 0600
 * migrate(db, migrations: Record<string, Migration>): Promise<void>     // kysely Migrator, forward only
 * createSealer(keys: { current: Buffer, previous?: readonly Buffer[] }): Sealer   // AES-256-GCM, random 96-bit nonce, key id in the sealed text, context as additional data
 */
