import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AbapType, type AbapValue, decodeValue, encodeInitialValue, encodeValue, isRefused } from './index.ts'

const type = {
  char3: { kind: 'char', length: 3 },
  numc4: { kind: 'numc', length: 4 },
  date: { kind: 'date' },
  time: { kind: 'time' },
  int1: { kind: 'int1' },
  int2: { kind: 'int2' },
  int4: { kind: 'int4' },
  int8: { kind: 'int8' },
  float: { kind: 'float' },
  packed3: { kind: 'packed', bytes: 3, decimals: 2 },
  packed1: { kind: 'packed', bytes: 1, decimals: 0 },
  raw4: { kind: 'raw', length: 4 },
  string: { kind: 'string' },
  xstring: { kind: 'xstring' },
} as const satisfies Readonly<Record<string, AbapType>>

const structure: AbapType = {
  kind: 'structure',
  bytes: 24,
  fields: [
    { name: 'FLAG', offset: 0, type: { kind: 'char', length: 1 } },
    { name: 'COUNT', offset: 4, type: { kind: 'int4' } },
    { name: 'NUMBER', offset: 8, type: { kind: 'numc', length: 3 } },
    { name: 'WEIGHT', offset: 16, type: { kind: 'float' } },
  ],
}

/** Type, value and bytes: limits included. */
const vectors: readonly (readonly [string, AbapType, AbapValue, string])[] = [
  ['CHAR filled up', type.char3, 'A', '410020002000'],
  ['CHAR full', type.char3, 'Ä€z', 'c400ac207a00'],
  ['CHAR with a surrogate pair', type.char3, '😀', '3dd800de2000'],
  ['CHAR initial', type.char3, '', '200020002000'],
  ['NUMC full', type.numc4, '0042', '3000300034003200'],
  ['DATS', type.date, '20260131', '32003000320036003000310033003100'],
  ['DATS initial', type.date, '00000000', '3000'.repeat(8)],
  ['DATS last', type.date, '99991231', '39003900390039003100320033003100'],
  ['TIMS', type.time, '235959', '320033003500390035003900'],
  ['INT1 least', type.int1, 0, '00'],
  ['INT1 most', type.int1, 255, 'ff'],
  ['INT2', type.int2, 258, '0201'],
  ['INT2 least', type.int2, -32_768, '0080'],
  ['INT2 most', type.int2, 32_767, 'ff7f'],
  ['INT4', type.int4, 16_909_060, '04030201'],
  ['INT4 least', type.int4, -2_147_483_648, '00000080'],
  ['INT4 most', type.int4, 2_147_483_647, 'ffffff7f'],
  ['INT8 least', type.int8, -(2n ** 63n), '0000000000000080'],
  ['INT8 most', type.int8, 2n ** 63n - 1n, 'ffffffffffffff7f'],
  ['FLOAT', type.float, 1.5, '000000000000f83f'],
  ['FLOAT most', type.float, Number.MAX_VALUE, 'ffffffffffffef7f'],
  ['FLOAT least', type.float, Number.MIN_VALUE, '0100000000000000'],
  ['P', type.packed3, '123.45', '12345c'],
  ['P negative', type.packed3, '-0.07', '00007d'],
  ['P most', type.packed3, '999.99', '99999c'],
  ['P least', type.packed3, '-999.99', '99999d'],
  ['P zero', type.packed3, '0.00', '00000c'],
  ['P of one byte', type.packed1, '-9', '9d'],
  ['RAW', type.raw4, Buffer.from('01020304', 'hex'), '01020304'],
  ['STRING', type.string, 'aä€', '61c3a4e282ac'],
  ['STRING empty', type.string, '', ''],
  ['XSTRING', type.xstring, Buffer.from('00ff', 'hex'), '00ff'],
  ['structure', structure, { FLAG: 'X', COUNT: -2, NUMBER: '007', WEIGHT: 1.5 }, '58000000feffffff3000300037000000000000000000f83f'],
]

