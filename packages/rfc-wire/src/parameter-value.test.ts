import { describe, expect, it } from 'vitest'
import {
  decodeParameter,
  type DeepType,
  type DeepValue,
  encodeParameter,
  isRefused,
  type ParameterType,
  type WireParameter,
} from './index.ts'

const row: DeepType = {
  kind: 'structure',
  bytes: 8,
  fields: [
    { name: 'A', offset: 0, type: { kind: 'char', length: 2 } },
    { name: 'N', offset: 4, type: { kind: 'int4' } },
  ],
}
const rows: DeepType = { kind: 'table', row }
const deepRow: DeepType = { kind: 'components', components: [{ name: 'S', type: { kind: 'string' } }] }
const rowHex = ['6100200001000000', '6200200002000000']
const rowValues = [
  { A: 'a', N: 1 },
  { A: 'b', N: 2 },
]

const table = (...hex: readonly string[]): WireParameter => ({
  kind: 'table',
  name: 'P',
  rowBytes: 8,
  rows: hex.map((each) => Buffer.from(each, 'hex')),
})
const value = (hex: string): WireParameter => ({ kind: 'value', name: 'P', value: Buffer.from(hex, 'hex') })
const xml = (text: string): WireParameter => ({ kind: 'xml', xml: text })
const declared = (type: DeepType, tables = false): ParameterType => ({ name: 'P', type, tables })

describe('a parameter', () => {
  it.each<[string, ParameterType, DeepValue, WireParameter]>([
    ['of a flat type is a value', declared({ kind: 'int2' }), 258, value('0201')],
    ['of a flat structure is a value', declared(row), { A: 'a', N: 1 }, value('6100200001000000')],
    ['declared as TABLES has rows', declared(rows, true), rowValues, table(...rowHex)],
    ['of a table type is XML', declared(rows), [{ A: 'a', N: 1 }], xml('<P><item><A>a</A><N>1</N></item></P>')],
    [
      'declared as TABLES with deep rows is XML',
      declared({ kind: 'table', row: deepRow }, true),
      [{ S: 'x' }],
      xml('<P><item><S>x</S></item></P>'),
    ],
    ['of a deep structure is XML', declared(deepRow), { S: 'x' }, xml('<P><S>x</S></P>')],
    ['of text of any length is XML', declared({ kind: 'string' }), 'a<b', xml('<P>a&lt;b</P>')],
    ['of bytes of any length is XML', declared({ kind: 'xstring' }), Buffer.from([255]), xml('<P>/w==</P>')],
  ])('%s', (_title, type, given, wire) => {
    expect(encodeParameter(type, given)).toEqual(wire)
    expect(decodeParameter(type, wire)).toEqual(given)
  })

  it.each<[string, DeepType, WireParameter, DeepValue]>([
    ['text as it is', { kind: 'string' }, value('c3a4'), 'ä'],
    ['bytes as they are', { kind: 'xstring' }, value('00ff'), Buffer.from([0, 255])],
    ['rows of a table type', rows, table(...rowHex), rowValues],
    [
      'rows with components that we do not know at their end',
      rows,
      { ...table('61002000010000002a00'), rowBytes: 10 } as WireParameter,
      [{ A: 'a', N: 1 }],
    ],
  ])('may come as %s', (_title, type, wire, read) => {
    expect(decodeParameter(declared(type), wire)).toEqual(read)
  })

  it.each<[string, DeepType, WireParameter]>([
    ['a value for a table', rows, value('00')],
    ['rows for a value', { kind: 'int4' }, table(...rowHex)],
    ['rows for deep rows', { kind: 'table', row: deepRow }, table(...rowHex)],
    ['a row that is too short', rows, { ...table('6100'), rowBytes: 2 } as WireParameter],
    ['XML of another parameter', rows, xml('<Q></Q>')],
  ])('is refused as %s', (_title, type, wire) => {
    expect(isRefused(decodeParameter(declared(type), wire))).toBe(true)
  })

  it('declared as TABLES takes lists alone, and says which row is wrong', () => {
    expect(() => encodeParameter(declared(rows, true), {})).toThrow(/^P is not a list of rows$/)
    expect(() => encodeParameter(declared(rows, true), [{}, { A: 'abc' }])).toThrow(/^P\[1\]-A is longer than 2 characters$/)
  })
})
