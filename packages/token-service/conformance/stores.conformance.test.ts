import { randomBytes } from 'node:crypto'
import { createSecret } from '@sallyport/core'
import { createSealer, migrate, openDatabase } from '@sallyport/store'
import { createManualClock } from '@sallyport/test-fixtures'
import type { Kysely } from 'kysely'
import { afterEach, describe, expect, it } from 'vitest'
import {
  createMemoryGrantStore,
  createMemorySigningKeyStore,
  createSqlGrantStore,
  createSqlSigningKeyStore,
  tokenServiceMigrations,
  type TokenServiceTables,
} from '../src/index.ts'
import { describeGrantStore, describeSigningKeyStore } from './store-suites.ts'
import { startService, ids, secrets, headerOf } from './running-service.ts'

const opened: Kysely<TokenServiceTables>[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()))
})

async function database(): Promise<Kysely<TokenServiceTables>> {
  const db = openDatabase<TokenServiceTables>(':memory:')
  opened.push(db)
  await migrate(db, tokenServiceMigrations, { part: 'token-service' })
  return db
}

const clock = createManualClock()
const manyBounds = { maxGrantsPerUserAndClient: 1_000, maxGrants: 1_000 }
const sealer = createSealer({ current: randomBytes(32) })

describeGrantStore('memory', async (bounds, time) => createMemoryGrantStore({ clock: time, bounds }))
describeGrantStore('SQLite', async (bounds, time) => createSqlGrantStore({ db: await database(), sealer, clock: time, bounds }))
describeSigningKeyStore('memory', async () => createMemorySigningKeyStore())
describeSigningKeyStore('SQLite', async () => createSqlSigningKeyStore({ db: await database(), sealer }))

describe('in the database', () => {
  it('private keys are sealed, and bound to their row', async () => {
    const db = await database()
    const store = createSqlSigningKeyStore({ db, sealer })
    const add = (keyId: string) =>
      store.add({ keyId, privateKey: createSecret(`private ${keyId}`), publicKey: 'p', signsFromMs: 1 }, { onlyFirst: false })
    await add('a')
    await add('b')
    const rows = await db.selectFrom('token_signing_key').selectAll().execute()
    expect(JSON.stringify(rows)).not.toContain('private a')
    await db
      .updateTable('token_signing_key')
      .set({ private_key: rows[0]?.private_key ?? '' })
      .where('key_id', '=', rows[1]?.key_id ?? '')
      .execute()
    await expect(store.list()).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  it('grants are sealed with what they know of a user, and bound to their row', async () => {
    const db = await database()
    const store = createSqlGrantStore({ db, sealer, clock, bounds: manyBounds })
    const user = {
      id: 'P000123',
      name: 'jane',
      email: 'jane@acme.test',
      origin: 'acme-idp',
      groups: ['payroll'],
      attributes: { region: ['EMEA'] },
    }
    const grant = {
      kind: 'refresh',
      clientId: 'sb-app',
      tenantId: 'demo',
      user: { kind: 'issuer', user },
      scopes: undefined,
      grantType: 'password',
      authTimeSeconds: 1,
      createdAtMs: clock.now(),
      expiresAtMs: clock.now() + 1_000,
    } as const
    await store.add('a', grant)
    await store.add('b', { ...grant, user: { kind: 'directory', id: 'P000456' } })
    const rows = await db.selectFrom('token_grant').selectAll().execute()
    for (const readable of ['P000123', 'P000456', 'jane', 'acme', 'payroll', 'EMEA', 'sb-app'])
      expect(JSON.stringify(rows)).not.toContain(readable)
    expect(await store.find('refresh', 'a')).toEqual(JSON.parse(JSON.stringify(grant)))
    await db
      .updateTable('token_grant')
      .set({ sealed_grant: rows.find(({ hash }) => hash === 'a')?.sealed_grant ?? '' })
      .where('hash', '=', 'b')
      .execute()
    await expect(store.find('refresh', 'b')).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  it('there is no code, refresh token, session id, password or secret, and a restart changes nothing for clients', async () => {
    const db = await database()
    const stores = {
      keys: createSqlSigningKeyStore({ db, sealer }),
      grants: createSqlGrantStore({
        db,
        sealer,
        clock: { now: () => Date.now(), elapsed: () => 0, after: () => () => {} },
        bounds: manyBounds,
      }),
    }
    const app = { client_id: ids.app, client_secret: secrets.app }
    const before = await startService(stores)
    const first = await before.token({ grant_type: 'password', ...app, username: 'root', password: 'battery staple' })
    const kept = JSON.stringify([
      await db.selectFrom('token_signing_key').selectAll().execute(),
      await db.selectFrom('token_grant').selectAll().execute(),
    ])
    for (const secret of [String(first.json()['refresh_token']), secrets.app, 'battery staple', 'BEGIN PRIVATE'])
      expect(kept).not.toContain(secret)
    await before.service.close()

    await using after = await startService(stores)
    const refreshed = await after.token({ grant_type: 'refresh_token', ...app, refresh_token: String(first.json()['refresh_token']) })
    expect(refreshed.status).toBe(200)
    expect(headerOf(refreshed.json()['access_token'])['kid']).toBe(headerOf(first.json()['access_token'])['kid'])
  })

  it('what fails is STORE_FAILED, and a 500 that says nothing', async () => {
    const db = await database()
    const stores = {
      keys: createSqlSigningKeyStore({ db, sealer }),
      grants: createSqlGrantStore({ db, sealer, clock, bounds: manyBounds }),
    }
    await using running = await startService(stores)
    await db.schema.dropTable('token_grant').execute()
    await expect(stores.grants.find('refresh', 'x')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    const answer = await running.token({ grant_type: 'refresh_token', client_id: ids.app, client_secret: secrets.app, refresh_token: 'x' })
    expect(answer.status).toBe(500)
    expect(answer.json()).toEqual({ error: 'server_error', error_description: expect.not.stringMatching(/token_grant|sql/i) })
    expect(running.logged.filter(({ level }) => level === 'error')).toMatchObject([{ code: 'STORE_FAILED', message: 'request failed' }])
  })
})
