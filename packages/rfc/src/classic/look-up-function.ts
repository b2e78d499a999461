import { ConnectivityError } from '@sallyport/core'
import type { DeepType } from '@sallyport/rfc-wire'
import type { FunctionDescription, FunctionParameter } from '../function-description.ts'
import { maxFunctionTypes, maxTypeDepth } from '../limits.ts'
import { rfcError, rfcErrorGroup } from '../rfc-errors.ts'
import type { RfcStructure, RfcValue } from '../rfc-value.ts'
import { elementaryType, structureType } from './dictionary-type.ts'
import { metadataInterfaces } from './metadata-interfaces.ts'

/** Calls a function whose interface is known. */
export type DescribedCall = (description: FunctionDescription, parameters: RfcStructure) => Promise<RfcStructure>

const { functionInterface, fieldInfo } = metadataInterfaces

const directions: Readonly<Record<string, FunctionParameter['direction']>> = { I: 'importing', E: 'exporting', C: 'changing', T: 'tables' }

/**
 * Looks up the interface of a function module, with the structures and table types that it names: protocols.md 11.10.
 *
 * @throws ConnectivityError of the group FUNCTION_NOT_FOUND for a function that the system does not have, and of the group CONVERSION for one whose types cannot be
 * called with this binding.
 */
export async function lookUpFunction(functionName: string, call: DescribedCall, attempt: string): Promise<FunctionDescription> {
  const rows = await readInterface(functionName, call, attempt)
  const typeOf = createTypeLookUp(call, attempt)
  const parameters: FunctionParameter[] = []
  for (const row of rows) {
    const direction = directions[text(row['PARAMCLASS'])]
    if (direction === undefined) continue
    const name = text(row['PARAMETER'])
    const type = await typeOf(
      {
        name: text(row['TABNAME']),
        letter: text(row['EXID']),
        dataType: '',
        bytes: number(row['INTLENGTH']),
        characters: undefined,
        decimals: number(row['DECIMALS']),
        of: `parameter ${name}`,
      },
      0,
    )
    // A parameter of TABLES is described by its line.
    const isLine = direction === 'tables' && type.kind !== 'table'
    parameters.push({ name, direction, type: isLine ? { kind: 'table', row: type } : type, isOptional: row['OPTIONAL'] === 'X' })
  }
  const exceptions = rows.filter((row) => row['PARAMCLASS'] === 'X').map((row) => text(row['PARAMETER']))
  return { name: functionName, parameters, exceptions }
}

async function readInterface(functionName: string, call: DescribedCall, attempt: string): Promise<readonly RfcStructure[]> {
  try {
    return rowsOf((await call(functionInterface, { FUNCNAME: functionName }))['PARAMS'])
  } catch (error) {
    if (!isException(error, 'FU_NOT_FOUND')) throw error
    const missing = `the system has no function module ${functionName}, or none that can be called from outside`
    throw rfcError('FUNCTION_NOT_FOUND', attempt, { text: missing, requestSent: false, cause: error })
  }
}

/** A type by what a row says of it. `of` is what it is the type of, for errors. */
interface NamedType {
  /** In the dictionary; `''` for an elementary type. */
  readonly name: string
  readonly letter: string
  readonly dataType: string
  readonly bytes: number
  readonly characters: number | undefined
  readonly decimals: number
  readonly of: string
}

function createTypeLookUp(call: DescribedCall, attempt: string): (type: NamedType, depth: number) => Promise<DeepType> {
  const known = new Map<string, DeepType>()
  const unusable = (what: string): ConnectivityError => rfcError('CONVERSION', attempt, { text: what, requestSent: false })

  async function typeOf(type: NamedType, depth: number): Promise<DeepType> {
    const elementary = elementaryType(type)
    if (elementary !== undefined) return elementary
    if (type.name === '') throw unusable(`${type.of} has a type that the binding classic does not know (${type.dataType || type.letter})`)
    if (depth === maxTypeDepth) throw unusable(`${type.of} is nested more than ${maxTypeDepth} deep`)
    const found = known.get(type.name)
    if (found !== undefined) return found
    if (known.size === maxFunctionTypes) throw unusable(`more than ${maxFunctionTypes} types`)
    const made = await readType(type, depth)
    known.set(type.name, made)
    return made
  }

  async function readType({ name, of }: NamedType, depth: number): Promise<DeepType> {
    const answer = await fieldsOf(name, of)
    // Includes have rows of their own, and so may the components of a component; what belongs to the structure itself has a name without a mark.
    const rows = rowsOf(answer['DFIES_TAB']).filter((row) => !/[.-]/.test(text(row['FIELDNAME'])))
    if (rows.length === 0) throw unusable(`${of}: the system tells no components of ${name}`)
    const components: { name: string; offset: number; type: DeepType }[] = []
    for (const row of rows) {
      const component = text(row['FIELDNAME'])
      components.push({ name: component, offset: number(row['OFFSET']), type: await typeOf(factsOf(row, name), depth + 1) })
    }
    const [first] = components
    const isLine = components.length === 1 && first?.name === ''
    const line = isLine ? first.type : structureType(components)
    return text(answer['DDOBJTYPE']) === 'TTYP' ? { kind: 'table', row: line } : line
  }

  async function fieldsOf(name: string, of: string): Promise<RfcStructure> {
    try {
      return await call(fieldInfo, { TABNAME: name, ALL_TYPES: 'X', UCLEN: unicodeLength })
    } catch (error) {
      if (!isException(error, 'NOT_FOUND')) throw error
      throw unusable(`${of}: the system has no type ${name}`)
    }
  }

  return typeOf
}

/** Two bytes per character: offsets and lengths as they are in a Unicode system. */
const unicodeLength = Buffer.of(2)

function factsOf(row: RfcStructure, structure: string): NamedType {
  const dataType = text(row['DATATYPE'])
  const isNamed = text(row['COMPTYPE']) === 'S' || text(row['COMPTYPE']) === 'L' || dataType === 'STRU' || dataType === 'TTYP'
  return {
    name: isNamed ? text(row['ROLLNAME']) : '',
    letter: isNamed ? '' : text(row['INTTYPE']),
    dataType: isNamed ? '' : dataType,
    bytes: number(row['INTLEN']),
    characters: number(row['LENG']),
    decimals: number(row['DECIMALS']),
    of: `component ${text(row['FIELDNAME'])} of ${structure}`,
  }
}

function isException(error: unknown, key: string): boolean {
  return rfcErrorGroup(error) === 'ABAP_EXCEPTION' && ConnectivityError.is(error) && error.details['key'] === key
}

function rowsOf(value: RfcValue | undefined): readonly RfcStructure[] {
  return Array.isArray(value) ? (value as readonly RfcStructure[]) : []
}

function text(value: RfcValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

/** Numbers, and those that come as digits. */
function number(value: RfcValue | undefined): number {
  return typeof value === 'number' ? value : Number(text(value))
}
