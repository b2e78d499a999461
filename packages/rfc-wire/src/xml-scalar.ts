import { type AbapType, type AbapValue, fixedBytesOf } from './abap-type.ts'
import { decodeValue } from './decode-value.ts'
import { encodeInitialValue, encodeValue } from './encode-value.ts'
import { isRefused, type Refused, refuse } from './refusal.ts'

/** Types that are no structure. */
export type ScalarType = Exclude<AbapType, { kind: 'structure' }>

/** The value of a component that nobody set. */
export function initialScalar(type: ScalarType, name: string): AbapValue {
  const value = decodeValue(type, encodeInitialValue(type, name), name)
  if (isRefused(value)) throw new TypeError(value.refused)
  return value
}

/**
 * Renders a value as the text of an element: numbers in decimal notation, dates with dashes, times with colons, bytes in Base64.
 *
 * @throws TypeError for everything that {@link encodeValue} refuses.
 */
export function formatScalar(type: ScalarType, value: AbapValue, name: string): string {
  // Holds the value to the limits of its type, and brings it into its regular form.
  const regular = decodeValue(type, encodeValue(type, value, name), name)
  if (isRefused(regular)) throw new TypeError(regular.refused)
  if (Buffer.isBuffer(regular)) return regular.toString('base64')
  if (typeof regular === 'object') throw new TypeError(`${name} is a structure`)
  const text = String(regular)
  if (type.kind === 'date') return `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}`
  return type.kind === 'time' ? `${text.slice(0, 2)}:${text.slice(2, 4)}:${text.slice(4)}` : text
}

/** Reads the text of an element; dates and times also without their marks. */
export function readScalar(type: ScalarType, text: string, name: string): AbapValue | Refused {
  const value = fromText(type, text)
  if (value === undefined) return refuse(`${name}: not a value of its type`)
  try {
    return decodeValue(type, encodeValue(type, value, name), name)
  } catch (error) {
    // What does not fit the type is said by a TypeError without the value.
    if (error instanceof TypeError) return refuse(error.message)
    throw error
  }
}

function fromText(type: ScalarType, text: string): AbapValue | undefined {
  switch (type.kind) {
    case 'int1':
    case 'int2':
    case 'int4':
      return /^-?\d{1,10}$/.test(text) ? Number(text) : undefined
    case 'int8':
      return /^-?\d{1,19}$/.test(text) ? BigInt(text) : undefined
    case 'float':
      return /^-?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?$/i.test(text) ? Number(text) : undefined
    case 'date':
      return /^\d{4}-\d\d-\d\d$/.test(text) ? text.replaceAll('-', '') : text
    case 'time':
      return /^\d\d:\d\d:\d\d$/.test(text) ? text.replaceAll(':', '') : text
    case 'raw':
    case 'xstring': {
      const bytes = Buffer.from(text, 'base64')
      if (bytes.toString('base64') !== text) return undefined
      return type.kind === 'raw' && bytes.length !== fixedBytesOf(type) ? undefined : bytes
    }
    default:
      return text
  }
}
