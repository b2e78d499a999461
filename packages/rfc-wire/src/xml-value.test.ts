import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DeepType, formatXmlParameter, isRefused, parseXmlParameter, xmlParameterName } from './index.ts'

const row: DeepType = {
  kind: 'components',
  components: [
    { name: 'I', type: { kind: 'int4' } },
    { name: 'C', type: { kind: 'char', length: 5 } },
    { name: 'STR', type: { kind: 'string' } },
    { name: 'XSTR', type: { kind: 'xstring' } },
  ],
}
const table: DeepType = { kind: 'table', row }

describe('deep parameters', () => {
  it('are rows of components', () => {
    const value = [
      { I: 1, C: 'ROW01', STR: 'string1', XSTR: Buffer.alloc(0) },
      { I: -2, C: '', STR: 'a<b & c>', XSTR: Buffer.from('00ff', 'hex') },
    ]
    const xml =
      '<IMPORT_TAB><item><I>1</I><C>ROW01</C><STR>string1</STR><XSTR></XSTR></item>' +
      '<item><I>-2</I><C></C><STR>a&lt;b &amp; c&gt;</STR><XSTR>AP8=</XSTR></item></IMPORT_TAB>'
    expect(formatXmlParameter('IMPORT_TAB', table, value)).toBe(xml)
    expect(parseXmlParameter(xml, 'IMPORT_TAB', table)).toEqual(value)
    expect(xmlParameterName(xml)).toBe('IMPORT_TAB')
  })

  it.each([
    ['a table without rows', table, [], '<T></T>'],
    ['a string', { kind: 'string' }, 'ä\r\n\t', '<T>ä&#13;\n\t</T>'],
    ['a date', { kind: 'date' }, '20260131', '<T>2026-01-31</T>'],
    ['a time', { kind: 'time' }, '235959', '<T>23:59:59</T>'],
    ['a packed number', { kind: 'packed', bytes: 3, decimals: 2 }, '-1.50', '<T>-1.50</T>'],
    ['a number of 64 bits', { kind: 'int8' }, -(2n ** 63n), '<T>-9223372036854775808</T>'],
    ['a floating number', { kind: 'float' }, 1.5e-7, '<T>1.5e-7</T>'],
    ['a table of strings', { kind: 'table', row: { kind: 'string' } }, ['a', ''], '<T><item>a</item><item></item></T>'],
    ['a table in a structure', { kind: 'components', components: [{ name: 'S', type: table }] }, { S: [] }, '<T><S></S></T>'],
  ] as const)('%s is read as it is rendered', (_title, type, value, xml) => {
    expect(formatXmlParameter('T', type, value)).toBe(xml)
    expect(parseXmlParameter(xml, 'T', type)).toEqual(value)
  })

  it('have initial values where none are given', () => {
    expect(formatXmlParameter('T', row, {})).toBe('<T><I>0</I><C></C><STR></STR><XSTR></XSTR></T>')
  })

  it('may have empty elements, references and dates without dashes', () => {
    expect(parseXmlParameter('<T/>', 'T', table)).toEqual([])
    expect(parseXmlParameter('<T>&#65;&#x20AC;&quot;&apos;</T>', 'T', { kind: 'string' })).toBe('A€"\'')
    expect(parseXmlParameter('<T>20260131</T>', 'T', { kind: 'date' })).toBe('20260131')
  })

  it('of a namespace have its slashes replaced', () => {
    const xml = formatXmlParameter('/ACME/T', { kind: 'string' }, 'x')
    expect(xml).toBe('<_-ACME_-T>x</_-ACME_-T>')
    expect([xmlParameterName(xml), parseXmlParameter(xml, '/ACME/T', { kind: 'string' })]).toEqual(['/ACME/T', 'x'])
  })

  it.each([
    '',
    '<T>',
    '<T></T><T></T>',
    '<T></T> ',
    '<U></U>',
    '<T a="1"></T>',
    '<?xml version="1.0"?><T></T>',
    '<!DOCTYPE T [<!ENTITY x "y">]><T></T>',
    '<T><!-- --></T>',
    '<T><item></item></T>',
    '<T><item><I>1</I></item></T>',
    '<T> <item><I>1</I><C></C><STR></STR><XSTR></XSTR></item></T>',
    '<T><item><C></C><I>1</I><STR></STR><XSTR></XSTR></item></T>',
    '<T><item><I>x</I><C></C><STR></STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C>toolong</C><STR></STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR>&x;</STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR>& </STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR>\0</STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR>&#1;</STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR>&#0;</STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR>&#xD800;</STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR><![CDATA[x]]></STR><XSTR></XSTR></item></T>',
    '<T><item><I>1</I><C></C><STR></STR><XSTR>A</XSTR></item></T>',
  ])('%s are refused', (xml) => {
    expect(isRefused(parseXmlParameter(xml, 'T', table))).toBe(true)
  })

  it.each([
    ['another component', row, { OTHER: 1 }],
    ['no list', table, {}],
    ['a list', row, []],
    ['a control character', { kind: 'string' }, '\x01'],
    ['DECFLOAT', { kind: 'decfloat16' }, '1'],
    ['too long a text', row, { C: 'toolong' }],
  ] as const)('with %s are errors before anything is sent', (_title, type, value) => {
    expect(() => formatXmlParameter('T', type, value)).toThrow(TypeError)
    expect(() => formatXmlParameter('lower', { kind: 'string' }, '')).toThrow(TypeError)
  })

  it('come back whatever they hold', () => {
    const text = fc.string({ unit: 'binary', maxLength: 12 }).filter((one) => /^[\t\n\r\x20-\ufffd\u{10000}-\u{10ffff}]*$/u.test(one))
    const rows = fc.array(
      fc.record({
        I: fc.integer(),
        C: fc.stringMatching(/^[!-~]{0,5}$/),
        STR: text,
        XSTR: fc.uint8Array({ maxLength: 9 }).map((array) => Buffer.from(array)),
      }),
      { maxLength: 5 },
    )
    fc.assert(
      fc.property(rows, (value) => {
        expect(parseXmlParameter(formatXmlParameter('T', table, value), 'T', table)).toEqual(value)
      }),
      { numRuns: 2000 },
    )
  })

  it('never make the reader throw or hang', () => {
    const valid = formatXmlParameter('T', table, [{ I: 1, C: 'x', STR: '&<', XSTR: Buffer.from('ab') }])
    const part = fc.constantFrom('<', '>', '/', '&', ';', '<item>', '</item>', '<T>', '<I>', '&#x', '\0', ' ')
    expect.hasAssertions()
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), part), { maxLength: 4 }), (changes) => {
        let xml = valid
        for (const [at, text] of changes) xml = xml.slice(0, at % xml.length) + text + xml.slice((at % xml.length) + 1)
        const read = parseXmlParameter(xml, 'T', table)
        const again = isRefused(read) ? read : parseXmlParameter(formatXmlParameter('T', table, read), 'T', table)
        expect(again).toEqual(read)
      }),
      { numRuns: 4000 },
    )
  })
})
