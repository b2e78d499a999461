import { randomBytes } from 'node:crypto'
import { type Postgres, skipUnless, startPostgres } from '@sallyport/real-backends'
import { createSealer, migrate, openPostgresDatabase } from '@sallyport/store'
import type { Kysely } from 'kysely'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'
import { describeGrantStore, describeSigningKeyStore } from '../conformance/store-suites.ts'
import { createSqlGrantStore, createSqlSigningKeyStore, tokenServiceMigrations, type TokenServiceTables } from '../src/index.ts'

const skipped = skipUnless('postgres', 'initdb', 'psql')
let postgres: Postgres
const opened: Kysely<TokenServiceTables>[] = []
beforeAll(async () => {
  if (!skipped) postgres = await startPostgres({ settings: { fsync: 'off' } })
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()))
})
afterAll(() => postgres?.stop())

async function database(): Promise<Kysely<TokenServiceTables>> {
  const url = await postgres.createDatabase()
  const db = openPostgresDatabase<TokenServiceTables>({ url, password: () => postgres.password, tls: { mode: 'off' } })
  opened.push(db)
  await migrate(db, tokenServiceMigrations, { part: 'token-service' })
  return db
}

const sealer = createSealer({ current: randomBytes(32) })

describe.skipIf(skipped)('the token service on PostgreSQL', () => {
  describeGrantStore('PostgreSQL', async (bounds, clock) => createSqlGrantStore({ db: await database(), sealer, clock, bounds }))
  describeSigningKeyStore('PostgreSQL', async () => createSqlSigningKeyStore({ db: await database(), sealer }))
})
