import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { createDataKeys, createSealer, dataKeyMigrations, dataKeyPart, migrate, openDatabase } from '@sallyport/store'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqlEntityRepository, destinationMigrations, type DestinationTables, type EntityRepository } from '../src/index.ts'
import { repositoryCases, type RepositorySubject } from './entity-repository-suite.ts'

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

const sealer = createSealer({ current: randomBytes(32) })

function connect<Schema = DestinationTables>(): Kysely<Schema> {
  const db = openDatabase<Schema>(join(folder, 'destinations.db'))
  cleanUp.push(() => db.destroy())
  return db
}

async function open(): Promise<EntityRepository> {
  const db = connect()
  await migrate(db, destinationMigrations)
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  return createSqlEntityRepository({ db, sealers: createDataKeys({ db, master: sealer, clock: systemClock }) })
}

/** One file is opened once per process, so "another process" is another repository on the same connection. */
async function subject(): Promise<RepositorySubject> {
  const db = connect()
  await migrate(db, destinationMigrations)
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  const make = (): EntityRepository =>
    createSqlEntityRepository({ db, sealers: createDataKeys({ db, master: sealer, clock: systemClock }) })
  return { repository: make(), reopen: () => Promise.resolve(make()) }
}

const level = { subaccountId: 'sub', instanceId: null }

