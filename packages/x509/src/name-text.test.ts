import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatName, parseName, type NameAttribute } from './index.ts'

const cn = (value: string): readonly NameAttribute[] => [{ type: 'CN', value }]

describe('text form', () => {
  it.each([
    ['P1234567890', 'CN=P1234567890'],
    ['Doe, Jane', String.raw`CN=Doe\, Jane`],
    ['a+b', String.raw`CN=a\+b`],
    ['say "hi"', String.raw`CN=say \"hi\"`],
    ['back\\slash', String.raw`CN=back\\slash`],
    ['<a>;b', String.raw`CN=\<a\>\;b`],
    ['#1', String.raw`CN=\#1`],
    ['a#1', 'CN=a#1'],
    [' leading', String.raw`CN=\ leading`],
    ['trailing ', String.raw`CN=trailing\ `],
    [' ', String.raw`CN=\ `],
    ['a=b', 'CN=a=b'],
    ['Jürgen 日本 😀', 'CN=Jürgen 日本 😀'],
    ['line\nbreak', String.raw`CN=line\0Abreak`],
  ])('escapes and reads "%s"', (value, text) => {
    expect(formatName(cn(value))).toBe(text)
    expect(parseName(text)).toEqual(cn(value))
  })

  it('keeps the order, most specific first, without blanks', () => {
    const text = 'CN=a,EMAIL=a@b.org,L=Berlin,OU=x,OU=y,O=SAP,ST=BE,C=DE'
    expect(formatName(parseName(text))).toBe(text)
    expect(parseName(text)[0]).toEqual({ type: 'CN', value: 'a' })
    expect(formatName([])).toBe('')
    expect(parseName('')).toEqual([])
  })

  it.each([
    ['cn = a , o = b', 'CN=a,O=b'],
    ['  CN=a,  C=DE  ', 'CN=a,C=DE'],
    ['emailAddress=a@b.org', 'EMAIL=a@b.org'],
    ['E=a@b.org,dc=example', 'EMAIL=a@b.org,DC=example'],
    ['O="Example, Inc.",C=DE', String.raw`O=Example\, Inc.,C=DE`],
    [String.raw`CN="a \"b\" ",C=DE`, String.raw`CN=a \"b\"\ ,C=DE`],
    [String.raw`CN=Lu\C4\8Di\C4\87`, 'CN=Lučić'],
    [String.raw`CN=a\\ ,C=DE`, String.raw`CN=a\\,C=DE`],
  ])('reads "%s" as people write it', (written, text) => {
    expect(formatName(parseName(written))).toBe(text)
  })

  it.each([
    ['CN', 'no attribute'],
    ['=a', 'no attribute'],
    ['X=a', 'no attribute'],
    ['CN=', 'empty CN'],
    ['CN=""', 'empty CN'],
    ['CN=a,', 'ends with a comma'],
    [',CN=a', 'no attribute'],
    ['CN=a+OU=b', 'stray "+"'],
    ['CN=a;O=b', 'stray ";"'],
    ['CN=a"b', 'stray """'],
    ['CN="a"b', 'stray "b"'],
    ['CN="a', 'unfinished'],
    ['CN=a\\', 'stray backslash'],
    ['CN=a\\x', 'stray backslash'],
    ['CN=#0C0161', 'hexadecimal'],
    [String.raw`CN=\C4`, 'not UTF-8'],
    [`CN=${'a'.repeat(20_000)}`, 'longer than'],
    [Array.from({ length: 33 }, () => 'OU=a').join(','), 'more than 32'],
  ])('refuses "%.40s": %s', (text, problem) => {
    expect(() => parseName(text)).toThrow(problem)
  })

  it('reads every name that it writes', () => {
    const value = fc.oneof(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), fc.stringMatching(/^[ #,+"\\<>;=a\n]{1,20}$/))
    const attribute = fc.record({
      type: fc.constantFrom<NameAttribute['type']>('CN', 'EMAIL', 'L', 'OU', 'O', 'ST', 'C', 'UID', 'DC'),
      value,
    })
    fc.assert(
      fc.property(fc.array(attribute, { maxLength: 10 }), (attributes) => {
        expect(parseName(formatName(attributes))).toEqual(attributes)
      }),
      { numRuns: 1000 },
    )
  })

  it('answers arbitrary text with a name or a refusal', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('C', 'N', '=', ',', '\\', '"', ' ', '4', 'F', '+', '#', 'ü'), maxLength: 60 }),
        (text) => {
          const [name = [], error = refusal] = attempt(() => parseName(text))
          expect(error).toMatchObject(refusal)
          expect(parseName(formatName(name))).toEqual(name)
        },
      ),
      { numRuns: 1000 },
    )
  })
})

const refusal = { code: 'MESSAGE_INVALID' }

function attempt<T>(work: () => T): readonly [T | undefined, unknown] {
  try {
    return [work(), undefined]
  } catch (error) {
    return [undefined, error]
  }
}
