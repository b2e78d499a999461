import { randomBytes } from 'node:crypto'
import { type Clock, createSecret, type StoredTable } from '@sallyport/core'
import { createManualClock, createMemoryKeySystem, type ManualClock, type MemoryKeySystem } from '@sallyport/test-fixtures'
import type { Kysely } from 'kysely'
import { expect } from 'vitest'
import {
  backUp,
  createCustomerKeys,
  createDataKeys,
  createSealer,
  type CustomerKeys,
  dataKeyMigrations,
  dataKeyPart,
  dataKeyTables,
  type DataKeys,
  migrate,
  type Migrations,
  type PartedDatabase,
  reseal,
  restore,
} from '../src/index.ts'
import { createSealKey } from '../src/sealed-text.ts'

interface VaultSchema {
  readonly treasure: { readonly owner: string; readonly name: string; readonly content: string }
  readonly sealing_data_key: { readonly subaccount_id: string; readonly generation: number; readonly wrapped_key: string }
  readonly sealing_customer_key: { readonly subaccount_id: string; readonly settled_at_ms: number | null; readonly wrapped_key: string }
}

/** As for data keys; `other` opens another, empty database, which may be of another kind. */
export interface CustomerKeySubject {
  open(): Kysely<VaultSchema>
  other(): Kysely<VaultSchema>
  /** Name of a file that nothing has yet. */
  readonly file: string
}

const migrations: Migrations = {
  '0001-treasure': {
    up: (db) =>
      db.schema
        .createTable('treasure')
        .addColumn('owner', 'text')
        .addColumn('name', 'text')
        .addColumn('content', 'text')
        .addPrimaryKeyConstraint('treasure_key', ['owner', 'name'])
        .execute(),
  },
}
const treasure: StoredTable = {
  name: 'treasure',
  key: ['owner', 'name'],
  sealed: [{ column: 'content', subaccount: (row) => String(row['owner']), context: (row) => `content of ${row['name']}` }],
}
const parts = [
  { name: dataKeyPart, migrations: dataKeyMigrations, tables: dataKeyTables },
  { name: 'vault', migrations, tables: [treasure] },
]
const tables = [...dataKeyTables, treasure]
const maxAgeMs = 60_000
const unavailable = { code: 'ENCRYPTION_KEY_UNAVAILABLE' }
const kms = { system: 'kms', key: 'acme' }

async function prepare(db: Kysely<VaultSchema>): Promise<PartedDatabase> {
  for (const part of parts) await migrate(db, part.migrations, { part: part.name })
  return { db, parts }
}

/** One process with the keys of an installation. */
interface Process {
  readonly keys: DataKeys
  readonly customers: CustomerKeys
  put(owner: string, name: string, content?: string): Promise<void>
  read(owner: string, name: string): Promise<string>
}

interface World {
  readonly clock: ManualClock
  readonly system: MemoryKeySystem
  readonly logged: string[]
  process(db: Kysely<VaultSchema>, masterKey?: Buffer, previous?: readonly Buffer[]): Process
}

function createWorld(): World {
  const clock = createManualClock()
  const system = createMemoryKeySystem()
  const ownKey = randomBytes(32)
  const logged: string[] = []
  const collect = (fields: object, message: string): void => void logged.push(JSON.stringify([fields, message]))
  const log = { debug: collect, info: collect, warn: collect, error: collect, child: () => log }
  return {
    clock,
    system,
    logged,
    process(db, masterKey = ownKey, previous = []) {
      const master = createSealer({ current: masterKey, previous })
      const systems = { kms: system, other: system }
      const keys = createDataKeys({ db, master, clock, systems, maxAgeMs, log })
      const customers = createCustomerKeys({ db, tables, master, dataKeys: keys, systems, clock, maxAgeMs, log })
      return {
        keys,
        customers,
        async put(owner, name, content = `treasure ${name}`) {
          const sealed = (await keys.of(owner)).seal(content, `content of ${name}`)
          await db
            .insertInto('treasure')
            .values({ owner, name, content: sealed })
            .onConflict((conflict) => conflict.columns(['owner', 'name']).doUpdateSet({ content: sealed }))
            .execute()
        },
        async read(owner, name) {
          const { content } = await db
            .selectFrom('treasure')
            .select('content')
            .where('owner', '=', owner)
            .where('name', '=', name)
            .executeTakeFirstOrThrow()
          return (await keys.of(owner, content)).open(content, `content of ${name}`)
        },
      }
    },
  }
}

