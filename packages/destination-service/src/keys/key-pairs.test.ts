import { describe, expect, it } from 'vitest'
import { maxKeyPairsAtOnce, maxKeyPairsWaiting } from '../limits.ts'
import { createKeyPairs } from './key-pairs.ts'

describe('key pairs', () => {
  it('are made a few at a time; who comes when too many wait is sent away, and later there is room again', async () => {
    const keyPairs = createKeyPairs({ rsaBits: 1_024 })
    const all = Array.from({ length: maxKeyPairsAtOnce + maxKeyPairsWaiting }, () => keyPairs.generate())
    await expect(keyPairs.generate()).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    const made = await Promise.all(all)
    expect(new Set(made.map(({ publicKey }) => publicKey.export({ type: 'spki', format: 'pem' }))).size).toBe(all.length)
    expect((await keyPairs.generate()).privateKey.asymmetricKeyDetails?.modulusLength).toBe(1_024)
  })
})
