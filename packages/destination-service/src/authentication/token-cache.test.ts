import { createManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { maxCachedTokenCharacters, maxTokenCalls, maxTokenCallsPerSubaccount } from '../limits.ts'
import type { IssuedToken } from './token-answer.ts'
import { createCallLimit } from './call-limit.ts'
import { createTokenCache } from './token-cache.ts'

const clock = createManualClock(0)
const bounds = { total: maxTokenCalls, perSubaccount: maxTokenCallsPerSubaccount }
const token = (value: string, expiresAtMs = 600_000): IssuedToken => ({ type: 'Bearer', value, expiresAtMs })
const key = (digest: string, subaccountId = 'sub') => ({ digest, subaccountId })
const never = (): Promise<IssuedToken> => new Promise(() => {})

describe('the token cache', () => {
  it('lets callers of one token share one call, and starts anew after a failure', async () => {
    const cache = createTokenCache({ clock, limit: createCallLimit(bounds, 'Too many token calls are under way') })
    let calls = 0
    const first = Promise.withResolvers<IssuedToken>()
    const issue = (): Promise<IssuedToken> => {
      calls += 1
      return first.promise
    }
    const both = [cache.get(key('a'), issue), cache.get(key('a'), issue)]
    first.reject(new Error('no'))
    await Promise.all(both.map((one) => expect(one).rejects.toThrow('no')))
    expect(calls).toBe(1)
    expect(await cache.get(key('a'), () => Promise.resolve(token('later')))).toMatchObject({ value: 'later' })
  })

  it('bounds the calls of one subaccount, and all together, and counts those that are over no more', async () => {
    const cache = createTokenCache({ clock, limit: createCallLimit(bounds, 'Too many token calls are under way') })
    const failing = Promise.withResolvers<IssuedToken>()
    const first = cache.get(key('first', 'one'), () => failing.promise)
    for (let call = 1; call < maxTokenCallsPerSubaccount; call += 1) void cache.get(key(`one-${call}`, 'one'), never)
    await expect(cache.get(key('too-many', 'one'), never)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    expect(await cache.get(key('other', 'two'), () => Promise.resolve(token('other')))).toMatchObject({ value: 'other' })
    failing.reject(new Error('over'))
    await expect(first).rejects.toThrow('over')
    expect(await cache.get(key('again', 'one'), () => Promise.resolve(token('again')))).toMatchObject({ value: 'again' })
    for (let call = maxTokenCallsPerSubaccount; call <= maxTokenCalls; call += 1) void cache.get(key(`x-${call}`, `sub-${call}`), never)
    await expect(cache.get(key('last', 'unknown'), never)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
  })

  it('forgets the least recently used tokens when they become too large', async () => {
    const cache = createTokenCache({ clock, limit: createCallLimit(bounds, 'Too many token calls are under way') })
    const large = 'x'.repeat(maxCachedTokenCharacters / 4)
    const get = (digest: string): Promise<IssuedToken> => cache.get(key(digest), () => Promise.resolve(token(large)))
    for (const digest of ['a', 'b', 'c', 'd', 'a', 'e']) await get(digest)
    const asked: string[] = []
    for (const digest of ['a', 'c', 'd', 'e', 'b']) {
      await cache.get(key(digest), () => {
        asked.push(digest)
        return Promise.resolve(token('small'))
      })
    }
    expect(asked).toEqual(['b'])
  })
})
