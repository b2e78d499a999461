import type { Kysely } from 'kysely'
import { expect } from 'vitest'
import { type Migrations, migrate } from '../src/index.ts'

/** The table of the cases. */
export interface AccountSchema {
  readonly account: { readonly id: string; readonly balance: number }
}

/** One empty database; `open` makes another connection to it. */
export interface DatabaseSubject {
  open(): Kysely<AccountSchema>
}

const accounts: Migrations = {
  '0001-account': {
    up: (db) =>
      db.schema
        .createTable('account')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('balance', 'bigint', (column) => column.notNull())
        .execute(),
  },
}
const note: Migrations = {
  '0001-note': { up: (db) => db.schema.createTable('note').addColumn('id', 'text').execute() },
}
const step = (up: () => void): Migrations[string] => ({ up: () => Promise.resolve(up()) })
const all = (db: Kysely<AccountSchema>): Promise<unknown> => db.selectFrom('account').selectAll().orderBy('id').execute()

/** What repositories may rely on, whichever database they were given. */
export const databaseCases: Readonly<Record<string, (subject: DatabaseSubject) => Promise<void>>> = {
  async 'two connections see what the other has committed, and nothing before'({ open }) {
    const [one, two] = [open(), open()]
    await migrate(one, accounts)
    await one.transaction().execute(async (transaction) => {
      await transaction.insertInto('account').values({ id: 'a', balance: 1 }).execute()
      expect(await all(two)).toEqual([])
    })
    expect(await all(two)).toEqual([{ id: 'a', balance: 1 }])
  },

  async 'numbers come back as numbers, also far beyond 32 bits'({ open }) {
    const db = open()
    await migrate(db, accounts)
    const balance = Date.UTC(2099, 11, 31)
    await db.insertInto('account').values({ id: 'a', balance }).execute()
    expect(await all(db)).toEqual([{ id: 'a', balance }])
    expect(
      await db
        .selectFrom('account')
        .select(({ fn }) => fn.countAll().as('count'))
        .execute(),
    ).toEqual([{ count: 1 }])
  },

  async 'a transaction that fails leaves nothing behind, also what it read and wrote before'({ open }) {
    const db = open()
    await migrate(db, accounts)
    const failing = db.transaction().execute(async (transaction) => {
      await transaction.insertInto('account').values({ id: 'a', balance: 1 }).execute()
      throw new Error('half-way')
    })
    await expect(failing).rejects.toThrow('half-way')
    expect(await all(db)).toEqual([])
  },

  async 'a transaction does not mix with statements that others run on the same database object meanwhile'({ open }) {
    const db = open()
    await migrate(db, accounts)
    const failing = db.transaction().execute(async (transaction) => {
      await transaction.insertInto('account').values({ id: 'a', balance: 1 }).execute()
      await new Promise(setImmediate)
      throw new Error('half-way')
    })
    const other = db.insertInto('account').values({ id: 'b', balance: 2 }).execute()
    await expect(failing).rejects.toThrow('half-way')
    await other
    expect(await all(db)).toEqual([{ id: 'b', balance: 2 }])
  },

  async 'a transaction that only reads sees one state, and lets others write'({ open }) {
    const [one, two] = [open(), open()]
    await migrate(one, accounts)
    await one
      .transaction()
      .setAccessMode('read only')
      .setIsolationLevel('repeatable read')
      .execute(async (transaction) => {
        expect(await all(transaction)).toEqual([])
        await two.insertInto('account').values({ id: 'b', balance: 1 }).execute()
        expect(await all(transaction)).toEqual([])
      })
    expect(await all(one)).toEqual([{ id: 'b', balance: 1 }])
  },

  async 'two transactions that add to the same row lose nothing'({ open }) {
    const [one, two] = [open(), open()]
    await migrate(one, accounts)
    await one.insertInto('account').values({ id: 'a', balance: 0 }).execute()
    const add = (db: Kysely<AccountSchema>): Promise<unknown> =>
      db
        .updateTable('account')
        .set((ref) => ({ balance: ref('balance', '+', 1) }))
        .where('id', '=', 'a')
        .execute()
    await Promise.all(Array.from({ length: 20 }, (_, at) => add(at % 2 === 0 ? one : two)))
    expect(await all(one)).toEqual([{ id: 'a', balance: 20 }])
  },

  async 'a migration runs each step once, in the order of names'({ open }) {
    const db = open()
    const order: string[] = []
    const said = (name: string): Migrations[string] => step(() => order.push(name))
    await migrate(db, { '0002-b': said('b'), '0001-a': said('a') })
    await migrate(db, { '0002-b': said('b'), '0001-a': said('a'), '0003-c': said('c') })
    expect(order).toEqual(['a', 'b', 'c'])
  },

  async 'a migration keeps nothing of a call in which one step failed'({ open }) {
    const db = open()
    const failing: Migrations = { ...note, '0002-broken': { up: () => Promise.reject(new Error('no space')) } }
    await expect(migrate(db, failing)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: 'migrating the database, step 0002-broken: no space',
    })
    expect((await db.introspection.getTables()).map(({ name }) => name)).not.toContain('note')
    await migrate(db, note)
  },

  async 'migrations of parts that share a database do not know each other'({ open }) {
    const db = open()
    await migrate(db, accounts, { part: 'token-service' })
    await migrate(db, note, { part: 'destinations' })
    await migrate(db, accounts, { part: 'token-service' })
    expect(await all(db)).toEqual([])
  },

  async 'a migration refuses a database that a newer version has written, and names the step'({ open }) {
    const db = open()
    await migrate(db, { ...accounts, '0002-newer': step(() => {}) })
    await expect(migrate(db, accounts)).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('0002-newer') })
  },

  async 'two replicas that start together migrate once'({ open }) {
    const replicas = Array.from({ length: 4 }, () => open())
    let runs = 0
    const slow: Migrations = {
      ...accounts,
      '0002-count': {
        async up(db) {
          runs += 1
          await new Promise(setImmediate)
          await db.schema.createTable('note').addColumn('id', 'text').execute()
        },
      },
    }
    await Promise.all(replicas.map((db) => migrate(db, slow)))
    expect(runs).toBe(1)
  },
}
