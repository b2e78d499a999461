import type { RfcStructure, RfcValue } from '../rfc-value.ts'
import type { NodeRfcValue } from './node-rfc-module.ts'

/**
 * A value as the library takes it: `true` and `false` are `X` and a blank, and whole numbers that are exact lose their `n`.
 *
 * @throws TypeError for a `bigint` that the library would round.
 */
function toNodeRfcValue(value: RfcValue, name: string): NodeRfcValue {
  if (typeof value === 'boolean') return value ? 'X' : ''
  if (typeof value === 'bigint') {
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER)
      throw new TypeError(`${name} is a number that node-rfc would round`)
    return Number(value)
  }
  if (typeof value !== 'object' || Buffer.isBuffer(value)) return value
  if (Array.isArray(value)) return value.map((row: RfcValue) => toNodeRfcValue(row, name))
  return toNodeRfcStructure(value as RfcStructure, name)
}

/** The same for parameters, and components of a structure. */
export function toNodeRfcStructure(structure: RfcStructure, name = ''): Record<string, NodeRfcValue> {
  return Object.fromEntries(
    Object.entries(structure).flatMap(([part, value]) =>
      value === undefined ? [] : [[part, toNodeRfcValue(value, name === '' ? part : `${name}-${part}`)] as const],
    ),
  )
}

/** A value as applications get it. */
function fromNodeRfcValue(value: NodeRfcValue): RfcValue {
  if (typeof value !== 'object') return value
  if (value instanceof Uint8Array) return Buffer.from(value)
  if (Array.isArray(value)) return (value as readonly NodeRfcValue[]).map((row) => fromNodeRfcValue(row))
  return fromNodeRfcStructure(value as Readonly<Record<string, NodeRfcValue>>)
}

/** The same for outputs. */
export function fromNodeRfcStructure(structure: Readonly<Record<string, NodeRfcValue>>): RfcStructure {
  return Object.fromEntries(Object.entries(structure).map(([name, value]) => [name, fromNodeRfcValue(value)]))
}