const sealedTexts = async (db: Kysely<VaultSchema>): Promise<readonly string[]> =>
  (await db.selectFrom('treasure').select('content').orderBy('name').execute()).map(({ content }) => content)

/** What keys of customers promise. */
export const customerKeyCases: Readonly<Record<string, (subject: CustomerKeySubject) => Promise<void>>> = {
  async 'what is stored needs both keys: the master key alone opens no data key, and the system of the customer has seen none'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system } = createWorld()
    const masterKey = randomBytes(32)
    const one = process(db, masterKey)
    await one.put('a', 'n')
    const before = await sealedTexts(db)
    await one.customers.use('a', kms)
    expect(await one.read('a', 'n')).toBe('treasure n')
    // Sealed with a data key that was never kept without the customer's key.
    expect((await sealedTexts(db))[0]?.split('.')[1]).not.toBe(before[0]?.split('.')[1])
    const master = createSealer({ current: masterKey })
    const rows = await db.selectFrom('sealing_data_key').selectAll().execute()
    const inner = rows.map((row) => master.open(row.wrapped_key, JSON.stringify(['data key', 'a', row.generation])))
    expect(inner).toHaveLength(2)
    for (const text of inner) expect(text).toMatch(/^v2\./)
    const dataKeyIds = new Set([...before, ...(await sealedTexts(db))].map((text) => text.split('.')[1]))
    for (const bytes of system.seen) expect(dataKeyIds).not.toContain(createSealKey(bytes).id)
    expect(system.seen.length).toBeGreaterThan(0)
  },

  async 'a key that is taken back works no longer than the stated time, and no other subaccount is concerned; given again it works'({
    open,
  }) {
    const db = open()
    await prepare(db)
    const { process, system, clock, logged } = createWorld()
    const one = process(db)
    for (const owner of ['a', 'b']) await one.put(owner, `n-${owner}`)
    await one.customers.use('a', kms)
    expect(await one.read('a', 'n-a')).toBe('treasure n-a')
    system.revoke('acme')
    expect(await one.read('a', 'n-a')).toBe('treasure n-a')
    clock.advance(maxAgeMs)
    await expect(one.read('a', 'n-a')).rejects.toMatchObject(unavailable)
    await expect(one.put('a', 'more')).rejects.toMatchObject(unavailable)
    expect(await one.read('b', 'n-b')).toBe('treasure n-b')
    // A process that starts now has nothing to go on with.
    await expect(process(open()).read('a', 'n-a')).rejects.toMatchObject(unavailable)
    system.restore('acme')
    clock.advance(5_000)
    expect(await one.read('a', 'n-a')).toBe('treasure n-a')
    const error: unknown = await process(db, randomBytes(32))
      .read('a', 'n-a')
      .catch((thrown: unknown) => thrown)
    expect(String(error)).not.toMatch(/acme|secret-system-name|kms/)
    expect(logged.filter((line) => /not available/.test(line))).not.toEqual([])
    expect(logged.join()).not.toMatch(/acme|secret-system-name|kms/)
  },

  async 'is asked for in the background half-way, and then a refusal counts at once'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system, clock } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    await one.customers.use('a', kms)
    await one.read('a', 'n')
    system.revoke('acme')
    clock.advance(maxAgeMs / 2)
    await one.read('a', 'n')
    await expect
      .poll(() =>
        one.read('a', 'n').then(
          () => 'read',
          (error: { code: string }) => error.code,
        ),
      )
      .toBe(unavailable.code)
  },

  async 'an outage that ends in time is not noticed; a longer one refuses for as long as it lasts'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system, clock } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    await one.customers.use('a', kms)
    await one.read('a', 'n')
    system.down = true
    clock.advance(maxAgeMs - 1)
    expect(await one.read('a', 'n')).toBe('treasure n')
    clock.advance(5_000)
    await expect(one.read('a', 'n')).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    system.down = false
    clock.advance(5_000)
    expect(await one.read('a', 'n')).toBe('treasure n')
  },

  async 'many that ask at once ask the system once, also when it refuses'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system, clock } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    await one.customers.use('a', kms)
    const fresh = process(db)
    system.calls.unwrapped = 0
    await Promise.all(Array.from({ length: 50 }, () => fresh.read('a', 'n')))
    expect(system.calls.unwrapped).toBe(1)
    system.revoke('acme')
    clock.advance(maxAgeMs)
    for (let turn = 0; turn < 3; turn += 1)
      await Promise.all(Array.from({ length: 20 }, () => expect(fresh.read('a', 'n')).rejects.toMatchObject(unavailable)))
    expect(system.calls.unwrapped).toBe(2)
  },

  async 'another process notices within the stated time, and what it wrote meanwhile is sealed again afterwards'({ open }) {
    const db = open()
    await prepare(db)
    const { process, clock } = createWorld()
    const [one, two] = [process(db), process(open())]
    await one.put('a', 'n-1')
    await two.read('a', 'n-1')
    await one.customers.use('a', kms)
    await two.put('a', 'n-2')
    expect([await two.read('a', 'n-1'), await one.read('a', 'n-2')]).toEqual(['treasure n-1', 'treasure n-2'])
    const idsOf = async (): Promise<number> => new Set((await sealedTexts(db)).map((text) => text.split('.')[1])).size
    expect(await idsOf()).toBe(2)
    expect(await one.customers.settle()).toEqual([])
    clock.advance(2 * maxAgeMs + 1)
    expect(await one.customers.settle()).toEqual(['a'])
    expect(await idsOf()).toBe(1)
    expect(await one.customers.settle()).toEqual([])
    expect(await one.customers.states()).toMatchObject([
      { subaccountId: 'a', settled: true, state: 'usable', description: { version: '1' } },
    ])
    expect(await two.read('a', 'n-2')).toBe('treasure n-2')
  },

  async 'used once more it takes the newest version; earlier ones may be retired then'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    await one.customers.use('a', kms)
    system.rotate('acme')
    await one.customers.use('a', kms)
    system.rotate('acme')
    system.retire('acme')
    await expect(process(db).read('a', 'n')).rejects.toMatchObject(unavailable)
    const again = createWorld()
    const other = again.process(open())
    await other.put('b', 'n')
    await other.customers.use('b', kms)
    again.system.rotate('acme')
    await other.customers.use('b', kms)
    const versions = (await db.selectFrom('sealing_customer_key').selectAll().orderBy('subaccount_id').execute()).map(
      (row) => row.wrapped_key[0],
    )
    expect(versions).toEqual(['1', '1'])
    expect(await again.process(open()).read('b', 'n')).toBe('treasure n')
  },

  async 'goes to another key and away again, and the one before is of no use'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    await one.customers.use('a', kms)
    await one.customers.use('a', { system: 'other', key: 'acme-2' })
    system.revoke('acme')
    expect(await process(db).read('a', 'n')).toBe('treasure n')
    expect(await one.customers.release('a')).toBe(true)
    expect(await one.customers.release('a')).toBe(false)
    system.revoke('acme-2')
    expect(await process(db).read('a', 'n')).toBe('treasure n')
    expect(await one.customers.states()).toEqual([])
  },

  async 'is not released, moved or renewed while it is taken back'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    await one.customers.use('a', kms)
    system.revoke('acme')
    await expect(one.customers.release('a')).rejects.toMatchObject(unavailable)
    await expect(one.customers.use('a', { system: 'kms', key: 'mine' })).rejects.toMatchObject(unavailable)
    await expect(one.keys.renew('a')).rejects.toMatchObject(unavailable)
    expect(await one.customers.states()).toMatchObject([
      { subaccountId: 'a', system: 'kms', key: 'acme', state: 'unavailable', reason: expect.stringContaining('refuses') },
    ])
    system.restore('acme')
    expect(await process(db).read('a', 'n')).toBe('treasure n')
  },

  async 'a system that is not configured, that refuses or that does not give back what it has wrapped changes nothing'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    const before = await db.selectFrom('sealing_data_key').selectAll().execute()
    await expect(one.customers.use('a', { system: 'nobody', key: 'x' })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    system.revoke('acme')
    await expect(one.customers.use('a', kms)).rejects.toMatchObject(unavailable)
    const liar = { ...system.key('liar'), unwrap: () => Promise.resolve(Buffer.alloc(32)) }
    const lying = { key: () => liar, [Symbol.asyncDispose]: () => Promise.resolve() }
    const master = createSealer({ current: randomBytes(32) })
    const clock: Clock = createManualClock()
    const customers = createCustomerKeys({ db, tables, master, dataKeys: one.keys, systems: { lying }, clock, maxAgeMs })
    await expect(customers.use('a', { system: 'lying', key: 'liar' })).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION' })
    expect(await db.selectFrom('sealing_data_key').selectAll().execute()).toEqual(before)
  },

  async 'the master key changes without the system, and every value without those whose key is taken back'({ open }) {
    const db = open()
    await prepare(db)
    const { process, system } = createWorld()
    const [oldKey, newKey] = [randomBytes(32), randomBytes(32)]
    const one = process(db, oldKey)
    for (const owner of ['a', 'b']) await one.put(owner, `n-${owner}`)
    await one.customers.use('a', kms)
    system.down = true
    const both = process(db, newKey, [oldKey])
    const master = createSealer({ current: newKey, previous: [oldKey] })
    expect(await reseal(db, { tables, master, dataKeys: both.keys })).toMatchObject({ sealedAgain: 3, unavailable: [] })
    system.down = false
    expect(await process(db, newKey).read('a', 'n-a')).toBe('treasure n-a')
    system.revoke('acme')
    const outcome = await reseal(db, { tables, master, dataKeys: process(db, newKey).keys, renewDataKeys: true })
    expect(outcome).toMatchObject({ sealedAgain: 1, unavailable: ['a'] })
    system.restore('acme')
    expect(await process(db, newKey).read('a', 'n-a')).toBe('treasure n-a')
    expect(await reseal(db, { tables, master, dataKeys: process(db, newKey).keys, renewDataKeys: true })).toMatchObject({ sealedAgain: 2 })
    expect(await process(db, newKey).read('a', 'n-a')).toBe('treasure n-a')
  },

  async 'is part of a backup, which restores while the key is taken back and opens when it is given again'({ open, other, file }) {
    const from = await prepare(open())
    const { process, system } = createWorld()
    const [own, elsewhere] = [randomBytes(32), randomBytes(32)]
    const one = process(from.db, own)
    await one.put('a', 'n')
    await one.customers.use('a', kms)
    system.revoke('acme')
    const lock = { kind: 'password', password: createSecret('c0rrect horse'), cost: 10 } as const
    await backUp({ file, databases: [from], keys: { current: own }, lock, files: {}, nowMs: 1, writtenBy: 'test' })
    const to = other()
    await restore({ file, databases: [{ db: to, parts }], keys: { current: elsewhere }, lock, replace: false })
    await expect(process(to, elsewhere).read('a', 'n')).rejects.toMatchObject(unavailable)
    system.restore('acme')
    expect(await process(to, elsewhere).read('a', 'n')).toBe('treasure n')
  },

  async 'two who change the key at the same moment leave one that works'({ open }) {
    const db = open()
    await prepare(db)
    const { process } = createWorld()
    const one = process(db)
    await one.put('a', 'n')
    const processes = [one, process(open()), process(open())]
    const outcomes = await Promise.allSettled(processes.map(({ customers }, at) => customers.use('a', { system: 'kms', key: `key-${at}` })))
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(0)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'STORE_FAILED' })
    expect(await process(db).read('a', 'n')).toBe('treasure n')
    expect(await process(db).customers.states()).toHaveLength(1)
  },
}
