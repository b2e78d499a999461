import { randomBytes } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { createSecret, systemClock } from '@sallyport/core'
import { type Kysely, sql } from 'kysely'
import { expect } from 'vitest'
import {
  type ArchiveLock,
  backUp,
  createDataKeys,
  createSealer,
  type DatabasePart,
  dataKeyMigrations,
  dataKeyPart,
  dataKeyTables,
  inspectArchive,
  migrate,
  type Migrations,
  type PartedDatabase,
  readArchiveHeader,
  restore,
  type SealKeys,
} from '../src/index.ts'
import { writeArchive } from '../src/backup/archive-file.ts'
import type { ArchiveLine } from '../src/backup/archive-line.ts'
import { maxArchiveLineBytes } from '../src/limits.ts'

interface ShopSchema {
  readonly item: {
    readonly subaccount: string
    readonly name: string
    readonly content: string
    readonly price: number
    readonly note: string | null
  }
}

/** Empty databases, and a file name for the backup that nothing has yet. `create(0)` and `create(1)` may be of different kinds. */
export interface BackupSubject {
  create(which: 0 | 1): Promise<Kysely<ShopSchema>>
  readonly file: string
}

const first: Migrations = {
  '0001-thing': {
    up: (db) =>
      db.schema
        .createTable('thing')
        .addColumn('subaccount', 'text')
        .addColumn('name', 'text')
        .addColumn('content', 'text')
        .addPrimaryKeyConstraint('thing_key', ['subaccount', 'name'])
        .execute(),
  },
}
const second: Migrations = {
  ...first,
  '0002-item': {
    async up(db) {
      await db.schema.alterTable('thing').renameTo('item').execute()
      await db.schema
        .alterTable('item')
        .addColumn('price', 'bigint', (column) => column.notNull().defaultTo(7))
        .execute()
      await db.schema.alterTable('item').addColumn('note', 'text').execute()
    },
  },
}
const subaccount = (row: Readonly<Record<string, unknown>>): string => String(row['subaccount'])
const context = (row: Readonly<Record<string, unknown>>): string => `content of ${String(row['name'])}`
const sealed = [{ column: 'content', subaccount, context }]
const keyParts: DatabasePart = { name: dataKeyPart, migrations: dataKeyMigrations, tables: dataKeyTables }
const shop = (migrations: Migrations, name = 'item'): DatabasePart => ({
  name: 'shop',
  migrations,
  tables: [{ name, key: ['subaccount', 'name'], sealed }],
})
const parts = [keyParts, shop(second)]
const oldParts = [keyParts, shop(first, 'thing')]

const keys = (): SealKeys => ({ current: randomBytes(32) })
const withPassword = (password = 'c0rrect horse'): ArchiveLock => ({ kind: 'password', password: createSecret(password), cost: 10 })

async function prepare(db: Kysely<ShopSchema>, of: readonly DatabasePart[] = parts): Promise<PartedDatabase> {
  for (const part of of) await migrate(db, part.migrations, { part: part.name })
  return { db, parts: of }
}

async function add(db: Kysely<ShopSchema>, own: SealKeys, names: readonly string[], table = 'item'): Promise<void> {
  const dataKeys = createDataKeys({ db, master: createSealer(own), clock: systemClock })
  for (const name of names) {
    const owner = name.slice(0, 1)
    const content = (await dataKeys.of(owner)).seal(`secret ${name} ünïcode`, `content of ${name}`)
    const more = table === 'item' ? { price: Date.UTC(2099, 0, 1), note: name === 'a0' ? null : 'line\nbreak "quoted" \\' } : {}
    await db
      .insertInto(table as 'item')
      .values({ subaccount: owner, name, content, ...more } as never)
      .execute()
  }
}

async function shown(db: Kysely<ShopSchema>, own: SealKeys): Promise<unknown[]> {
  const dataKeys = createDataKeys({ db, master: createSealer(own), clock: systemClock })
  const rows = await db.selectFrom('item').selectAll().orderBy('name').execute()
  return Promise.all(
    rows.map(async (row) => ({
      ...row,
      content: (await dataKeys.of(row.subaccount, row.content)).open(row.content, `content of ${row.name}`),
    })),
  )
}

const plan = { files: { 'instances.json': '{"a":"ünïcode"}\n' }, nowMs: 77, writtenBy: '1.2.3' }
const several = ['a0', 'a1', 'b0']

