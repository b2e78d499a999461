import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Postgres, skipUnless, startPostgres } from '@sallyport/real-backends'
import { createTestCa } from '@sallyport/test-fixtures'
import { type Kysely, sql } from 'kysely'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { backupCases } from '../conformance/backup-cases.ts'
import { customerKeyCases } from '../conformance/customer-key-cases.ts'
import { dataKeyCases } from '../conformance/data-key-cases.ts'
import { type AccountSchema, databaseCases } from '../conformance/database-cases.ts'
import { migrate, openDatabase, openPostgresDatabase, type PostgresOptions } from '../src/index.ts'

const skipped = skipUnless('postgres', 'initdb', 'psql')
const ca = createTestCa()
let postgres: Postgres
const opened: { destroy(): Promise<void> }[] = []

beforeAll(async () => {
  if (!skipped)
    postgres = await startPostgres({ settings: { fsync: 'off' }, tls: ca.issue({ subject: '/CN=database', names: ['127.0.0.1'] }) })
})
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()))
})
afterAll(() => postgres?.stop())

function open<Schema = AccountSchema>(options: PostgresOptions): Kysely<Schema> {
  const db = openPostgresDatabase<Schema>({
    password: () => postgres.password,
    tls: { mode: 'verify', authorities: [ca.certificate] },
    ...options,
  })
  opened.push(db)
  return db
}
const ping = (db: Kysely<AccountSchema>): Promise<unknown> => sql`select 1`.execute(db)

describe.skipIf(skipped)('a database in PostgreSQL', () => {
  it.each(Object.entries(databaseCases))('%s', async (_name, run) => {
    const url = await postgres.createDatabase()
    await expect(run({ open: () => open({ url }) })).resolves.toBeUndefined()
  })
})

describe.skipIf(skipped)('keys of subaccounts in PostgreSQL', () => {
  it.each(Object.entries(dataKeyCases))('%s', async (_name, run) => {
    const url = await postgres.createDatabase()
    await expect(run({ open: () => open({ url }) })).resolves.toBeUndefined()
  })
})

