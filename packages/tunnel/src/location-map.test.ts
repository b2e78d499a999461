import { expect, it } from 'vitest'
import { createLocationMap } from './location-map.ts'

it('tells apart subaccounts and locations whatever they are called', () => {
  const map = createLocationMap<number>()
  const names = ['', 'a', 'A', 'a/', '/a', 'a\0b', '__proto__', 'constructor']
  let count = 0
  for (const subaccount of names) for (const location of names) map.set(subaccount, location, count++)
  expect(map.size).toBe(64)
  expect(new Set(map.values()).size).toBe(64)
  expect(map.get('a', '')).not.toBe(map.get('', 'a'))
  expect(map.ofSubaccount('a')).toHaveLength(8)
  for (const location of names) map.delete('a', location)
  map.delete('a', '')
  expect(map.size).toBe(56)
  expect(map.get('a', 'a')).toBeUndefined()
})
