import { type AbapType, type AbapValue, fixedBytesOf } from './abap-type.ts'
import type { WireParameter } from './call-request.ts'
import { decodeValue } from './decode-value.ts'
import type { DeepType, DeepValue } from './deep-type.ts'
import { encodeValue } from './encode-value.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'
import { formatXmlParameter, parseXmlParameter } from './xml-value.ts'

/** A parameter of an interface. */
export interface ParameterType {
  /** Upper case. */
  readonly name: string
  readonly type: DeepType
  /** Declared as TABLES: flat rows travel as fields of their own, and not as XML. */
  readonly tables: boolean
}

/**
 * Renders a parameter in the form that its type asks for: one value, rows, or XML. Text and bytes of any length are XML, which every server that knows them reads.
 *
 * @throws TypeError for what {@link encodeValue} and {@link formatXmlParameter} refuse. Messages name the parameter and never repeat its value.
 */
export function encodeParameter({ name, type, tables }: ParameterType, value: DeepValue): WireParameter {
  if (tables && type.kind === 'table') {
    const { row } = type
    const rowBytes = flatBytesOf(row)
    if (rowBytes !== undefined) {
      if (!Array.isArray(value)) throw new TypeError(`${name} is not a list of rows`)
      const rows = (value as readonly DeepValue[]).map((each, at) => encodeValue(row as AbapType, each as AbapValue, `${name}[${at}]`))
      return { kind: 'table', name, rowBytes, rows }
    }
  }
  if (flatBytesOf(type) === undefined) return { kind: 'xml', xml: formatXmlParameter(name, type, value) }
  return { kind: 'value', name, value: encodeValue(type as AbapType, value as AbapValue, name) }
}

/** Reads a parameter, in whichever of the forms it came. Rows may be wider than their type: structures get components appended, which older readers do not see. */
export function decodeParameter({ name, type }: ParameterType, wire: WireParameter): DeepValue | Refused {
  if (wire.kind === 'xml') return parseXmlParameter(wire.xml, name, type)
  if (wire.kind === 'value') {
    return isAbapType(type) ? decodeValue(type, wire.value, name) : refuse(`${name}: a value instead of XML`)
  }
  const rowBytes = type.kind === 'table' ? flatBytesOf(type.row) : undefined
  if (type.kind !== 'table' || rowBytes === undefined) return refuse(`${name}: rows that its type does not have`)
  const rows: DeepValue[] = []
  for (const [at, bytes] of wire.rows.entries()) {
    const row = decodeValue(type.row as AbapType, bytes.subarray(0, rowBytes), `${name}[${at}]`)
    if (isRefused(row)) return row
    rows.push(row)
  }
  return rows
}

function isAbapType(type: DeepType): type is AbapType {
  return type.kind !== 'table' && type.kind !== 'components'
}

/** Bytes of a value of fixed length; `undefined` for everything that is deep. */
function flatBytesOf(type: DeepType): number | undefined {
  return isAbapType(type) ? fixedBytesOf(type) : undefined
}
