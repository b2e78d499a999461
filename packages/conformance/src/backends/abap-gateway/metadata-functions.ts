import { type AbapType, type DeepValue, fixedBytesOf } from '@sallyport/rfc-wire'
import { AbapFailure, type AbapFunction, type AbapParameter, textOf } from './abap-function.ts'
import { type Dictionary, type DictionaryType, isFlat, placeFields, structureBytes, wireTypeOf } from './dictionary.ts'

const char = (length: number): DictionaryType => ({ kind: 'char', length })
const numc = (length: number): DictionaryType => ({ kind: 'numc', length })
const int4: DictionaryType = { kind: 'int4' }

/** Rows of the metadata functions, as the dictionary of every system has them. */
export const metadataDictionary: Dictionary = {
  RFC_FUNINT: {
    fields: [
      { name: 'PARAMCLASS', type: char(1) },
      { name: 'PARAMETER', type: char(30) },
      { name: 'TABNAME', type: char(30) },
      { name: 'FIELDNAME', type: char(30) },
      { name: 'EXID', type: char(1) },
      { name: 'POSITION', type: int4 },
      { name: 'OFFSET', type: int4 },
      { name: 'INTLENGTH', type: int4 },
      { name: 'DECIMALS', type: int4 },
      { name: 'DEFAULT', type: char(21) },
      { name: 'PARAMTEXT', type: char(79) },
      { name: 'OPTIONAL', type: char(1) },
    ],
  },
  RFC_FIELDS: {
    fields: [
      { name: 'TABNAME', type: char(30) },
      { name: 'FIELDNAME', type: char(30) },
      { name: 'POSITION', type: int4 },
      { name: 'OFFSET', type: int4 },
      { name: 'INTLENGTH', type: int4 },
      { name: 'DECIMALS', type: int4 },
      { name: 'EXID', type: char(1) },
    ],
  },
  DFIES: {
    fields: [
      { name: 'TABNAME', type: char(30) },
      { name: 'FIELDNAME', type: char(30) },
      { name: 'LANGU', type: char(1) },
      { name: 'POSITION', type: numc(4) },
      { name: 'OFFSET', type: numc(6) },
      { name: 'DOMNAME', type: char(30) },
      { name: 'ROLLNAME', type: char(30) },
      { name: 'CHECKTABLE', type: char(30) },
      { name: 'LENG', type: numc(6) },
      { name: 'INTLEN', type: numc(6) },
      { name: 'OUTPUTLEN', type: numc(6) },
      { name: 'DECIMALS', type: numc(6) },
      { name: 'DATATYPE', type: char(4) },
      { name: 'INTTYPE', type: char(1) },
      // References, texts and flags of the screen painter, which nobody reads here.
      { name: 'SCREEN', type: char(346) },
      { name: 'COMPTYPE', type: char(1) },
      { name: 'LFIELDNAME', type: char(132) },
    ],
  },
}

/** The functions with which clients learn interfaces, answering from the functions and the dictionary of the fixture. */
export function createMetadataFunctions(functions: ReadonlyMap<string, AbapFunction>, dictionary: Dictionary): readonly AbapFunction[] {
  const named = (name: string): DictionaryType => ({ kind: 'named', name })
  return [
    {
      name: 'RFC_GET_FUNCTION_INTERFACE',
      parameters: [
        { name: 'FUNCNAME', direction: 'import', type: char(30) },
        { name: 'LANGUAGE', direction: 'import', type: char(1), optional: true },
        { name: 'PARAMS', direction: 'tables', type: named('RFC_FUNINT') },
      ],
      exceptions: ['FU_NOT_FOUND'],
      run({ FUNCNAME: name }) {
        const found = functions.get(textOf(name))
        if (found === undefined) throw new AbapFailure({ exceptionKey: 'FU_NOT_FOUND', messageNumber: '000' })
        const exceptions = (found.exceptions ?? []).map((exception) => ({ PARAMCLASS: 'X', PARAMETER: exception }))
        return { PARAMS: [...found.parameters.map((parameter, at) => interfaceRow(dictionary, parameter, at + 1)), ...exceptions] }
      },
    },
    {
      name: 'DDIF_FIELDINFO_GET',
      parameters: [
        { name: 'TABNAME', direction: 'import', type: char(30) },
        { name: 'FIELDNAME', direction: 'import', type: char(30), optional: true },
        { name: 'LANGU', direction: 'import', type: char(1), optional: true },
        { name: 'LFIELDNAME', direction: 'import', type: char(132), optional: true },
        { name: 'ALL_TYPES', direction: 'import', type: char(1), optional: true },
        { name: 'GROUP_NAMES', direction: 'import', type: char(1), optional: true },
        { name: 'UCLEN', direction: 'import', type: { kind: 'raw', length: 1 }, optional: true },
        { name: 'DDOBJTYPE', direction: 'export', type: char(8) },
        { name: 'DFIES_TAB', direction: 'tables', type: named('DFIES'), optional: true },
      ],
      exceptions: ['NOT_FOUND', 'INTERNAL_ERROR'],
      run({ TABNAME: tabname }) {
        const name = textOf(tabname)
        const entry = dictionary[name]
        if (entry === undefined) throw new AbapFailure({ exceptionKey: 'NOT_FOUND', messageNumber: '000' })
        if ('fields' in entry) return { DDOBJTYPE: 'INTTAB', DFIES_TAB: structureRows(dictionary, name) }
        const { line } = entry
        // A table type is described by the components of its line, or by its line alone if that is elementary.
        if (line.kind === 'named' && 'fields' in (dictionary[line.name] ?? {}))
          return { DDOBJTYPE: 'TTYP', DFIES_TAB: structureRows(dictionary, line.name) }
        return { DDOBJTYPE: 'TTYP', DFIES_TAB: [fieldRow(dictionary, name, { name: '', type: line, offset: 0, position: 1 })] }
      },
    },
    {
      name: 'RFC_GET_STRUCTURE_DEFINITION',
      parameters: [
        { name: 'TABNAME', direction: 'import', type: char(30) },
        { name: 'TABLENGTH', direction: 'export', type: int4 },
        { name: 'FIELDS', direction: 'tables', type: named('RFC_FIELDS') },
      ],
      exceptions: ['TABLE_NOT_ACTIVE'],
      run({ TABNAME: tabname }) {
        const entry = dictionary[textOf(tabname)]
        if (entry === undefined || !('fields' in entry)) throw new AbapFailure({ exceptionKey: 'TABLE_NOT_ACTIVE', messageNumber: '000' })
        const placed = placeFields(dictionary, entry.fields)
        const rows = placed.map(({ name, type, offset, bytes }, at) => ({
          TABNAME: textOf(tabname),
          FIELDNAME: name,
          POSITION: at + 1,
          OFFSET: offset,
          INTLENGTH: bytes,
          DECIMALS: type.kind === 'packed' ? type.decimals : 0,
          EXID: letterOf(dictionary, type),
        }))
        return { TABLENGTH: structureBytes(placed), FIELDS: rows }
      },
    },
  ]
}