/** What a backup promises, from any database into any other. */
export const backupCases: Readonly<Record<string, (subject: BackupSubject) => Promise<void>>> = {
  async 'brings everything into another installation with other keys, with the password alone'({ create, file }) {
    const [from, to] = [await prepare(await create(0)), await create(1)]
    const [own, other] = [keys(), keys()]
    await add(from.db, own, several)
    const before = await shown(from.db, own)
    const summary = await backUp({ ...plan, file, databases: [from], keys: own, lock: withPassword() })
    expect(summary).toEqual({ bytes: statSync(file).size, tables: { sealing_data_key: 2, sealing_customer_key: 0, item: 3 } })
    const content = await restore({ file, databases: [{ db: to, parts }], keys: other, lock: withPassword(), replace: false })
    expect(content.files).toEqual(plan.files)
    expect(await shown(to, other)).toEqual(before)
    expect(await shown(from.db, own)).toEqual(before)
  },

  async 'is readable by nobody: not to others, not without password, not in part'({ create, file }) {
    const from = await prepare(await create(0))
    const own = keys()
    await add(from.db, own, several)
    await backUp({ ...plan, file, databases: [from], keys: own, lock: withPassword() })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(file))).toEqual([basename(file)])
    const bytes = readFileSync(file, 'latin1')
    // Long enough that what is encrypted does not hold one by chance.
    for (const word of ['secret', 'quoted', 'item', own.current.toString('base64')]) expect(bytes).not.toContain(word)
    expect((await readArchiveHeader(file)).header).toMatchObject({ createdAtMs: 77, writtenBy: '1.2.3', lock: { kind: 'password' } })
    await expect(inspectArchive(file, withPassword('wrong'))).rejects.toMatchObject({
      code: 'MESSAGE_INVALID',
      message: expect.stringContaining('password is wrong'),
    })
    await expect(inspectArchive(file, { kind: 'master-key', keys: own })).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  },

  async 'is locked with the master key when there is no password, also with a previous one'({ create, file }) {
    const [from, to] = [await prepare(await create(0)), await create(1)]
    const own = keys()
    await add(from.db, own, several)
    await backUp({ ...plan, file, databases: [from], keys: own, lock: { kind: 'master-key', keys: own } })
    await expect(inspectArchive(file, { kind: 'master-key', keys: keys() })).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('not at hand'),
    })
    await expect(inspectArchive(file, withPassword())).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    const newer: SealKeys = { current: randomBytes(32), previous: [own.current] }
    await restore({ file, databases: [{ db: to, parts }], keys: newer, lock: { kind: 'master-key', keys: newer }, replace: false })
    expect(await shown(to, { current: newer.current })).toEqual(await shown(from.db, own))
  },

  async 'is one moment, although others go on writing'({ create, file }) {
    const from = await prepare(await create(0))
    const own = keys()
    const names = Array.from({ length: 700 }, (_, at) => `a${String(at).padStart(5, '0')}`)
    await add(from.db, own, names)
    const moved = sql`update item set price = 1`.execute.bind(sql`update item set price = 1`)
    const backup = backUp({ ...plan, file, databases: [from], keys: own, lock: { kind: 'master-key', keys: own } })
    await Promise.all([backup, moved(from.db)])
    const to = await create(1)
    await restore({ file, databases: [{ db: to, parts }], keys: own, lock: { kind: 'master-key', keys: own }, replace: false })
    const prices = await to
      .selectFrom('item')
      .select(['price', ({ fn }) => fn.countAll().as('count')])
      .groupBy('price')
      .execute()
    expect(prices).toHaveLength(1)
    expect(prices[0]?.count).toBe(700)
  },

  async 'of an earlier version gets the steps that have been added since'({ create, file }) {
    const [from, to] = [await prepare(await create(0), oldParts), await create(1)]
    const [own, other] = [keys(), keys()]
    await add(from.db, own, several, 'thing')
    await backUp({ ...plan, file, databases: [from], keys: own, lock: withPassword() })
    await restore({ file, databases: [{ db: to, parts }], keys: other, lock: withPassword(), replace: false })
    expect(await shown(to, other)).toMatchObject(several.map((name) => ({ name, price: 7, content: `secret ${name} ünïcode` })))
    await migrate(to, second, { part: 'shop' })
  },

  async 'of a newer version is refused, and nothing has changed'({ create, file }) {
    const [from, to] = [await prepare(await create(0)), await prepare(await create(1), oldParts)]
    const own = keys()
    await add(from.db, own, several)
    await backUp({ ...plan, file, databases: [from], keys: own, lock: withPassword() })
    await expect(restore({ file, databases: [to], keys: own, lock: withPassword(), replace: true })).rejects.toMatchObject({
      code: 'VERSION_UNSUPPORTED',
      message: expect.stringContaining('0002-item'),
    })
    await migrate(to.db, first, { part: 'shop' })
  },

  async 'is not put over data unless told; then nothing of before is left'({ create, file }) {
    const [from, to] = [await prepare(await create(0)), await prepare(await create(1))]
    const [own, other] = [keys(), keys()]
    await add(from.db, own, several)
    await add(to.db, other, ['a9', 'c0'])
    await backUp({ ...plan, file, databases: [from], keys: own, lock: withPassword() })
    const put = (replace: boolean): Promise<unknown> => restore({ file, databases: [to], keys: other, lock: withPassword(), replace })
    await expect(put(false)).rejects.toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringContaining('holds data already'),
    })
    expect(await to.db.selectFrom('item').select('name').orderBy('name').execute()).toEqual([{ name: 'a9' }, { name: 'c0' }])
    await put(true)
    await put(true)
    expect(await shown(to.db, other)).toEqual(await shown(from.db, own))
  },

  async 'that was changed, cut short or lengthened anywhere is refused, and nothing has changed'({ create, file }) {
    const [from, to] = [await prepare(await create(0)), await prepare(await create(1))]
    const own = keys()
    await add(from.db, own, several)
    await add(to.db, own, ['z0'])
    const lock: ArchiveLock = { kind: 'master-key', keys: own }
    await backUp({ ...plan, file, databases: [from], keys: own, lock })
    const whole = readFileSync(file)
    const broken = join(dirname(file), 'broken')
    const headerEnd = whole.indexOf(0x0a) + 1
    const variants: Buffer[] = [Buffer.alloc(0), whole.subarray(0, headerEnd), Buffer.concat([whole, Buffer.from([0])])]
    for (let at = 0; at < whole.length; at += 41) {
      const changed = Buffer.from(whole)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      variants.push(changed, whole.subarray(0, at))
    }
    for (const variant of variants) {
      writeFileSync(broken, variant)
      await expect(restore({ file: broken, databases: [to], keys: own, lock, replace: true })).rejects.toMatchObject({
        code: expect.stringMatching(/MESSAGE_INVALID|VERSION_UNSUPPORTED|CONFIGURATION_INVALID/),
      })
    }
    expect(await shown(to.db, own)).toMatchObject([{ name: 'z0' }])
  },

  async 'holds nothing but rows of the tables that its parts had: anything else is refused, and nothing has changed'({ create, file }) {
    const to = await prepare(await create(1))
    const own = keys()
    await add(to.db, own, ['z0'])
    await to.db.schema.createTable('other').addColumn('note', 'text').execute()
    const lock: ArchiveLock = { kind: 'master-key', keys: own }
    const steps = Object.keys(second)
    const part = { part: 'shop', steps }
    const columns = ['subaccount', 'name', 'content', 'price', 'note']
    const item = { table: 'item', columns }
    const row = { row: ['a', 'n', 'v1.x.y', 1, null] }
    const end = (rows: number): ArchiveLine => ({ end: { rows } })
    const odd: readonly (readonly unknown[])[] = [
      [part, { table: 'other', columns: ['note'] }, { row: ['x'] }, end(1)],
      [part, { table: 'migrations_shop', columns: ['name', 'timestamp'] }, { row: ['0003-later', 'x'] }, end(1)],
      [part, { table: 'sealing_data_key', columns: ['subaccount_id'] }, { row: ['a'] }, end(1)],
      [part, { table: 'sqlite_master', columns: ['name'] }, { row: ['a'] }, end(1)],
      [part, { table: 'item"; drop table item; --', columns: ['name'] }, { row: ['a'] }, end(1)],
      [part, { table: 'item', columns: [...columns, 'rowid'] }, { row: [...row.row, 1] }, end(1)],
      [part, { table: 'item', columns: ['name', 'name'] }, { row: ['a', 'b'] }, end(1)],
      [part, { table: 'item', columns: [] }, { row: [] }, end(1)],
      [part, item, { row: ['a'] }, end(1)],
      [part, item, { row: ['a', 'n', { toSQL: 1 }, 1, null] }, end(1)],
      [part, row, end(1)],
      [part, item, row, part, item, row, end(2)],
      [{ part: 'shop', steps: 'all' }, end(0)],
      [part, { table: 7, columns }, end(0)],
      [{ file: 'a', content: 7 }, end(0)],
      [{ surprise: true }, end(0)],
      [part, { table: 'item', columns: ['x'.repeat(maxArchiveLineBytes)] }, end(0)],
    ]
    for (const lines of odd) {
      rmSync(file, { force: true })
      const written = async function* (): AsyncGenerator<ArchiveLine> {
        yield* lines as readonly ArchiveLine[]
      }
      await writeArchive(file, written(), { lock, createdAtMs: 1, writtenBy: 'somebody' })
      await expect(
        restore({ file, databases: [to], keys: own, lock, replace: true }),
        JSON.stringify(lines).slice(0, 200),
      ).rejects.toMatchObject({
        code: 'MESSAGE_INVALID',
      })
    }
    expect(await shown(to.db, own)).toMatchObject([{ name: 'z0' }])
    expect(
      await to.db
        .selectFrom('other' as never)
        .selectAll()
        .execute(),
    ).toEqual([])
  },

  async 'passes over parts that have never been there; a restore makes them, empty'({ create, file }) {
    const [from, to] = [await prepare(await create(0), [keyParts]), await create(1)]
    const own = keys()
    await backUp({ ...plan, file, databases: [{ db: from.db, parts }], keys: own, lock: { kind: 'master-key', keys: own } })
    await restore({ file, databases: [{ db: to, parts }], keys: own, lock: { kind: 'master-key', keys: own }, replace: false })
    expect(await shown(to, own)).toEqual([])
  },

  async 'of a database that has not been migrated is refused'({ create, file }) {
    const from = await prepare(await create(0), oldParts)
    const backup = backUp({ ...plan, file, databases: [{ db: from.db, parts }], keys: keys(), lock: withPassword() })
    await expect(backup).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('db migrate') })
    expect(readdirSync(dirname(file))).toEqual([])
  },
}
