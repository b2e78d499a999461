import type { DeepType } from '@sallyport/rfc-wire'
import * as fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { describe, expect, it } from 'vitest'
import type { RfcValue } from '../src/index.ts'
import { decodeXml } from '../src/soap/decode-body.ts'
import { formatElement, readElement } from '../src/soap/soap-value.ts'
import { parseXml, XmlError } from '../src/soap/xml-tree.ts'

const xmlText = fc.string({
  unit: fc.constantFrom('a', ' ', '<', '&', '>', '"', ']]>', '\n', '\r', '\t', 'ä', '€', '\u{1f600}', '_', '0'),
  maxLength: 30,
})
const digits = (length: number): fc.Arbitrary<string> =>
  fc.integer({ min: 0, max: 10 ** length - 1 }).map((value) => String(value).padStart(length, '0'))
const bytes = (maxLength: number, minLength = 0): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ minLength, maxLength }).map((value) => Buffer.from(value))

/** Types with the values that they have. */
const scalars: readonly (readonly [DeepType, fc.Arbitrary<RfcValue>])[] = [
  [{ kind: 'char', length: 100 }, xmlText.map((text) => text.trimEnd())],
  [{ kind: 'string' }, xmlText],
  [{ kind: 'numc', length: 8 }, digits(8)],
  [{ kind: 'date' }, digits(8)],
  [{ kind: 'time' }, digits(6)],
  [{ kind: 'int1' }, fc.integer({ min: 0, max: 255 })],
  [{ kind: 'int2' }, fc.integer({ min: -32_768, max: 32_767 })],
  [{ kind: 'int4' }, fc.integer()],
  [{ kind: 'int8' }, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((value) => (value >= -(2n ** 53n) + 1n && value <= 2n ** 53n - 1n ? Number(value) : value))],
  [{ kind: 'float' }, fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value))],
  [{ kind: 'packed', bytes: 8, decimals: 2 }, fc.integer().map((value) => `${value}.50`)],
  [{ kind: 'decfloat34' }, fc.integer().map(String)],
  [{ kind: 'xstring' }, bytes(40)],
  [{ kind: 'raw', length: 5 }, bytes(5, 5)],
] // prettier-ignore

/** A type of any depth, and a value of it. */
const typed: fc.Arbitrary<readonly [DeepType, RfcValue]> = fc.letrec<{ any: readonly [DeepType, RfcValue] }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...scalars).chain(([type, values]) => values.map((value) => [type, value] as const)),
    fc.array(tie('any'), { maxLength: 4 }).map((parts) => {
      const components = parts.map(([type], at) => ({ name: `F${at}`, type }))
      return [{ kind: 'components', components } as const, Object.fromEntries(parts.map(([, value], at) => [`F${at}`, value]))] as const
    }),
    fc.tuple(tie('any'), fc.nat(3)).map(([[type, value], count]) => [{ kind: 'table', row: type } as const, Array.from({ length: count }, () => value)] as const),
  ),
})).any // prettier-ignore

describe('values in SOAP', () => {
  it('come back as they went out, whatever their type', () => {
    fc.assert(
      fc.property(typed, ([type, value]) => {
        const xml = formatElement('/ACME/X', type, value)
        expect(readElement(parseXml(SaxesParser, xml), type, 'X')).toEqual(value)
      }),
    )
  })
})

/** Why something is refused, or `''`. Every other error passes. */
function refusalOf(read: () => unknown): string {
  try {
    read()
    return ''
  } catch (error) {
    if (error instanceof XmlError) return error.message
    throw error
  }
}

describe('documents of a hostile system', () => {
  it('are read or refused, and never quoted', () => {
    const pieces = fc.constantFrom('<a>', '</a>', '<b x="1">', '</b>', '<!DOCTYPE a>', '<![CDATA[', ']]>', '<?x y?>', '&amp;', '&x;', '&#0;', '&#xd800;', 'top-secret', '<!--', '-->', '\u0000', '<', '>', '<n:a xmlns:n="u">', '</n:a>') // prettier-ignore
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        expect(refusalOf(() => parseXml(SaxesParser, parts.join('')))).not.toContain('secret')
      }),
    )
  })

  it('are decoded or refused, whatever their bytes', () => {
    const types = fc.constantFrom(
      null,
      'text/xml',
      'text/xml; charset=utf-8',
      'text/xml; charset="UTF-16"',
      'text/xml; charset=iso-8859-1',
      'text/xml; charset=x',
    )
    fc.assert(
      fc.property(bytes(60), types, (body, contentType) => {
        expect(typeof refusalOf(() => decodeXml(body, contentType))).toBe('string')
      }),
    )
  })
})
