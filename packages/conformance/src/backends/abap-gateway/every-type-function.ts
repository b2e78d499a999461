import type { DeepValue } from '@sallyport/rfc-wire'
import type { AbapFunction } from './abap-function.ts'
import type { Dictionary, DictionaryType } from './dictionary.ts'

/** The types of protocols.md 11.10, by the end of the names of the parameters that have them. */
const everyType: Readonly<Record<string, DictionaryType>> = {
  CHAR: { kind: 'char', length: 10 },
  NUMC: { kind: 'numc', length: 8 },
  DATS: { kind: 'date' },
  TIMS: { kind: 'time' },
  INT1: { kind: 'int1' },
  INT2: { kind: 'int2' },
  INT4: { kind: 'int4' },
  INT8: { kind: 'int8' },
  FLOAT: { kind: 'float' },
  PACKED: { kind: 'packed', bytes: 8, decimals: 2 },
  RAW: { kind: 'raw', length: 5 },
  STRING: { kind: 'string' },
  XSTRING: { kind: 'xstring' },
  STRUCTURE: { kind: 'named', name: 'ZFLAT' },
  DEEP: { kind: 'named', name: 'ZDEEP' },
  DECFLOAT16: { kind: 'decfloat16' },
}

const flat = Object.entries(everyType).filter(([, { kind }]) => !['string', 'xstring', 'named', 'decfloat16'].includes(kind))

/** A structure with every type of fixed length, one that holds it, and a deep one. */
export const everyTypeDictionary: Dictionary = {
  ZPOINT: {
    fields: [
      { name: 'X', type: { kind: 'int1' } },
      { name: 'Y', type: { kind: 'float' } },
    ],
  },
  ZFLAT: {
    fields: [...flat.map(([name, type]) => ({ name: `F_${name}`, type })), { name: 'POINT', type: { kind: 'named', name: 'ZPOINT' } }],
  },
  ZPOINTS: { line: { kind: 'named', name: 'ZPOINT' } },
  ZNAMES: { line: { kind: 'char', length: 12 } },
  ZDEEP: {
    fields: [
      { name: 'TITLE', type: { kind: 'string' } },
      { name: 'POINTS', type: { kind: 'named', name: 'ZPOINTS' } },
      { name: 'NAMES', type: { kind: 'named', name: 'ZNAMES' } },
      { name: 'CENTRE', type: { kind: 'named', name: 'ZPOINT' } },
    ],
  },
}

/** Returns in `OUT_<type>` what it was given in `IN_<type>`. */
export const everyTypeFunction: AbapFunction = {
  name: 'Z_TYPES',
  parameters: Object.entries(everyType).flatMap(([name, type]) => [
    { name: `IN_${name}`, direction: 'import', type, optional: true },
    { name: `OUT_${name}`, direction: 'export', type },
  ]),
  run(inputs) {
    const outputs: Record<string, DeepValue> = {}
    for (const [name, value] of Object.entries(inputs)) outputs[name.replace('IN_', 'OUT_')] = value
    return outputs
  },
}
