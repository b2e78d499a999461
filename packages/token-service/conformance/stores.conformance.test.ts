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
  type Grant,
  type GrantBounds,
  type GrantStore,
  type RefreshToken,
  type SigningKeyStore,
  tokenServiceMigrations,
  type TokenServiceTables,
} from '../src/index.ts'
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

function refreshToken(more: Partial<RefreshToken> = {}): RefreshToken {
  clock.advance(1)
  return {
    kind: 'refresh',
    clientId: 'client',
    tenantId: 'tenant',
    user: { kind: 'directory', id: 'user' },
    scopes: ['openid', 'a.b'],
    grantType: 'password',
    authTimeSeconds: 7,
    createdAtMs: clock.now(),
    expiresAtMs: clock.now() + 60_000,
    ...more,
  }
}

function code(): Grant {
  const { grantType: _, ...rest } = refreshToken()
  return { ...rest, kind: 'code', redirectUri: 'https://a.test/', codeChallenge: undefined, nonce: undefined }
}

describe.each<[string, (bounds: GrantBounds) => Promise<GrantStore>]>([
  ['memory', async (bounds) => createMemoryGrantStore({ clock, bounds })],
  ['SQLite', async (bounds) => createSqlGrantStore({ db: await database(), clock, bounds })],
])('grants in %s', (_, create) => {
  it('are found by kind and hash as they were added, and not after removal', async () => {
    const store = await create(manyBounds)
    const user = { id: 'u', name: 'n', origin: 'o', groups: ['g'], attributes: { country: ['DE'] } }
    const grant = refreshToken({ user: { kind: 'issuer', user } })
    await store.add('hash', grant)
    expect(await store.find('refresh', 'hash')).toEqual(grant)
    expect(await store.find('code', 'hash')).toBeUndefined()
    expect(await store.find('refresh', 'other')).toBeUndefined()
    await store.remove('code', 'hash')
    expect(await store.find('refresh', 'hash')).toBeDefined()
    await store.remove('refresh', 'hash')
    expect(await store.find('refresh', 'hash')).toBeUndefined()
  })

  it('are not found from the millisecond on in which they expire', async () => {
    const store = await create(manyBounds)
    await store.add('hash', refreshToken())
    clock.advance(59_999)
    expect(await store.find('refresh', 'hash')).toBeDefined()
    clock.advance(1)
    expect(await store.find('refresh', 'hash')).toBeUndefined()
  })

  it('replace the oldest of the same user and client beyond the bound, and nobody else’s', async () => {
    const store = await create({ maxGrantsPerUserAndClient: 3, maxGrants: 1_000 })
    await store.add('other-user', refreshToken({ user: { kind: 'directory', id: 'else' } }))
    await store.add('other-client', refreshToken({ clientId: 'else' }))
    for (let at = 0; at < 5; at++) await store.add(`hash-${at}`, refreshToken())
    const found = await Promise.all(
      ['other-user', 'other-client', ...[0, 1, 2, 3, 4].map((at) => `hash-${at}`)].map((hash) => store.find('refresh', hash)),
    )
    expect(found.map((grant) => grant !== undefined)).toEqual([true, true, false, false, true, true, true])
  })

  it('are swept: expired ones go, and the oldest beyond the bound', async () => {
    const store = await create({ maxGrantsPerUserAndClient: 1_000, maxGrants: 40 })
    for (let at = 0; at < 64; at++) await store.add(`hash-${at}`, refreshToken({ user: { kind: 'directory', id: `u${at}` } }))
    const found = await Promise.all(Array.from({ length: 64 }, (__, at) => store.find('refresh', `hash-${at}`)))
    expect(found.map((grant) => grant !== undefined)).toEqual(Array.from({ length: 64 }, (__, at) => at >= 24))
  })

  it('let a code be redeemed by one caller, and tell later ones what came of it', async () => {
    const store = await create(manyBounds)
    await store.add('code', code())
    const outcomes = await Promise.all(['a', 'b', 'c'].map((refreshHash) => store.redeemCode('code', refreshHash)))
    expect(outcomes.filter(({ kind }) => kind === 'redeemed')).toHaveLength(1)
    const winner = ['a', 'b', 'c'][outcomes.findIndex(({ kind }) => kind === 'redeemed')]
    expect(await store.redeemCode('code', 'd')).toEqual({ kind: 'used', refreshHash: winner })
    expect(await store.redeemCode('unknown', 'd')).toEqual({ kind: 'unknown' })
    await store.add('refresh', refreshToken())
    expect(await store.redeemCode('refresh', 'd')).toEqual({ kind: 'unknown' })
    clock.advance(60_000)
    expect(await store.redeemCode('code', 'd')).toEqual({ kind: 'unknown' })
  })
})

const sealer = createSealer({ current: randomBytes(32) })

describe.each<[string, () => Promise<SigningKeyStore>]>([
  ['memory', async () => createMemorySigningKeyStore()],
  ['SQLite', async () => createSqlSigningKeyStore({ db: await database(), sealer })],
])('signing keys in %s', (_, create) => {
  const key = (keyId: string) => ({
    keyId,
    privateKey: createSecret(`private ${keyId}`),
    publicKey: `public ${keyId}`,
    signsFromMs: 1_900_000_000_000,
  })
  const listed = async (store: SigningKeyStore) =>
    (await store.list())
      .map(({ privateKey, ...rest }) => ({ ...rest, privateKey: privateKey.reveal() }))
      .toSorted((a, b) => (a.keyId < b.keyId ? -1 : 1))

  it('come back as they were added, and go when removed', async () => {
    const store = await create()
    await store.add(key('a'), { onlyFirst: false })
    await store.add(key('b'), { onlyFirst: false })
    expect(await listed(store)).toEqual([
      { keyId: 'a', privateKey: 'private a', publicKey: 'public a', signsFromMs: 1_900_000_000_000 },
      { keyId: 'b', privateKey: 'private b', publicKey: 'public b', signsFromMs: 1_900_000_000_000 },
    ])
    await store.remove('a')
    expect((await listed(store)).map(({ keyId }) => keyId)).toEqual(['b'])
  })

  it('let one of two first keys win', async () => {
    const store = await create()
    await Promise.all([store.add(key('a'), { onlyFirst: true }), store.add(key('b'), { onlyFirst: true })])
    expect(await listed(store)).toHaveLength(1)
  })
})

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

  it('there is no code, refresh token, session id, password or secret, and a restart changes nothing for clients', async () => {
    const db = await database()
    const stores = {
      keys: createSqlSigningKeyStore({ db, sealer }),
      grants: createSqlGrantStore({ db, clock: { now: () => Date.now(), after: () => () => {} }, bounds: manyBounds }),
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
    const stores = { keys: createSqlSigningKeyStore({ db, sealer }), grants: createSqlGrantStore({ db, clock, bounds: manyBounds }) }
    await using running = await startService(stores)
    await db.schema.dropTable('token_grant').execute()
    await expect(stores.grants.find('refresh', 'x')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    const answer = await running.token({ grant_type: 'refresh_token', client_id: ids.app, client_secret: secrets.app, refresh_token: 'x' })
    expect(answer.status).toBe(500)
    expect(answer.json()).toEqual({ error: 'server_error', error_description: expect.not.stringMatching(/token_grant|sql/i) })
    expect(running.logged.filter(({ level }) => level === 'error')).toMatchObject([{ code: 'STORE_FAILED', message: 'request failed' }])
  })
})
