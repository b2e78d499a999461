import { type Postgres, skipUnless, startPostgres } from '@sallyport/real-backends'
import { migrate, openPostgresDatabase } from '@sallyport/store'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectivityRepositoryCases } from '../conformance/connectivity-repository-cases.ts'
import { connectivityMigrations, type ConnectivitySchema, createSqlConnectivityRepository } from '../src/index.ts'

const skipped = skipUnless('postgres', 'initdb', 'psql')
let postgres: Postgres
beforeAll(async () => {
  if (!skipped) postgres = await startPostgres({ settings: { fsync: 'off' } })
})
afterAll(() => postgres?.stop())

describe.skipIf(skipped)('the connectivity repository on PostgreSQL', () => {
  it.each(Object.entries(connectivityRepositoryCases))('%s', async (_name, run) => {
    const url = await postgres.createDatabase()
    const db = openPostgresDatabase<ConnectivitySchema>({ url, password: () => postgres.password, tls: { mode: 'off' } })
    try {
      await migrate(db, connectivityMigrations, { part: 'connectivity-service' })
      await expect(run(createSqlConnectivityRepository(db))).resolves.toBeUndefined()
    } finally {
      await db.destroy()
    }
  })
})
