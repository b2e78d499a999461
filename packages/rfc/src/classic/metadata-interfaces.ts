import type { AbapField, AbapType, DeepType } from '@sallyport/rfc-wire'
import type { FunctionDescription } from '../function-description.ts'

const char = (length: number): AbapType => ({ kind: 'char', length })
const numc = (length: number): AbapType => ({ kind: 'numc', length })
const field = (name: string, offset: number, type: AbapType): AbapField => ({ name, offset, type })
const rows = (bytes: number, fields: readonly AbapField[]): DeepType => ({ kind: 'table', row: { kind: 'structure', bytes, fields } })

/** Structure RFC_FUNINT: one parameter of an interface. */
const parameterRows = rows(402, [
  field('PARAMCLASS', 0, char(1)),
  field('PARAMETER', 2, char(30)),
  field('TABNAME', 62, char(30)),
  field('FIELDNAME', 122, char(30)),
  field('EXID', 182, char(1)),
  field('INTLENGTH', 192, { kind: 'int4' }),
  field('DECIMALS', 196, { kind: 'int4' }),
  field('OPTIONAL', 400, char(1)),
])

/** The beginning of structure DFIES, which releases only append to: one component of a structure. */
const componentRows = rows(1074, [
  field('FIELDNAME', 60, char(30)),
  field('OFFSET', 130, numc(6)),
  field('ROLLNAME', 202, char(30)),
  field('LENG', 322, numc(6)),
  field('INTLEN', 334, numc(6)),
  field('DECIMALS', 358, numc(6)),
  field('DATATYPE', 370, char(4)),
  field('INTTYPE', 378, char(1)),
  field('COMPTYPE', 1072, char(1)),
])

/**
 * The interfaces of the functions that tell interfaces, and of those without parameters that a connection calls by itself: what has to be known before anything can
 * be looked up.
 */
export const metadataInterfaces: Readonly<Record<'functionInterface' | 'fieldInfo' | 'ping' | 'reset', FunctionDescription>> = {
  functionInterface: {
    name: 'RFC_GET_FUNCTION_INTERFACE',
    exceptions: ['FU_NOT_FOUND'],
    parameters: [
      { name: 'FUNCNAME', direction: 'importing', type: char(30), isOptional: false },
      { name: 'PARAMS', direction: 'tables', type: parameterRows, isOptional: false },
    ],
  },
  fieldInfo: {
    name: 'DDIF_FIELDINFO_GET',
    exceptions: ['NOT_FOUND', 'INTERNAL_ERROR'],
    parameters: [
      { name: 'TABNAME', direction: 'importing', type: char(30), isOptional: false },
      { name: 'ALL_TYPES', direction: 'importing', type: char(1), isOptional: true },
      { name: 'UCLEN', direction: 'importing', type: { kind: 'raw', length: 1 }, isOptional: true },
      { name: 'DDOBJTYPE', direction: 'exporting', type: char(8), isOptional: true },
      { name: 'DFIES_TAB', direction: 'tables', type: componentRows, isOptional: true },
    ],
  },
  ping: { name: 'RFC_PING', exceptions: [], parameters: [] },
  reset: { name: 'SYSTEM_RESET_RFC_SERVER', exceptions: [], parameters: [] },
}
