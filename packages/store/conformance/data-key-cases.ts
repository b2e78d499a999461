import { randomBytes } from 'node:crypto'
import { type StoredTable, systemClock } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { expect } from 'vitest'
import {
  createDataKeys,
  createSealer,
  dataKeyMigrations,
  dataKeyPart,
  dataKeyTables,
  type DataKeys,
  migrate,
  reseal,
} from '../src/index.ts'

interface SecretSchema {
  readonly secret: { readonly subaccount: string; readonly name: string; readonly content: string; readonly note: string | null }
  readonly sealing_data_key: { readonly subaccount_id: string; readonly wrapped_key: string }
}

/** An empty database that has the tables after {@link prepareSecrets}; `open` makes another connection to it, as another process would. */
export interface DataKeySubject {
  open(): Kysely<SecretSchema>
}

const tables: readonly StoredTable[] = [
  ...dataKeyTables,
  {
    name: 'secret',
    key: ['subaccount', 'name'],
    sealed: [
      { column: 'content', subaccount: (row) => String(row['subaccount']), context: (row) => `content of ${row['name']}` },
      { column: 'note', context: (row) => `note of ${row['name']}` },
    ],
  },
]

async function prepare(db: Kysely<SecretSchema>): Promise<void> {
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  await migrate(db, {
    '0001-secret': {
      up: (schema) =>
        schema.schema
          .createTable('secret')
          .addColumn('subaccount', 'text')
          .addColumn('name', 'text')
          .addColumn('content', 'text')
          .addColumn('note', 'text')
          .addPrimaryKeyConstraint('secret_key', ['subaccount', 'name'])
          .execute(),
    },
  })
}

const [oldKey, newKey] = [randomBytes(32), randomBytes(32)]
const keysOf = (db: Kysely<SecretSchema>, current = oldKey, previous: readonly Buffer[] = []): DataKeys =>
  createDataKeys({ db, master: createSealer({ current, previous }), clock: systemClock })

