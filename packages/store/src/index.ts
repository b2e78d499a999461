/**
 * The embedded SQL database: opening it durably, bringing its schema up to date, and sealing what must not be readable at rest.
 *
 * @example
 * const db = openDatabase<{ note: { id: string; text: string } }>(':memory:')
 * await migrate(db, { '0001-note': { up: (schema) => schema.schema.createTable('note').addColumn('id', 'text').addColumn('text', 'text').execute() } })
 * const sealer = createSealer({ current: randomBytes(32) })
 * await db.insertInto('note').values({ id: '1', text: sealer.seal('secret', 'note/1') }).execute()
 *
 * @packageDocumentation
 */
export { backUp, type BackupSummary } from './backup/back-up.ts'
export { type ArchiveHeader } from './backup/archive-header.ts'
export { readArchiveHeader } from './backup/archive-file.ts'
export { type ArchiveLock } from './backup/archive-lock.ts'
export { type DatabasePart, type PartedDatabase } from './backup/parted-database.ts'
export { type ArchiveContent, inspectArchive, restore } from './backup/restore.ts'
export { type CustomerKeyState } from './keys/customer-key-state.ts'
export { createCustomerKeys, type CustomerKeyName, type CustomerKeys } from './keys/customer-keys.ts'
export { createDataKeys, type DataKeyDeps, type DataKeys } from './keys/data-keys.ts'
export { dataKeyMigrations, dataKeyPart, dataKeyTables } from './keys/key-tables.ts'
export { type KeyManagementSystems } from './keys/wrapping-key.ts'
export { defaultKeyAgeMs } from './limits.ts'
export { executedSteps, type Migrations, migrate } from './migrate.ts'
export { type Database, openDatabase } from './open-database.ts'
export { openPostgresDatabase, type PostgresOptions, type PostgresTls } from './open-postgres-database.ts'
export { reseal, type ResealOutcome } from './reseal.ts'
export { createSealer, type MasterSealer, type SealKeys } from './sealer.ts'
