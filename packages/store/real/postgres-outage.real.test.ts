import { type Postgres, skipUnless, startPostgres } from '@sallyport/real-backends'
import { type Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { AccountSchema } from '../conformance/database-cases.ts'
import { openPostgresDatabase, type PostgresOptions } from '../src/index.ts'

const skipped = skipUnless('postgres', 'initdb', 'psql')
let postgres: Postgres
const opened: { destroy(): Promise<void> }[] = []

beforeAll(async () => {
  if (!skipped) postgres = await startPostgres()
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()))
})
afterAll(() => postgres?.stop())

function open(options: PostgresOptions): Kysely<AccountSchema> {
  const db = openPostgresDatabase<AccountSchema>({ password: () => postgres.password, tls: { mode: 'off' }, ...options })
  opened.push(db)
  return db
}

describe.skipIf(skipped)('when the server', () => {
  it('ends a connection in the middle of a transaction, nothing is kept, and the next one works', async () => {
    const db = open({ url: await postgres.createDatabase(), maxConnections: 1 })
    await sql`create table account (id text primary key, balance bigint)`.execute(db)
    const failing = db.transaction().execute(async (transaction) => {
      await transaction.insertInto('account').values({ id: 'a', balance: 1 }).execute()
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction)
      await postgres.run(`select pg_terminate_backend(${rows[0]?.pid})`)
      await transaction.insertInto('account').values({ id: 'b', balance: 1 }).execute()
    })
    await expect(failing).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    expect(await db.selectFrom('account').selectAll().execute()).toEqual([])
  })

  it.each(['crash', 'halt'] as const)(
    'goes away (%s) and comes back, what was acknowledged is there and nobody has to restart',
    async (end) => {
      const db = open({ url: await postgres.createDatabase() })
      await sql`create table account (id text primary key, balance bigint)`.execute(db)
      await db.insertInto('account').values({ id: end, balance: 1 }).execute()
      await postgres[end]()
      await expect(sql`select 1`.execute(db)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
      await postgres.start()
      expect(await db.selectFrom('account').selectAll().execute()).toEqual([{ id: end, balance: 1 }])
    },
  )
})
