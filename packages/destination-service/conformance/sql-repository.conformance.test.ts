import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSealer, migrate, openDatabase } from '@sallyport/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqlDestinationRepository, destinationMigrations, type DestinationRepository, type DestinationTables } from '../src/index.ts'
import { repositoryCases, type RepositorySubject } from './destination-repository-suite.ts'

let folder: string
let cleanUp: (() => Promise<void>)[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-repository-'))
  cleanUp = []
})
afterEach(async () => {
  await Promise.all(cleanUp.map((step) => step()))
  rmSync(folder, { recursive: true, force: true })
})

const key = randomBytes(32)

async function open(): Promise<DestinationRepository> {
  const db = openDatabase<DestinationTables>(join(folder, 'destinations.db'))
  cleanUp.push(() => db.destroy())
  await migrate(db, destinationMigrations)
  return createSqlDestinationRepository({ db, sealer: createSealer({ current: key }) })
}

async function subject(): Promise<RepositorySubject> {
  return { repository: await open(), reopen: open }
}

describe('the destination repository on SQLite', () => {
  it.each(Object.entries(repositoryCases))('%s', async (_name, run) => {
    await expect(run(await subject())).resolves.toBeUndefined()
  })

  it('opens no destination that was moved to another level or name by editing the tables', async () => {
    const repository = await open()
    const level = { subaccountId: 'sub', instanceId: null }
    await repository.create(level, [{ properties: { Name: 'a', Type: 'HTTP', Password: 'p4ss' }, sharedWithSubscriber: false }], {
      nowMs: 1,
      maxPerSubaccount: 10,
    })
    const db = openDatabase<DestinationTables>(join(folder, 'destinations.db'))
    cleanUp.push(() => db.destroy())
    await db.updateTable('destination').set({ subaccount_id: 'attacker' }).execute()
    await expect(repository.find({ subaccountId: 'attacker', instanceId: null }, 'a')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await db.updateTable('destination').set({ subaccount_id: 'sub', name: 'b' }).execute()
    await expect(repository.find(level, 'b')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })
})

describe('the suite', () => {
  /** Repositories that each break one promise, and a case that must notice. */
  const broken: [string, string, (repository: DestinationRepository) => DestinationRepository][] = [
    [
      'mixes levels',
      'keeps levels apart, all of them',
      (repository) => ({ ...repository, find: (level, name) => repository.find({ ...level, instanceId: null }, name) }),
    ],
    [
      'forgets the limit',
      'holds the limit of a subaccount over all its levels, at the same time too',
      (repository) => ({
        ...repository,
        create: (level, writes, options) => repository.create(level, writes, { ...options, maxPerSubaccount: 1_000 }),
      }),
    ],
    [
      'creates on replace',
      'replaces all properties of what exists, keeps the time of creation, and creates nothing',
      (repository) => ({
        ...repository,
        async replace(level, writes, options) {
          await repository.create(level, writes, { ...options, maxPerSubaccount: 1_000 })
          return repository.replace(level, writes, options)
        },
      }),
    ],
  ]

  it.each(broken)('bites a repository that %s', async (_what, name, breakIt) => {
    const { repository, reopen } = await subject()
    await expect(repositoryCases[name]?.({ repository: breakIt(repository), reopen })).rejects.toThrow('expected')
  })
})
