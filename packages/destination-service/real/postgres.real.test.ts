import { randomBytes } from 'node:crypto'
import { systemClock } from '@sallyport/core'
import { type Postgres, skipUnless, startPostgres } from '@sallyport/real-backends'
import { createDataKeys, createSealer, dataKeyMigrations, dataKeyPart, migrate, openPostgresDatabase } from '@sallyport/store'
import type { Kysely } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { repositoryCases, type RepositorySubject } from '../conformance/entity-repository-suite.ts'
import { instanceSettingsCases } from '../conformance/instance-settings-suite.ts'
import { keyRepositoriesCases } from '../conformance/key-repositories-suite.ts'
import {
  createSqlEntityRepository,
  createSqlInstanceSettings,
  createSqlKeyRepositories,
  destinationMigrations,
  type DestinationTables,
  type EntityRepository,
  type KeyRepositories,
} from '../src/index.ts'

const skipped = skipUnless('postgres', 'initdb', 'psql')
const sealer = createSealer({ current: randomBytes(32) })
let postgres: Postgres
const opened: Kysely<DestinationTables>[] = []
beforeAll(async () => {
  if (!skipped) postgres = await startPostgres({ settings: { fsync: 'off' } })
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()))
})
afterAll(() => postgres?.stop())

async function openDatabase(url: string): Promise<Kysely<DestinationTables>> {
  const db = openPostgresDatabase<DestinationTables>({ url, password: () => postgres.password, tls: { mode: 'off' } })
  opened.push(db)
  await migrate(db, destinationMigrations, { part: 'destinations' })
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  return db
}

async function subject(): Promise<RepositorySubject> {
  const url = await postgres.createDatabase()
  const open = async (): Promise<EntityRepository> => {
    const db = await openDatabase(url)
    return createSqlEntityRepository({ db, sealers: createDataKeys({ db, master: sealer, clock: systemClock }) })
  }
  return { repository: await open(), reopen: open }
}

describe.skipIf(skipped)('the entity repository on PostgreSQL', () => {
  it.each(Object.entries(repositoryCases))('%s', async (_name, run) => {
    await expect(run(await subject())).resolves.toBeUndefined()
  })

  it('refuses a name with the character that it cannot keep, as the fault of who asks', async () => {
    const { repository } = await subject()
    const level = { subaccountId: 'sub', instanceId: null }
    await expect(repository.find('destination', level, 'a\u0000b')).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
  })
})

describe.skipIf(skipped)('the key repositories on PostgreSQL', () => {
  it.each(Object.entries(keyRepositoriesCases))('%s', async (_name, run) => {
    const url = await postgres.createDatabase()
    const open = async (): Promise<KeyRepositories> => {
      const db = await openDatabase(url)
      return createSqlKeyRepositories({ db, master: sealer, sealers: createDataKeys({ db, master: sealer, clock: systemClock }) })
    }
    await expect(run({ repositories: await open(), reopen: open })).resolves.toBeUndefined()
  })
})

describe.skipIf(skipped)('the settings of instances on PostgreSQL', () => {
  it.each(Object.entries(instanceSettingsCases))('%s', async (_name, run) => {
    const url = await postgres.createDatabase()
    const [first, second] = [await openDatabase(url), await openDatabase(url)]
    await expect(
      run({ settings: createSqlInstanceSettings({ db: first }), other: createSqlInstanceSettings({ db: second }) }),
    ).resolves.toBeUndefined()
  })
})