const classes = { import: 'I', export: 'E', changing: 'C', tables: 'T' } as const

function interfaceRow(dictionary: Dictionary, parameter: AbapParameter, position: number): Readonly<Record<string, DeepValue>> {
  const { type } = parameter
  const wireType = wireTypeOf(dictionary, type)
  return {
    PARAMCLASS: classes[parameter.direction],
    PARAMETER: parameter.name,
    TABNAME: type.kind === 'named' ? type.name : '',
    EXID: letterOf(dictionary, type),
    POSITION: position,
    INTLENGTH: isFlat(wireType) ? (fixedBytesOf(wireType as AbapType) ?? 0) : 8,
    DECIMALS: type.kind === 'packed' ? type.decimals : 0,
    PARAMTEXT: parameter.text ?? '',
    OPTIONAL: parameter.optional === true ? 'X' : '',
  }
}

function structureRows(dictionary: Dictionary, name: string): readonly Readonly<Record<string, DeepValue>>[] {
  const entry = dictionary[name]
  if (entry === undefined || !('fields' in entry)) return []
  return placeFields(dictionary, entry.fields).map((field, at) => fieldRow(dictionary, name, { ...field, position: at + 1 }))
}

function fieldRow(
  dictionary: Dictionary,
  structure: string,
  {
    name,
    type,
    offset,
    position,
  }: { readonly name: string; readonly type: DictionaryType; readonly offset: number; readonly position: number },
): Readonly<Record<string, DeepValue>> {
  const wireType = wireTypeOf(dictionary, type)
  const bytes = isFlat(wireType) ? (fixedBytesOf(wireType as AbapType) ?? 0) : 8
  const letter = letterOf(dictionary, type)
  return {
    TABNAME: structure,
    FIELDNAME: name,
    POSITION: String(position),
    OFFSET: String(offset),
    ROLLNAME: type.kind === 'named' ? type.name : '',
    LENG: String(type.kind === 'char' || type.kind === 'numc' ? type.length : type.kind === 'packed' ? type.bytes * 2 - 1 : bytes),
    INTLEN: String(bytes),
    DECIMALS: String(type.kind === 'packed' ? type.decimals : 0),
    DATATYPE: dataTypes[type.kind === 'named' ? letter : type.kind] ?? '',
    // Live systems were seen to tell integers as bytes in this column.
    INTTYPE: type.kind.startsWith('int') ? 'X' : letter,
    COMPTYPE: type.kind !== 'named' ? 'E' : letter === 'h' ? 'L' : 'S',
    LFIELDNAME: name,
  }
}

/** Names of types in the dictionary. */
const dataTypes: Readonly<Record<string, string>> = {
  char: 'CHAR',
  numc: 'NUMC',
  date: 'DATS',
  time: 'TIMS',
  int1: 'INT1',
  int2: 'INT2',
  int4: 'INT4',
  int8: 'INT8',
  float: 'FLTP',
  packed: 'DEC',
  raw: 'RAW',
  string: 'STRG',
  xstring: 'RSTR',
  decfloat16: 'D16N',
  decfloat34: 'D34N',
  utclong: 'UTCL',
  u: 'STRU',
  v: 'STRU',
  h: 'TTYP',
}

const letters: Readonly<Record<Exclude<DictionaryType['kind'], 'named'>, string>> = {
  char: 'C',
  numc: 'N',
  date: 'D',
  time: 'T',
  int1: 'b',
  int2: 's',
  int4: 'I',
  int8: '8',
  float: 'F',
  packed: 'P',
  raw: 'X',
  string: 'g',
  xstring: 'y',
  decfloat16: 'a',
  decfloat34: 'e',
  utclong: 'p',
}

/** EXID of protocols.md 11.10. */
function letterOf(dictionary: Dictionary, type: DictionaryType): string {
  if (type.kind !== 'named') return letters[type.kind]
  const wireType = wireTypeOf(dictionary, type)
  if (wireType.kind === 'table') return 'h'
  return isFlat(wireType) ? 'u' : 'v'
}
