import { migrate, openDatabase } from '@sallyport/store'
import { describe, expect, it } from 'vitest'
import { createSqlInstanceSettings, destinationMigrations, type DestinationTables } from '../src/index.ts'
import { instanceSettingsCases } from './instance-settings-suite.ts'

describe('the settings of instances on SQLite', () => {
  it.each(Object.entries(instanceSettingsCases))('%s', async (_name, run) => {
    const db = openDatabase<DestinationTables>(':memory:')
    await migrate(db, destinationMigrations)
    await expect(run({ settings: createSqlInstanceSettings({ db }), other: createSqlInstanceSettings({ db }) })).resolves.toBeUndefined()
    await db.destroy()
  })
})
