import type { AbapField, DeepComponent, DeepType, DeepValue } from '@sallyport/rfc-wire'
import type { RfcStructure, RfcValue } from '../rfc-value.ts'

/**
 * A value as the codec takes it. Lists of values become rows, INT8 becomes `bigint`, packed numbers become text, and `true` and `false` become `X` and a blank where
 * the type is one character.
 *
 * @throws TypeError naming the parameter or component; the value is not repeated.
 */
export function toWireValue(type: DeepType, value: RfcValue, name: string): DeepValue {
  switch (type.kind) {
    case 'table':
      if (!Array.isArray(value)) throw new TypeError(`${name} is not a list of rows`)
      return (value as readonly RfcValue[]).map((row, at) => toWireValue(type.row, row, `${name}[${at}]`))
    case 'structure':
      return toWireStructure(type.fields, value, name)
    case 'components':
      return toWireStructure(type.components, value, name)
    case 'int8':
      if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
      return scalar(value, name)
    case 'packed': {
      if (typeof value === 'bigint') return String(value)
      if (typeof value !== 'number') return scalar(value, name)
      const text = String(value)
      if (!/^-?\d+(?:\.\d+)?$/.test(text)) throw new TypeError(`${name} is a number that decimal notation cannot hold; give it as text`)
      return text
    }
    case 'char':
      if (typeof value === 'boolean' && type.length === 1) return value ? 'X' : ''
      return scalar(value, name)
    default:
      return scalar(value, name)
  }
}

function toWireStructure(parts: readonly (DeepComponent | AbapField)[], value: RfcValue, name: string): DeepValue {
  if (typeof value !== 'object' || Array.isArray(value) || Buffer.isBuffer(value)) throw new TypeError(`${name} is not an object`)
  const types = new Map(parts.map((part) => [part.name, part.type]))
  const entries: [string, DeepValue][] = []
  for (const [key, part] of Object.entries(value as RfcStructure)) {
    const type = types.get(key)
    if (type === undefined) throw new TypeError(`${name} has no component ${key}`)
    if (part !== undefined) entries.push([key, toWireValue(type, part, `${name}-${key}`)])
  }
  return Object.fromEntries(entries)
}

function scalar(value: RfcValue, name: string): string | number | bigint | Buffer {
  if (typeof value === 'boolean' || (typeof value === 'object' && !Buffer.isBuffer(value)))
    throw new TypeError(`${name} is not a value of its type`)
  return value
}

/** A value as applications get it: INT8 is a number where that is exact, and bytes are copies. */
export function fromWireValue(value: DeepValue): RfcValue {
  if (typeof value === 'bigint') return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
  if (typeof value !== 'object') return value
  if (Buffer.isBuffer(value)) return Buffer.from(value)
  if (Array.isArray(value)) return (value as readonly DeepValue[]).map((row) => fromWireValue(row))
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, fromWireValue(part)]))
}
