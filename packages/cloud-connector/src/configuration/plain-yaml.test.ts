import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { tryParsePlainYaml } from './plain-yaml.ts'

/** What the parser says that knows places, and decides. */
function readWithPlaces(text: string): { readonly value: unknown } | { readonly refused: string } {
  const document = parseDocument(text, { uniqueKeys: true, version: '1.2' })
  const [error] = document.errors
  return error === undefined ? { value: document.toJS({ maxAliasCount: 100 }) as unknown } : { refused: error.message }
}

/** As values differ for programs: with the order of members, and `-0` beside `0`. */
function spelled(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) => (typeof each === 'number' ? `number ${Object.is(each, -0) ? '-0' : each}` : each))
}

type Shape =
  | { readonly written: readonly string[] }
  | { readonly entries: readonly (readonly [key: string, value: Shape])[]; readonly style: Style }
  | { readonly items: readonly Shape[]; readonly style: Style }

interface Style {
  readonly flow: boolean
  /** Of what is inside a mapping. */
  readonly indent: number
  /** Of a list inside a mapping it may be 0. */
  readonly flushList: boolean
  readonly aside: string
}

const asides = fc.constantFrom('', '', '', ' # why', '  #', '\n# a line of its own: { "', '\n', '\n   # indented')
const style: fc.Arbitrary<Style> = fc.record({
  flow: fc.boolean(),
  indent: fc.integer({ min: 1, max: 4 }),
  flushList: fc.boolean(),
  aside: asides,
})
const plainScalars = [
  ...'true False yes No on null ~ Null 1 -1 +1 -0 007 0o17 0x1F 1.5 .5 1. 1e3 -.inf .NaN 0b1 0x 1e + 1_000 12:30:45 2020-01-01'.split(' '),
  ...'12345678901234567890123 << = -a -- ?a :a a:b a#b it\'s a"b http://a.b:80/c?d=e&f#g /sap/opu/{id} a] ä 😀 x|y 100% a*b a!b \\ constructor a,b'.split(
    ' ',
  ),
  'a  b',
  'a > b',
]
const inFlow = (scalar: string): boolean => !/[,[\]{}]/.test(scalar)
const quoted = fc.oneof(
  fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  fc.string().map((text) => `'${text.replaceAll("'", "''")}'`),
)
const oneLine = fc.oneof(fc.constantFrom(...plainScalars.filter(inFlow)), quoted)
const lines = fc.array(fc.constantFrom('a', ' b', 'c: d', '# no comment', '', '- e'), { minLength: 1, maxLength: 4 })
const several = fc.record({ mark: fc.constantFrom('|', '>', '|-', '>-'), indent: fc.integer({ min: 1, max: 3 }), lines }).map((text) => ({
  written: [text.mark, ...['x', ...text.lines].map((line) => (line === '' ? '' : `${' '.repeat(text.indent)}${line}`))],
}))
/** Quoted or not, a text that goes on in lines below. */
const continued = fc
  .record({
    quote: fc.constantFrom('', '"', "'"),
    rest: fc.array(fc.constantFrom('b', ' b c', '', 'd,', '1'), { minLength: 1, maxLength: 3 }),
  })
  .map(({ quote, rest }) => ({ written: [`${quote}a`, ...rest, `  z${quote}`] }))
const keys = fc.oneof(fc.constantFrom('a', 'b b', 'c-d', 'toString', '/e', 'f#g', '"1"', "'~'"), quoted)
const entriesOf = <T>(values: fc.Arbitrary<T>, minLength = 0) =>
  fc.uniqueArray(fc.tuple(keys, values), { minLength, maxLength: 4, selector: ([key]) => spelled(readWithPlaces(key)) })