describe('the entity repository on SQLite', () => {
  it.each(Object.entries(repositoryCases))('%s', async (_name, run) => {
    await expect(run(await subject())).resolves.toBeUndefined()
  })

  it('opens the same file again', async () => {
    const writes = [{ name: 'a', properties: { Name: 'a', Type: 'HTTP', Password: 'p4ss' }, sharedWithSubscriber: false }]
    await (await open()).create('destination', level, writes, { nowMs: 1, maxPerSubaccount: 10 })
    await Promise.all(cleanUp.splice(0).map((step) => step()))
    expect((await (await open()).find('destination', level, 'a'))?.properties).toHaveProperty('Password', 'p4ss')
  })

  it('opens nothing that was moved to another kind, level or name by editing the tables', async () => {
    const repository = await open()
    const write = { name: 'a', properties: { Name: 'a' }, hidden: { password: 'p4ss' }, sharedWithSubscriber: false }
    const db = connect()
    const moves = [{ subaccount_id: 'attacker' }, { instance_id: 'attacker' }, { name: 'b' }, { kind: 'fragment' as const }]
    for (const move of moves) {
      await repository.create('certificate', level, [write], { nowMs: 1, maxPerSubaccount: 10 })
      await db.updateTable('entity').set(move).execute()
      const moved = repository.find(
        move.kind ?? 'certificate',
        { subaccountId: move.subaccount_id ?? 'sub', instanceId: move.instance_id ?? null },
        move.name ?? 'a',
      )
      await expect(moved).rejects.toMatchObject({ code: 'STORE_FAILED' })
      await db.deleteFrom('entity').execute()
    }
  })

  it('opens no hidden part in the place of the properties, nor the other way round', async () => {
    const repository = await open()
    const write = { name: 'a', properties: { Name: 'a' }, hidden: { password: 'p4ss' }, sharedWithSubscriber: false }
    await repository.create('certificate', level, [write], { nowMs: 1, maxPerSubaccount: 10 })
    const db = connect()
    await db
      .updateTable('entity')
      .set((build) => ({ properties: build.ref('hidden').$notNull() }))
      .execute()
    await expect(repository.find('certificate', level, 'a')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  it('writes no content in clear text', async () => {
    const repository = await open()
    const write = {
      name: 'visible',
      properties: { Name: 'visible', Secret: 'n0t-this' },
      hidden: { x: 'n0r-this' },
      sharedWithSubscriber: false,
    }
    await repository.create('destination', level, [write], { nowMs: 1, maxPerSubaccount: 10 })
    await repository.replace('destination', level, [write], { nowMs: 2 })
    const bytes = ['destinations.db', 'destinations.db-wal'].map((file) => readFileSync(join(folder, file), 'latin1')).join('')
    expect(bytes).toContain('visible')
    expect(bytes).not.toMatch(/n0t-this|n0r-this|Secret/)
  })
})

describe('a database of the first version', () => {
  it('opens and keeps its destinations', async () => {
    const first = connect<{ destination: Record<string, string | number>; destination_subaccount: { subaccount_id: string } }>()
    const { '0001-destinations': initial } = destinationMigrations
    await migrate(first, { '0001-destinations': initial })
    const levels = [level, { subaccountId: 'sub', instanceId: 'i1' }, { subaccountId: 'other', instanceId: 'i1' }]
    for (const { subaccountId, instanceId } of levels) {
      const properties = { Name: 'a', Type: 'HTTP', Password: `of ${subaccountId} ${instanceId}` }
      await first
        .insertInto('destination')
        .values({
          subaccount_id: subaccountId,
          instance_id: instanceId ?? '',
          name: 'a',
          properties: sealer.seal(JSON.stringify(properties), JSON.stringify(['destination', subaccountId, instanceId, 'a'])),
          shared_with_subscriber: instanceId === null ? 0 : 1,
          created_at_ms: 1_000,
          modified_at_ms: Date.UTC(2099, 0, 1),
        })
        .execute()
    }
    await first.insertInto('destination_subaccount').values({ subaccount_id: 'sub' }).execute()
    await Promise.all(cleanUp.splice(0).map((step) => step()))

    const repository = await open()
    for (const kept of levels) {
      expect(await repository.find('destination', kept, 'a')).toEqual({
        kind: 'destination',
        name: 'a',
        properties: { Name: 'a', Type: 'HTTP', Password: `of ${kept.subaccountId} ${kept.instanceId}` },
        hidden: {},
        sharedWithSubscriber: kept.instanceId !== null,
        createdAtMs: 1_000,
        modifiedAtMs: Date.UTC(2099, 0, 1),
        labels: [],
      })
    }
    const options = { nowMs: 2_000, maxPerSubaccount: 3 }
    const writes = ['a', 'b', 'c'].map((name) => ({ name, properties: { Name: name, Type: 'HTTP' }, sharedWithSubscriber: false }))
    expect(await repository.create('destination', level, writes, options)).toEqual(['exists', 'created', 'full'])
  })
})

describe('the suite', () => {
  /** Repositories that each break one promise, and a case that must notice. */
  const broken: [string, string, (repository: EntityRepository) => EntityRepository][] = [
    [
      'mixes levels',
      'keeps levels apart, all of them',
      (repository) => ({ ...repository, find: (kind, asked, name) => repository.find(kind, { ...asked, instanceId: null }, name) }),
    ],
    [
      'mixes kinds',
      'keeps kinds apart, all of them',
      (repository) => ({ ...repository, find: (_kind, asked, name) => repository.find('destination', asked, name) }),
    ],
    [
      'forgets the limit',
      'holds the limit of a subaccount over all its levels, at the same time too',
      (repository) => ({
        ...repository,
        create: (kind, asked, writes, options) => repository.create(kind, asked, writes, { ...options, maxPerSubaccount: 1_000 }),
      }),
    ],
    [
      'creates on replace',
      'replaces all content of what exists, keeps labels and the time of creation, and creates nothing',
      (repository) => ({
        ...repository,
        async replace(kind, asked, writes, options) {
          await repository.create(kind, asked, writes, { ...options, maxPerSubaccount: 1_000 })
          return repository.replace(kind, asked, writes, options)
        },
      }),
    ],
    [
      'remembers what others have changed',
      'shows every change at once, also one that somebody else has made',
      (repository) => {
        const remembered = new Map<string, ReturnType<EntityRepository['find']>>()
        return {
          ...repository,
          find(kind, asked, name) {
            const key = JSON.stringify([kind, asked, name])
            const found = remembered.get(key) ?? repository.find(kind, asked, name)
            remembered.set(key, found)
            return found
          },
        }
      },
    ],
  ]

  it.each(broken)('bites a repository that %s', async (_what, name, breakIt) => {
    const { repository, reopen } = await subject()
    await expect(repositoryCases[name]?.({ repository: breakIt(repository), reopen })).rejects.toThrow('expected')
  })
})
