import { migrate, openDatabase } from '@sallyport/store'
import { describe, expect, it } from 'vitest'
import { connectivityMigrations, type ConnectivitySchema, createSqlConnectivityRepository } from '../src/index.ts'
import { connectivityRepositoryCases } from './connectivity-repository-cases.ts'

describe('the connectivity repository on SQLite', () => {
  it.each(Object.entries(connectivityRepositoryCases))('%s', async (_name, run) => {
    const db = openDatabase<ConnectivitySchema>(':memory:')
    try {
      await migrate(db, connectivityMigrations, { part: 'connectivity-service' })
      await expect(run(createSqlConnectivityRepository(db))).resolves.toBeUndefined()
    } finally {
      await db.destroy()
    }
  })
})
