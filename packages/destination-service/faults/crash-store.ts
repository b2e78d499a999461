import { systemClock } from '@sallyport/core'
import {
  createDataKeys,
  createSealer,
  type Database,
  dataKeyMigrations,
  dataKeyPart,
  migrate,
  openDatabase,
  openPostgresDatabase,
} from '@sallyport/store'
import { createSqlEntityRepository, destinationMigrations, type DestinationTables, type EntityRepository } from '../src/index.ts'

/** Where the rounds write; a text, so that it can be handed to another process. */
export type CrashStore =
  | { readonly kind: 'sqlite'; readonly file: string }
  | { readonly kind: 'postgresql'; readonly url: string; readonly password: string }

/** Opens it as the service does, tables included. */
export async function openCrashStore(
  store: CrashStore,
): Promise<{ readonly db: Database<DestinationTables>; readonly repository: EntityRepository }> {
  const db =
    store.kind === 'sqlite'
      ? openDatabase<DestinationTables>(store.file)
      : openPostgresDatabase<DestinationTables>({ url: store.url, password: () => store.password, tls: { mode: 'off' } })
  await migrate(db, destinationMigrations, { part: 'destinations' })
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  const sealers = createDataKeys({ db, master: createSealer({ current: Buffer.alloc(32, 7) }), clock: systemClock })
  return { db, repository: createSqlEntityRepository({ db, sealers }) }
}
