import { describe, expect, it } from 'vitest'
import { maxCachedEntities, maxCachedEntityCharacters } from '../limits.ts'
import { cacheKey, createEntityCache } from './entity-cache.ts'
import type { FoundEntity } from './entity-repository.ts'

const level = { subaccountId: 'sub', instanceId: null }
const found = (value = ''): FoundEntity => ({
  level,
  entity: {
    kind: 'destination',
    name: 'a',
    properties: { value },
    hidden: {},
    sharedWithSubscriber: false,
    createdAtMs: 1,
    modifiedAtMs: 1,
    labels: [],
  },
})

describe('the cache', () => {
  it('forgets what was used least recently when there are too many', () => {
    const cache = createEntityCache()
    for (let at = 0; at < maxCachedEntities; at += 1) cache.set(String(at), found())
    cache.get('0')
    cache.set('one more', found())
    expect([cache.get('0'), cache.get('1'), cache.get('one more')].map((entry) => entry !== undefined)).toEqual([true, false, true])
  })

  it('forgets as many as make room when they are too large', () => {
    const cache = createEntityCache()
    const large = 'x'.repeat(maxCachedEntityCharacters / 4)
    for (const key of ['a', 'b', 'c']) cache.set(key, found(large))
    cache.set('d', found(large))
    expect(cache.get('a')).toBeUndefined()
    expect(cache.get('d')).toBeDefined()
    cache.set('too large', found('x'.repeat(maxCachedEntityCharacters)))
    for (const key of ['b', 'c', 'd', 'too large']) expect(cache.get(key)).toBeUndefined()
    cache.set('e', found(large))
    expect(cache.get('e')).toBeDefined()
  })

  it('lets nobody change what others get', () => {
    const cache = createEntityCache()
    cache.set('a', found('as stored'))
    expect(() => Object.assign(cache.get('a')?.entity.properties ?? {}, { value: 'changed' })).toThrow(TypeError)
    expect(cache.get('a')?.entity.properties['value']).toBe('as stored')
  })
})

describe('a key', () => {
  it('tells apart everything that the outcome depends on', () => {
    const instance = { subaccountId: 'sub', instanceId: 'i' }
    const keys = [
      cacheKey('destination', [level], 'a', 'r1'),
      cacheKey('fragment', [level], 'a', 'r1'),
      cacheKey('destination', [level], 'b', 'r1'),
      cacheKey('destination', [level], 'a', 'r2'),
      cacheKey('destination', [instance], 'a', 'r1'),
      cacheKey('destination', [{ ...instance, sharedOnly: true }], 'a', 'r1'),
      cacheKey('destination', [instance, level], 'a', 'r1'),
      cacheKey('destination', [level, instance], 'a', 'r1'),
      cacheKey('destination', [{ subaccountId: 'other', instanceId: null }], 'a', 'r1'),
    ]
    expect(new Set(keys).size).toBe(keys.length)
    expect(cacheKey('destination', [level, { subaccountId: 'other', instanceId: null }], 'a', 'r1')).toBeUndefined()
  })
})
