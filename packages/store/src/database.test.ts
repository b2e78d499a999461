import { chmodSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Kysely, sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Migrations, migrate, openDatabase } from './index.ts'

interface Schema {
  readonly account: { readonly id: string; readonly balance: number }
}

const accounts: Migrations = {
  '0001-account': {
    up: (db) =>
      db.schema
        .createTable('account')
        .addColumn('id', 'text', (column) => column.primaryKey())
        .addColumn('balance', 'integer', (column) => column.notNull())
        .execute(),
  },
}

let folder: string
let opened: Kysely<Schema>[]

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
  opened = []
})

afterEach(async () => {
  await Promise.all(opened.map((db) => db.destroy()))
  rmSync(folder, { recursive: true, force: true })
})

function open(file: string): Kysely<Schema> {
  const db = openDatabase<Schema>(file)
  opened.push(db)
  return db
}

async function pragma(db: Kysely<Schema>, name: string): Promise<unknown> {
  const { rows } = await sql.raw<Record<string, unknown>>(`pragma ${name}`).execute(db)
  return Object.values(rows[0] ?? {})[0]
}

describe('opening', () => {
  it('sets what durability and integrity need', async () => {
    const db = open(join(folder, 'a.db'))
    expect(await pragma(db, 'journal_mode')).toBe('wal')
    expect(await pragma(db, 'synchronous')).toBe(2)
    expect(await pragma(db, 'foreign_keys')).toBe(1)
    expect(await pragma(db, 'busy_timeout')).toBe(5000)
  })

  it('keeps every file of the database to its owner, also one that was open to others before', async () => {
    const file = join(folder, 'deep', 'folder', 'a.db')
    const db = open(file)
    await migrate(db, accounts)
    expect(readdirSync(join(folder, 'deep', 'folder')).toSorted()).toEqual(['a.db', 'a.db-shm', 'a.db-wal'])
    for (const name of readdirSync(join(folder, 'deep', 'folder'))) {
      expect({ name, mode: statSync(join(folder, 'deep', 'folder', name)).mode & 0o777 }).toEqual({ name, mode: 0o600 })
    }
    await db.destroy()
    chmodSync(file, 0o644)
    open(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
  })

  it('refuses a file that is no database, and a path that cannot be one', () => {
    writeFileSync(join(folder, 'text'), 'this is no database, although it is long enough to be the header of one'.repeat(10))
    expect(() => open(join(folder, 'text'))).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
    expect(() => open(folder)).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
    expect(() => open(join(folder, 'text', 'below-a-file'))).toThrow(expect.objectContaining({ code: 'STORE_FAILED' }))
  })
})

describe('a transaction', () => {
  it('takes the write lock at once, so that it never fails because somebody else wrote after its first read', async () => {
    const file = join(folder, 'a.db')
    const [one, two] = [open(file), open(file)]
    await migrate(one, accounts)
    await sql.raw('pragma busy_timeout = 0').execute(two)
    await one.transaction().execute(async (transaction) => {
      await transaction.selectFrom('account').selectAll().execute()
      await expect(two.insertInto('account').values({ id: 'b', balance: 1 }).execute()).rejects.toThrow('locked')
      await transaction.insertInto('account').values({ id: 'a', balance: 1 }).execute()
    })
    expect(await two.selectFrom('account').select('id').execute()).toEqual([{ id: 'a' }])
  })
})

describe('statements that are kept', () => {
  it('see a changed schema, and start anew after a reading that was broken off', async () => {
    const db = open(':memory:')
    await migrate(db, accounts)
    const all = () => db.selectFrom('account').selectAll().orderBy('id')
    expect(await all().execute()).toEqual([])
    await db.schema.alterTable('account').addColumn('note', 'text').execute()
    for (const id of ['a', 'b', 'c']) await db.insertInto('account').values({ id, balance: 1 }).execute()
    expect(await all().execute()).toEqual(['a', 'b', 'c'].map((id) => ({ id, balance: 1, note: null })))
    for await (const row of all().stream()) {
      expect(row.id).toBe('a')
      break
    }
    expect(await all().execute()).toHaveLength(3)
  })

  it('may be any number', async () => {
    const db = open(':memory:')
    for (let round = 0; round < 2; round += 1) {
      for (let number = 0; number < 300; number += 1) {
        const { rows } = await sql.raw<{ n: number }>(`select ${number} as n`).execute(db)
        expect(rows).toEqual([{ n: number }])
      }
    }
  })
})
