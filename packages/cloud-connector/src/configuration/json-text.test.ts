import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tryParseJsonObject } from './json-text.ts'

describe('a configuration that is JSON', () => {
  it('is read as JSON reads it, whatever its names and texts hold', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue()), (value) => {
        const text = JSON.stringify(value, undefined, 1)
        expect(tryParseJsonObject(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  it.each([
    ['a member twice', '{"a": 1, "a": 2}'],
    ['a member twice, spelled differently', '{"a": 1, "\\u0061": 2}'],
    ['a member twice, deep inside', '[{"connectors": []}]'.replace('[{', '{"x": [{"b": "\\":", "b": 1}], ').replace('}]', '}')],
    ['nested too deeply', `{"a": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`],
    ['a list', '[]'],
    ['YAML in braces', '{ a: 1 }'],
    ['YAML', 'a: 1'],
  ])('is left to the parser of YAML when it is %s', (_what, text) => {
    expect(tryParseJsonObject(text)).toBeUndefined()
  })
})