describe.skipIf(skipped)('keys of customers in PostgreSQL', () => {
  it.each(Object.entries(customerKeyCases))('%s', async (_name, run) => {
    const [url, otherUrl] = [await postgres.createDatabase(), await postgres.createDatabase()]
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-customer-keys-'))
    try {
      const subject = { open: () => open<never>({ url }), other: () => open<never>({ url: otherUrl }), file: join(folder, 'a.backup') }
      await expect(run(subject)).resolves.toBeUndefined()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe.skipIf(skipped).each([
  ['PostgreSQL into PostgreSQL', 2],
  ['PostgreSQL into SQLite', 0],
  ['SQLite into PostgreSQL', 1],
] as const)('a backup from %s', (_pair, servers) => {
  it.each(Object.entries(backupCases))('%s', async (_name, run) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-backup-'))
    const create = async <Schema>(which: number): Promise<Kysely<Schema>> => {
      if (servers === 2 || servers === which) return open({ url: await postgres.createDatabase() })
      const db = openDatabase<Schema>(':memory:')
      opened.push(db)
      return db
    }
    try {
      await expect(run({ create, file: join(folder, 'a.backup') })).resolves.toBeUndefined()
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})

describe.skipIf(skipped)('a connection', () => {
  it('is made with TLS, or through a socket without', async () => {
    const url = new URL(await postgres.createDatabase())
    const encrypted = sql<{ ssl: boolean }>`select ssl from pg_stat_ssl where pid = pg_backend_pid()`
    expect((await encrypted.execute(open({ url: url.href }))).rows).toEqual([{ ssl: true }])
    const socket = `postgresql://${postgres.user}@:${postgres.port}${url.pathname}?host=${postgres.socketFolder}`
    expect((await encrypted.execute(open({ url: socket }))).rows).toEqual([{ ssl: false }])
    expect((await encrypted.execute(open({ url: url.href, tls: { mode: 'off' } }))).rows).toEqual([{ ssl: false }])
  })

  it('is refused when nobody vouches for the server, or for another name', async () => {
    const url = await postgres.createDatabase()
    const foreign = { mode: 'verify', authorities: [createTestCa().certificate] } as const
    await expect(ping(open({ url, tls: foreign }))).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' })
    await expect(ping(open({ url, tls: { mode: 'verify' } }))).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' })
    await expect(ping(open({ url: url.replace('127.0.0.1', 'localhost') }))).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' })
  })

  it('says what is wrong with user, password and database, without repeating the password', async () => {
    const url = await postgres.createDatabase()
    const failure = async (options: PostgresOptions): Promise<unknown> =>
      ping(open(options)).then(
        () => 'no failure',
        (error: unknown) => error,
      )
    for (const password of ['wr0ng', '']) {
      const error = await failure({ url, password: () => password })
      expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID', message: expect.stringContaining('check user and password') })
      expect(String(error)).not.toContain('wr0ng')
    }
    expect(await failure({ url: url.replace('sallyport@', 'nobody@') })).toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect(await failure({ url: url.replace(/\/test_.*/, '/missing') })).toMatchObject({
      code: 'CONFIGURATION_INVALID',
      message: expect.stringMatching(/missing on 127\.0\.0\.1:\d+.*create the database/),
    })
  })

  it('takes a password that has been changed meanwhile', async () => {
    const url = await postgres.createDatabase()
    let password = 'old'
    const db = open({ url, password: () => password })
    await expect(ping(db)).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
    password = postgres.password
    await ping(db)
  })

  it('to nobody is SERVICE_UNAVAILABLE, and so is one to a server that accepts and says nothing', async () => {
    const silent = createServer()
    const sockets: Socket[] = []
    silent.on('connection', (socket) => sockets.push(socket)).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as { port: number }
    const url = `postgresql://a@127.0.0.1:${port}/b`
    try {
      const started = performance.now()
      await expect(ping(open({ url, connectTimeoutMs: 200 }))).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
      expect(performance.now() - started).toBeLessThan(3_000)
    } finally {
      for (const socket of sockets) socket.destroy()
      silent.close()
      await once(silent, 'close')
    }
    await expect(ping(open({ url }))).rejects.toMatchObject({
      code: 'SERVICE_UNAVAILABLE',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  it('is one of a bounded number; who waits too long for one is told so', async () => {
    const db = open({ url: await postgres.createDatabase(), maxConnections: 1, connectTimeoutMs: 300 })
    await db.transaction().execute(async () => {
      await expect(ping(db)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    })
    await ping(db)
  })
})

describe.skipIf(skipped)('a statement', () => {
  it('that takes too long is ended by the server, and the connection goes on', async () => {
    const db = open({ url: await postgres.createDatabase(), statementTimeoutMs: 200, maxConnections: 1 })
    await expect(sql`select pg_sleep(20)`.execute(db)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('longer than a statement may'),
    })
    await ping(db)
  })

  it('on a schema that is not there says so', async () => {
    const db = open({ url: await postgres.createDatabase() })
    await expect(db.selectFrom('account').selectAll().execute()).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining('db status'),
    })
  })

  it('names no value when it fails', async () => {
    const db = open({ url: await postgres.createDatabase() })
    await sql`create table account (id text primary key, balance bigint)`.execute(db)
    const insert = (): Promise<unknown> => db.insertInto('account').values({ id: 's3cret', balance: 1 }).execute()
    await insert()
    await expect(insert()).rejects.toMatchObject({ code: 'STORE_FAILED', message: expect.not.stringContaining('s3cret') })
  })
})

describe.skipIf(skipped)('a server that keeps text in another encoding', () => {
  it('is refused', async () => {
    await postgres.run(`create database latin owner sallyport encoding 'LATIN1' locale_provider libc locale 'C' template template0`)
    await expect(migrate(open({ url: (await postgres.createDatabase()).replace(/test_\d+$/, 'latin') }), {})).rejects.toThrow(/UTF8/)
  })
})