describe('values', () => {
  it.each(vectors)('%s has its bytes', (_title, kind, value, hex) => {
    expect(encodeValue(kind, value, 'V').toString('hex')).toBe(hex)
    expect(decodeValue(kind, Buffer.from(hex, 'hex'), 'V')).toEqual(value)
  })

  it.each([
    ['NUMC filled up', type.numc4, '42', '3000300034003200'],
    ['RAW filled up', type.raw4, Buffer.from('01', 'hex'), '01000000'],
    ['P with fewer decimals', type.packed3, '-7', '00700d'],
    ['P with zeros behind its decimals', type.packed3, '+1.2300', '00123c'],
    ['P without a whole part', type.packed3, '.5', '00050c'],
    ['P negative zero', type.packed3, '-0', '00000c'],
    ['structure initial', structure, {}, '2000000000000000300030003000' + '00'.repeat(10)],
  ] as const)('%s has its bytes', (_title, kind, value, hex) => {
    expect(encodeValue(kind, value, 'V').toString('hex')).toBe(hex)
  })

  it('of type P with the sign F are positive', () => {
    expect(decodeValue(type.packed3, Buffer.from('12345f', 'hex'), 'V')).toBe('123.45')
  })

  it.each([
    ['CHAR too long', type.char3, 'abcd'],
    ['CHAR with half a pair', type.char3, '\ud800'],
    ['CHAR of a number', type.char3, 1],
    ['NUMC too long', type.numc4, '12345'],
    ['NUMC of letters', type.numc4, '1a'],
    ['DATS too short', type.date, '2026131'],
    ['DATS with dashes', type.date, '2026-1-1'],
    ['TIMS too long', type.time, '2359590'],
    ['INT1 below', type.int1, -1],
    ['INT1 above', type.int1, 256],
    ['INT2 below', type.int2, -32_769],
    ['INT2 above', type.int2, 32_768],
    ['INT4 below', type.int4, -2_147_483_649],
    ['INT4 above', type.int4, 2_147_483_648],
    ['INT4 broken', type.int4, 1.5],
    ['INT4 of text', type.int4, '1'],
    ['INT8 above', type.int8, 2n ** 63n],
    ['INT8 of a number', type.int8, 1],
    ['FLOAT infinite', type.float, Number.POSITIVE_INFINITY],
    ['FLOAT not a number', type.float, Number.NaN],
    ['P with too many digits', type.packed3, '1000'],
    ['P with too many decimals', type.packed3, '1.001'],
    ['P in other notation', type.packed3, '1e2'],
    ['P empty', type.packed3, ''],
    ['P of a point', type.packed3, '.'],
    ['RAW too long', type.raw4, Buffer.alloc(5)],
    ['RAW of text', type.raw4, 'ab'],
    ['STRING with half a pair', type.string, '\udc00'],
    ['structure with another component', structure, { OTHER: 1 }],
    ['structure of text', structure, 'X'],
    ['structure with too long a component', structure, { FLAG: 'XX' }],
  ] as const)('%s is an error before anything is sent', (_title, kind, value) => {
    expect(() => encodeValue(kind, value, 'V')).toThrow(TypeError)
  })

  it.each([
    ['CHAR of odd length', { kind: 'raw', length: 3 }, '4100'],
    ['NUMC with half a surrogate pair', type.numc4, '00d8300034003200'],
    ['INT4 of three bytes', type.int4, '010203'],
    ['FLOAT that is none', type.float, '000000000000f87f'],
    ['P with a letter', type.packed3, '1a345c'],
    ['P without sign', type.packed3, '123456'],
    ['P with an unknown sign', type.packed3, '12345a'],
    ['STRING that is not UTF-8', type.string, 'ff'],
    ['structure that is too short', structure, '00'],
  ] as const)('%s is refused', (_title, kind, hex) => {
    expect(isRefused(decodeValue(kind, Buffer.from(hex, 'hex'), 'V'))).toBe(true)
  })

  it.each([
    ['DATS that a program has cleared', type.date, '2000'.repeat(8), ''],
    ['TIMS that was never set', type.time, '00'.repeat(12), ''],
    ['NUMC with a blank', type.numc4, '2000300034003200', ' 042'],
  ] as const)('%s is read as it is', (_title, kind, hex, text) => {
    expect(decodeValue(kind, Buffer.from(hex, 'hex'), 'V')).toBe(text)
  })

  it('are never repeated in messages', () => {
    expect(() => encodeValue(type.char3, 'geheim', 'PIN')).toThrow(/^PIN is longer than 3 characters$/)
    expect(() => encodeValue(structure, { FLAG: 'geheim' }, 'S')).toThrow(/^S-FLAG is longer than 1 characters$/)
  })

  it('of a structure whose components overlap its end are refused in both directions', () => {
    const broken: AbapType = { kind: 'structure', bytes: 4, fields: [{ name: 'A', offset: 2, type: { kind: 'int4' } }] }
    expect(() => encodeValue(broken, { A: 1 }, 'S')).toThrow(/does not lie within/)
    expect(isRefused(decodeValue(broken, Buffer.alloc(4), 'S'))).toBe(true)
    const deep: AbapType = { kind: 'structure', bytes: 4, fields: [{ name: 'A', offset: 0, type: { kind: 'string' } }] }
    expect(() => encodeValue(deep, { A: '' }, 'S')).toThrow(/does not lie within/)
  })

  const digits = (length: number): fc.Arbitrary<string> => fc.stringMatching(new RegExp(`^\\d{${length}}$`))
  const arbitrary: readonly (readonly [AbapType, fc.Arbitrary<AbapValue>])[] = [
    [{ kind: 'char', length: 12 }, fc.string({ unit: 'binary', maxLength: 6 }).filter((text) => !text.endsWith(' '))],
    [{ kind: 'numc', length: 9 }, digits(9)],
    [type.date, digits(8)],
    [type.time, digits(6)],
    [type.int1, fc.integer({ min: 0, max: 255 })],
    [type.int2, fc.integer({ min: -32_768, max: 32_767 })],
    [type.int4, fc.integer()],
    [type.int8, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    [type.float, fc.double({ noNaN: true, noDefaultInfinity: true })],
    [
      { kind: 'packed', bytes: 8, decimals: 3 },
      fc.bigInt({ min: -(10n ** 15n) + 1n, max: 10n ** 15n - 1n }).map((number) => inThousandths(number)),
    ],
    [{ kind: 'raw', length: 9 }, fc.uint8Array({ minLength: 9, maxLength: 9 }).map((array) => Buffer.from(array))],
    [type.string, fc.string({ unit: 'binary' })],
    [type.xstring, fc.uint8Array().map((array) => Buffer.from(array))],
    [
      structure,
      fc.record({
        FLAG: fc.stringMatching(/^[!-~]?$/),
        COUNT: fc.integer(),
        NUMBER: digits(3),
        WEIGHT: fc.double({ noNaN: true, noDefaultInfinity: true }),
      }),
    ],
  ]

  it('PR-089 of every known type round-trip, limits included, and those of DECFLOAT are rejected before sending', () => {
    for (const [, kind, value, hex] of vectors)
      expect([encodeValue(kind, value, 'V').toString('hex'), decodeValue(kind, Buffer.from(hex, 'hex'), 'V')]).toEqual([hex, value])
    for (const [kind, values] of arbitrary) {
      fc.assert(
        fc.property(values, (value) => {
          expect(decodeValue(kind, encodeValue(kind, value, 'V'), 'V')).toEqual(value)
        }),
        { numRuns: 400 },
      )
    }
    for (const kind of ['decfloat16', 'decfloat34', 'utclong'] as const) {
      expect(() => encodeValue({ kind }, '1', 'V')).toThrow(/^V has the type .*, whose bytes are not known$/)
      expect(() => encodeInitialValue({ kind }, 'V')).toThrow(TypeError)
      expect(isRefused(decodeValue({ kind }, Buffer.alloc(kind === 'decfloat34' ? 16 : 8), 'V'))).toBe(true)
    }
  })

  it('are read from any bytes without an error, and encoded to what is read the same', () => {
    expect.hasAssertions()
    fc.assert(
      fc.property(fc.constantFrom(...arbitrary), fc.uint8Array({ minLength: 24, maxLength: 24 }), ([kind], array) => {
        const sizes: Readonly<Record<string, number>> = {
          char: 24,
          numc: 18,
          date: 16,
          time: 12,
          int1: 1,
          int2: 2,
          int4: 4,
          int8: 8,
          float: 8,
          packed: 8,
          raw: 9,
          structure: 24,
        }
        const value = decodeValue(kind, Buffer.from(array).subarray(0, sizes[kind.kind] ?? 24), 'V')
        // What a program wrote over digits is read, and not written.
        const numc = kind.kind === 'structure' ? (value as { NUMBER?: string }).NUMBER : value
        const isText = /^(?:numc|date|time|structure)$/.test(kind.kind) && !(typeof numc === 'string' && /^\d+$/.test(numc))
        const again = isRefused(value) || isText ? value : decodeValue(kind, encodeValue(kind, value, 'V'), 'V')
        expect(again).toEqual(value)
      }),
      { numRuns: 4000 },
    )
  })
})

function inThousandths(number: bigint): string {
  const text = String(number < 0n ? -number : number).padStart(4, '0')
  return `${number < 0n ? '-' : ''}${text.slice(0, -3)}.${text.slice(-3)}`
}