/** What repositories and changes of keys may rely on. */
export const dataKeyCases: Readonly<Record<string, (subject: DataKeySubject) => Promise<void>>> = {
  async 'each subaccount has a key of its own, the same after a restart and in every process'({ open }) {
    const db = open()
    await prepare(db)
    const sealed = (await keysOf(db).of('a')).seal('p4ss', 'here')
    expect(sealed).toMatch(/^v2\./)
    expect((await keysOf(open()).of('a', sealed)).open(sealed, 'here')).toBe('p4ss')
    await expect(
      keysOf(db)
        .of('b', sealed)
        .then((sealer) => sealer.open(sealed, 'here')),
    ).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(
      keysOf(db)
        .of('a', sealed)
        .then((sealer) => sealer.open(sealed, 'there')),
    ).rejects.toMatchObject({ code: 'STORE_FAILED' })
    const rows = await db.selectFrom('sealing_data_key').selectAll().execute()
    expect(rows.map((row) => row.subaccount_id).toSorted()).toEqual(['a', 'b'])
    expect(rows.every((row) => row.wrapped_key.startsWith('v1.'))).toBe(true)
  },

  async 'two processes that need the first key of a subaccount at the same moment use the same'({ open }) {
    await prepare(open())
    const processes = Array.from({ length: 4 }, () => keysOf(open()))
    const texts = await Promise.all(processes.map(async (keys, at) => (await keys.of('a')).seal(String(at), 'here')))
    const sealer = await keysOf(open()).of('a', ...texts)
    expect(texts.map((text) => sealer.open(text, 'here'))).toEqual(['0', '1', '2', '3'])
  },

  async 'a key that another process has renewed is noticed'({ open }) {
    await prepare(open())
    const [one, two] = [keysOf(open()), keysOf(open())]
    const before = (await one.of('a')).seal('before', 'here')
    expect((await two.of('a', before)).open(before, 'here')).toBe('before')
    await two.renew('a')
    const after = (await two.of('a')).seal('after', 'here')
    const sealer = await one.of('a', before, after)
    expect([sealer.open(before, 'here'), sealer.open(after, 'here')]).toEqual(['before', 'after'])
    expect(after.split('.')[1]).not.toBe(before.split('.')[1])
  },

  async 'a master key that is not at hand is a failure that is not remembered'({ open }) {
    const db = open()
    await prepare(db)
    const sealed = (await keysOf(db).of('a')).seal('p4ss', 'here')
    let known = [newKey]
    const keys = createDataKeys({ db, master: createSealer(() => ({ current: newKey, previous: known })), clock: systemClock })
    await expect(keys.of('a')).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringContaining('not at hand') })
    known = [oldKey]
    expect((await keys.of('a', sealed)).open(sealed, 'here')).toBe('p4ss')
  },

  async 'a change of the master key seals the keys again and touches no value; afterwards the old key is of no use'({ open }) {
    const db = open()
    await prepare(db)
    const content = (await keysOf(db).of('a')).seal('p4ss', 'content of n')
    const note = createSealer({ current: oldKey }).seal('n0te', 'note of n')
    await db.insertInto('secret').values({ subaccount: 'a', name: 'n', content, note }).execute()
    await db.insertInto('secret').values({ subaccount: 'a', name: 'without', content, note: null }).execute()

    const master = createSealer({ current: newKey, previous: [oldKey] })
    const change = (): ReturnType<typeof reseal> =>
      reseal(db, { tables: [...tables], master, dataKeys: createDataKeys({ db, master, clock: systemClock }) })
    expect(await change()).toEqual({ values: 4, sealedAgain: 2, unavailable: [] })
    expect(await change()).toEqual({ values: 4, sealedAgain: 0, unavailable: [] })
    const row = await db.selectFrom('secret').selectAll().where('name', '=', 'n').executeTakeFirstOrThrow()
    expect(row.content).toBe(content)
    expect((await keysOf(db, newKey).of('a', content)).open(content, 'content of n')).toBe('p4ss')
    expect(createSealer({ current: newKey }).open(row.note ?? '', 'note of n')).toBe('n0te')
    await expect(keysOf(db, oldKey).of('a')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  },

  async 'what an early version sealed with the master key itself opens, and gets the key of its subaccount'({ open }) {
    const db = open()
    await prepare(db)
    const early = createSealer({ current: oldKey }).seal('p4ss', 'content of n')
    expect((await keysOf(db).of('a', early)).open(early, 'content of n')).toBe('p4ss')
    await db.insertInto('secret').values({ subaccount: 'a', name: 'n', content: early, note: null }).execute()
    const master = createSealer({ current: oldKey })
    expect(await reseal(db, { tables: [...tables], master, dataKeys: createDataKeys({ db, master, clock: systemClock }) })).toMatchObject({
      sealedAgain: 1,
    })
    const { content } = await db.selectFrom('secret').selectAll().executeTakeFirstOrThrow()
    expect(content).toMatch(/^v2\./)
    expect((await keysOf(db).of('a', content)).open(content, 'content of n')).toBe('p4ss')
  },

  async 'renewing the keys of subaccounts seals every value again, many of them too'({ open }) {
    const db = open()
    await prepare(db)
    const sealer = await keysOf(db).of('a')
    const rows = Array.from({ length: 1_001 }, (_, at) => ({
      subaccount: 'a',
      name: `n-${at}`,
      content: sealer.seal(String(at), `content of n-${at}`),
      note: null,
    }))
    for (let from = 0; from < rows.length; from += 100)
      await db
        .insertInto('secret')
        .values(rows.slice(from, from + 100))
        .execute()
    const master = createSealer({ current: oldKey })
    const outcome = await reseal(db, {
      tables: [...tables],
      master,
      dataKeys: createDataKeys({ db, master, clock: systemClock }),
      renewDataKeys: true,
    })
    expect(outcome.sealedAgain).toBe(1_001)
    const kept = await db.selectFrom('secret').select(['name', 'content']).execute()
    const opened = await keysOf(db).of('a', ...kept.map((row) => row.content))
    expect(kept.every((row) => row.name === `n-${opened.open(row.content, `content of ${row.name}`)}`)).toBe(true)
    expect(new Set(kept.map((row) => row.content.split('.')[1]))).not.toContain(rows[0]?.content.split('.')[1])
  },

  async 'a value that does not open stops the change and is named by nothing it holds'({ open }) {
    const db = open()
    await prepare(db)
    const content = (await keysOf(db).of('a')).seal('p4ss', 'content of somebody else')
    await db.insertInto('secret').values({ subaccount: 'a', name: 'n', content, note: null }).execute()
    const master = createSealer({ current: newKey, previous: [oldKey] })
    const change = reseal(db, {
      tables: [...tables],
      master,
      dataKeys: createDataKeys({ db, master, clock: systemClock }),
      renewDataKeys: true,
    })
    await expect(change).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.stringMatching(/secret.*n\b/) })
  },
}
