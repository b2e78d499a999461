import { type Clock, createSecret } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import type { Grant, GrantBounds, GrantStore, RefreshToken, SigningKeyStore } from '../src/index.ts'

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

/** The contract of {@link GrantStore}, for any implementation. */
export function describeGrantStore(name: string, create: (bounds: GrantBounds, clock: Clock) => Promise<GrantStore>): void {
  describe(`grants in ${name}`, () => {
    it('are found by kind and hash as they were added, and not after removal', async () => {
      const store = await create(manyBounds, clock)
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
      const store = await create(manyBounds, clock)
      await store.add('hash', refreshToken())
      clock.advance(59_999)
      expect(await store.find('refresh', 'hash')).toBeDefined()
      clock.advance(1)
      expect(await store.find('refresh', 'hash')).toBeUndefined()
    })

    it('replace the oldest of the same user and client beyond the bound, and nobody else’s', async () => {
      const store = await create({ maxGrantsPerUserAndClient: 3, maxGrants: 1_000 }, clock)
      await store.add('other-user', refreshToken({ user: { kind: 'directory', id: 'else' } }))
      await store.add('other-client', refreshToken({ clientId: 'else' }))
      for (let at = 0; at < 5; at++) await store.add(`hash-${at}`, refreshToken())
      const found = await Promise.all(
        ['other-user', 'other-client', ...[0, 1, 2, 3, 4].map((at) => `hash-${at}`)].map((hash) => store.find('refresh', hash)),
      )
      expect(found.map((grant) => grant !== undefined)).toEqual([true, true, false, false, true, true, true])
    })

    it('are swept: expired ones go, and the oldest beyond the bound', async () => {
      const store = await create({ maxGrantsPerUserAndClient: 1_000, maxGrants: 40 }, clock)
      for (let at = 0; at < 64; at++) await store.add(`hash-${at}`, refreshToken({ user: { kind: 'directory', id: `u${at}` } }))
      const found = await Promise.all(Array.from({ length: 64 }, (__, at) => store.find('refresh', `hash-${at}`)))
      expect(found.map((grant) => grant !== undefined)).toEqual(Array.from({ length: 64 }, (__, at) => at >= 24))
    })

    it('let a code be redeemed by one caller, and tell later ones what came of it', async () => {
      const store = await create(manyBounds, clock)
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
}

/** The contract of {@link SigningKeyStore}, for any implementation; `create` opens the same empty store as often as it is called. */
export function describeSigningKeyStore(name: string, create: () => Promise<SigningKeyStore>): void {
  describe(`signing keys in ${name}`, () => {
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
      await Promise.all(['a', 'b', 'c', 'd'].map((keyId) => store.add(key(keyId), { onlyFirst: true })))
      expect(await listed(store)).toHaveLength(1)
    })
  })
}
