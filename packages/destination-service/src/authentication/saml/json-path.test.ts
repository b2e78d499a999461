import { describe, expect, it } from 'vitest'
import { selectByPath } from './json-path.ts'

const value = { a: { 'b.c': ['x', 'y', { d: 1 }] }, "it's": true, list: [[1, 2], [3]], empty: null }

describe('selectByPath', () => {
  it.each([
    ['$', [value]],
    ['$.a', [value.a]],
    ["$['a']['b.c'][0]", ['x']],
    ['$.a["b.c"][-1].d', [1]],
    ["$.['a'].['b.c'][1]", ['y']],
    ["$['it\\'s']", [true]],
    ['$.list[*][0]', [1, 3]],
    ['$.list.*', value.list],
    ['$.empty', [null]],
    ['$.none', []],
    ['$.a.toString', []],
    ['$.list[7]', []],
    ['$.list.length', []],
  ])('follows %s', (path, found) => {
    expect(selectByPath(value, path)).toEqual(found)
  })

  it.each(['', 'a', '.a', '$a', '$..a', '$[?(@.a)]', '$[0:2]', '$[a]', "$['a", '$.', `$${'.a'.repeat(500)}`])(
    'understands nothing of %s',
    (path) => {
      expect(selectByPath(value, path)).toBeUndefined()
    },
  )
})
