import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { readAttribute } from './index.ts'

const read = (claims: object, variable: string, kind: 'business' | 'technical' = 'business'): string | undefined =>
  readAttribute({ kind, claims: claims as Readonly<Record<string, unknown>> }, variable)

it.each<[object, string | undefined]>([
  [{ x: 'a' }, 'a'],
  [{ x: 5 }, '5'],
  [{ x: true }, 'true'],
  [{ x: false }, 'false'],
  [{ x: 0 }, '0'],
  [{ x: ['a'] }, 'a'],
  [{ x: [7] }, '7'],
  [{ x: ['a', 'b'] }, undefined],
  [{ x: [] }, undefined],
  [{ x: [['a']] }, undefined],
  [{ x: '' }, undefined],
  [{ x: [''] }, undefined],
  [{ x: null }, undefined],
  [{ x: { y: 1 } }, undefined],
  [{ X: 'a' }, undefined],
  [{}, undefined],
])('reads ${x} of %j as %s', (claims, value) => {
  expect(read(claims, 'x')).toBe(value)
})

it('falls back to the root when the custom attribute cannot be used', () => {
  expect(read({ 'xs.user.attributes': { x: ['a', 'b'] }, x: 'root' }, 'x')).toBe('root')
  expect(read({ 'xs.user.attributes': 'x', x: 'root' }, 'x')).toBe('root')
  expect(read({ 'xs.user.attributes': { x: 'own' } }, 'cp.x')).toBeUndefined()
})

it('lets no custom attribute rename a user', () => {
  const claims = {
    user_name: 'jane',
    name: 'Jane Doe',
    'xs.user.attributes': { user_name: ['root'], name: ['root'], user_type: ['Technical'] },
  }
  expect(read(claims, 'name')).toBe('jane')
  expect(read(claims, 'cp.name')).toBe('Jane Doe')
  expect(read(claims, 'user_type')).toBe('Business')
})

it('never finds members that objects have by nature', () => {
  for (const name of ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'length']) {
    expect(read({ 'xs.user.attributes': {} }, name)).toBeUndefined()
    expect(read({}, `cp.${name}`)).toBeUndefined()
  }
})

it('answers any variable of any claims with a text or nothing', () => {
  fc.assert(
    fc.property(fc.object(), fc.string(), (claims, variable) => {
      expect(['string', 'undefined']).toContain(typeof read(claims, variable))
    }),
  )
})