const shapes = fc.letrec<{ node: Shape; mapping: Shape }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 4 },
    oneLine.map((scalar) => ({ written: [scalar] })),
    fc.constantFrom(...plainScalars).map((scalar) => ({ written: [scalar] })),
    several,
    continued,
    tie('mapping'),
    fc.record({ items: fc.array(tie('node'), { maxLength: 4 }), style }),
  ),
  mapping: fc.record({ entries: entriesOf(tie('node')), style }),
}))
const documents = fc
  .record({
    entries: entriesOf(shapes.node, 1),
    style,
    begin: fc.constantFrom('', '', '---\n', '# first\n\n'),
    end: fc.constantFrom('\n', '', '\n\n# last'),
  })
  .map(({ begin, end, ...root }) => `${begin}${block({ ...root, style: { ...root.style, flow: false } }).join('\n')}${end}`)

/** A node in blocks, or the braces that it asks for. */
function block(shape: Shape): readonly string[] {
  if ('written' in shape) return shape.written
  const inside = 'items' in shape ? shape.items : shape.entries
  if (inside.length === 0 || (shape.style.flow && isShort(shape))) return flow(shape).split('\n')
  const { aside, flushList, indent } = shape.style
  if ('items' in shape) return shape.items.flatMap((item) => hung('- ', block(item), 2))
  return shape.entries.flatMap(([key, value]) => {
    const written = block(value)
    if (isInline(value, written)) return [`${key}: ${written[0]}`, ...written.slice(1).map((line) => (line === '' ? line : `  ${line}`))]
    const list = 'items' in value
    return [`${key}:${aside}`, ...written.map((line) => (line === '' ? line : `${' '.repeat(list && flushList ? 0 : indent)}${line}`))]
  })
}

function hung(mark: string, [first = '', ...rest]: readonly string[], indent: number): readonly string[] {
  return [`${mark}${first}`, ...rest.map((line) => (line === '' ? line : `${' '.repeat(indent)}${line}`))]
}

