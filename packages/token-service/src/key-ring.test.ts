import { randomBytes } from 'node:crypto'
import { silentLogger } from '@sallyport/core'
import { createManualClock } from '@sallyport/test-fixtures'
import { expect, it } from 'vitest'
import { createKeyRing } from './key-ring.ts'
import { keyReloadMs, keyPublishLeadMs } from './limits.ts'
import { createMemorySigningKeyStore, type SigningKeyStore } from './signing-key-store.ts'

function ring(store: SigningKeyStore, clock = createManualClock()) {
  return createKeyRing({ store, clock, random: randomBytes, log: silentLogger })
}

it('two processes that start at once over one store use one key', async () => {
  const store = createMemorySigningKeyStore()
  const rings = [ring(store), ring(store)]
  const keys = await Promise.all(rings.map((each) => each.signingKey()))
  expect(keys[0]?.keyId).toBe(keys[1]?.keyId)
})

it('another process publishes a rotated key before it signs', async () => {
  const clock = createManualClock()
  const store = createMemorySigningKeyStore()
  const [one, two] = [ring(store, clock), ring(store, clock)]
  await Promise.all([one.signingKey(), two.signingKey()])
  const revision = two.revision
  const { keyId, signsFromMs } = await one.rotate()
  expect(signsFromMs - clock.now()).toBe(keyPublishLeadMs)
  clock.advance(keyReloadMs)
  expect((await two.publicKeys()).map(({ kid }) => kid)).toContain(keyId)
  expect(two.revision).toBeGreaterThan(revision)
  expect(signsFromMs - clock.now()).toBeGreaterThanOrEqual(30 * 60_000)
})

it('rotating twice at once adds one key, and sixteen are the most', async () => {
  const clock = createManualClock()
  const keys = ring(createMemorySigningKeyStore(), clock)
  const [one, two] = await Promise.all([keys.rotate(), keys.rotate()])
  expect(one).toEqual(two)
  expect(await keys.publicKeys()).toHaveLength(2)
  for (let count = 3; count <= 16; count++) {
    clock.advance(keyPublishLeadMs)
    await keys.rotate()
  }
  clock.advance(keyPublishLeadMs)
  await expect(keys.rotate()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  clock.advance(24 * 3_600_000)
  await expect(keys.rotate()).resolves.toBeDefined()
})

it('a store that fails is asked again by the next caller', async () => {
  const store = createMemorySigningKeyStore()
  let broken = true
  const keys = ring({ ...store, list: () => (broken ? Promise.reject(new Error('down')) : store.list()) })
  await expect(keys.signingKey()).rejects.toThrow('down')
  broken = false
  expect((await keys.signingKey()).keyId).toMatch(/^key-/)
})

it('does not stop signing when the clock is set back', async () => {
  const clock = createManualClock()
  const keys = ring(createMemorySigningKeyStore(), clock)
  const { keyId } = await keys.signingKey()
  clock.set(clock.now() - 3_600_000)
  expect((await keys.signingKey()).keyId).toBe(keyId)
})