const isInline = (shape: Shape, written: readonly string[]): boolean => 'written' in shape || /^[[{]/.test(written[0] ?? '')

function isShort(shape: Shape): boolean {
  if ('written' in shape) return shape.written.length === 1 && (/^['"]/.test(shape.written[0] ?? '') || inFlow(shape.written[0] ?? ''))
  return 'items' in shape ? shape.items.every(isShort) : shape.entries.every(([, value]) => isShort(value))
}

function flow(shape: Shape): string {
  if ('written' in shape) return shape.written[0] ?? ''
  const gap = gaps[shape.style.indent - 1] ?? ''
  if ('items' in shape) return `[${gap}${shape.items.map(flow).join(`,${gap}`)}${gap}]`
  return `{${gap}${shape.entries.map(([key, value]) => `${key}: ${flow(value)}`).join(`,${gap === '' ? ' ' : gap}`)}${gap}}`
}

/** Between what is in braces. */
const gaps = ['', ' ', '\n ', ' # {\n  ']

const pieces = [
  ...'- ? : , [ ] { } # &a *a ! !!str !!map | > " \' % @ ` \\ --- ... a 1 ~ {} [] __proto__ %YAML 1e999'.split(' '),
  ' ',
  '  ',
  '\n',
  '\t',
  '- ',
  '? ',
  ': ',
  ', ',
  ' # ',
  '\n# c\n',
  '|\n',
  '>+\n',
  '|1\n',
  '\\\n',
  '\n---\n',
  '\n...\n',
  '\n  ',
  '\r',
  '\r\n',
  '\uFEFF',
  '\u0085',
  '\u2028',
  '\u0000',
  '<<: ',
  '"": ',
  "''",
  '{} ',
  '__proto__: ',
  '\na: ',
  '1: ',
  '%YAML 1.1\n',
]
const mutations = fc.array(
  fc.record({ at: fc.nat(), without: fc.integer({ min: 0, max: 3 }), piece: fc.oneof(fc.constantFrom(...pieces), fc.constant('')) }),
  { minLength: 1, maxLength: 4 },
)

/** What is left to that parser although it could be read quickly. */
const mayBeLeft = /[^\n\r\x20-\x7E\xA0-\uFFFD]|[|>]-?[1-9+]|^ *[:,%]|^[ -]*\?(?:\s|$)|[,[{]\s*\?(?:\s|$)|\.\.\.|---|\\$|^#/m

describe('a configuration that is plain YAML', () => {
  it('is read as the parser reads it that knows places', () => {
    fc.assert(
      fc.property(documents, fc.boolean(), (text, windows) => {
        const written = windows ? text.replaceAll('\n', '\r\n') : text
        const read = readWithPlaces(written)
        expect(read).toHaveProperty('value')
        const value = 'value' in read ? read.value : undefined
        // All of these forms are read quickly, but for what a few texts hold.
        const quick = tryParsePlainYaml(written) ?? (mayBeLeft.test(written) ? value : 'left to the other parser')
        expect(spelled(quick)).toBe(spelled(value))
      }),
      { numRuns: 500 },
    )
  })

  it('is not read when that parser would refuse it or see something else, wherever a text is damaged', () => {
    fc.assert(
      fc.property(documents, mutations, (text, changes) => {
        const damaged = changes.reduce((whole, { at, without, piece }) => {
          const place = at % (whole.length + 1)
          return `${whole.slice(0, place)}${piece}${whole.slice(place + without)}`
        }, text)
        const quick = tryParsePlainYaml(damaged)
        if (quick === undefined) return
        const read = readWithPlaces(damaged)
        expect({ value: spelled(quick) }).toEqual('value' in read ? { value: spelled(read.value) } : read)
      }),
      { numRuns: 2_000 },
    )
  })

  it.each([
    ['a directive', '%TAG ! !a\n---\na: 1\n'],
    ['a beginning that is indented', ' ---\na: 1\n'],
    ['the end of a document', 'a: 1\n...\n'],
    ['a second document', 'a: 1\n---\nb: 1\n'],
    ['a tab', 'a:\t1\n'],
    ['an old break of lines', 'a: b\r c\n'],
    ['a break of lines of another version', 'a: b\u0085c\n'],
    ['empty lines that are kept', 'a: |+\n\n '],
    ['a text that says how far it is indented', 'a: |1\n  b\n'],
    ['a colon that begins a line', 'a: { b" # c\n  :d }\n'],
    ['a break of lines that does not count', 'a: "b\\\n\n  c"\n'],
    ['a number beyond all', 'a: 1e999\n'],
    ['a number of too many digits', `a: ${'9'.repeat(400)}\n`],
    ['an end behind a comment that begins its line', 'a: { b: 1\n# c\n\n  # d\n  }\n'],
    ['a value behind a comment that begins its line', 'a:\r\n# b\r\n  c\r\n'],
    ['an item of a list behind a comment that begins its line', 'a:\n- # b\n# c\n  d\n'],
    ['a key that is announced', '? a\n: b\n'],
    ['a key that is announced before a comment', '?\n# b\n  c\n'],
    ['a key that is announced in braces', 'a: {? b : c}\n'],
    ['a key behind braces', 'a:\n- - - {} b: 1\nc: 2\n'],
    ['a key behind a quote', 'a:\n- ""b: 1\n'],
    ['a key that is a number', '1: a\n'],
    ['a key that is nothing', ': a\n'],
    ['a key twice', 'a: 1\n"a": 1\n'],
    ['the name of the prototype', '__proto__: { a: 1 }\n'],
    ['an anchor', 'a: &b\n'],
    ['an anchor of a list', 'a: &b\n- c\n'],
    ['an alias', 'a: &b 1\nc: *b\n'],
    ['a tag', 'a: !!str\n'],
    ['a mapping in braces', '{ a: 1 }'],
    ['a list', '- a: 1\n'],
    ['a text', 'a\n'],
    ['nothing', ''],
    ['a list that nests too deeply', `a: ${'['.repeat(80)}${']'.repeat(80)}\n`],
  ])('is left to that parser when it holds or is %s', (_what, text) => {
    expect(tryParsePlainYaml(text)).toBeUndefined()
  })

  it('gives every name and text for what it is', () => {
    expect(tryParsePlainYaml('# first\nyes: no\nconstructor: 2020-01-01\n"": [on, 0x1F, ~, 1_000]\n<<: { a: b }\n')).toEqual({
      yes: 'no',
      constructor: '2020-01-01',
      '': ['on', 31, null, '1_000'],
      '<<': { a: 'b' },
    })
  })
})
