import { type AbapField, type AbapType, type AbapValue, fixedBytesOf } from './abap-type.ts'
import { formatPacked } from './packed-decimal.ts'
import { formatWireText } from './wire-text.ts'

/**
 * Renders a value as a parameter or row carries it: row-based, for a Unicode system.
 *
 * @throws TypeError for values of another kind or outside the type's range, for text and bytes that are too long, for components that the structure does not
 * have, and for every value of `decfloat16`, `decfloat34` and `utclong`. `name` is what messages call the value; they never repeat it.
 */
export function encodeValue(type: AbapType, value: AbapValue, name: string): Buffer {
  switch (type.kind) {
    case 'char':
      return encodeText(asText(value, name), type.length, ' ', name)
    case 'numc':
    case 'date':
    case 'time':
      return encodeDigits(type, asText(value, name), name)
    case 'int1':
    case 'int2':
    case 'int4':
      return encodeInteger(type.kind, value, name)
    case 'int8': {
      if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw new TypeError(`${name} is not a bigint of 64 bits`)
      const bytes = Buffer.alloc(8)
      bytes.writeBigInt64LE(value)
      return bytes
    }
    case 'float': {
      if (typeof value !== 'number' || !Number.isFinite(value)) throw new TypeError(`${name} is not a finite number`)
      const bytes = Buffer.alloc(8)
      bytes.writeDoubleLE(value)
      return bytes
    }
    case 'packed':
      return named(name, () => formatPacked(asText(value, name), type))
    case 'raw': {
      const bytes = asBytes(value, name)
      if (bytes.length > type.length) throw new TypeError(`${name} is longer than ${type.length} bytes`)
      return Buffer.concat([bytes], type.length)
    }
    case 'string': {
      const text = asText(value, name)
      if (!text.isWellFormed()) throw new TypeError(`${name} has half a surrogate pair`)
      return Buffer.from(text, 'utf8')
    }
    case 'xstring':
      return asBytes(value, name)
    case 'structure':
      return encodeStructure(type, value, name)
    case 'decfloat16':
    case 'decfloat34':
    case 'utclong':
      throw new TypeError(`${name} has the type ${type.kind}, whose bytes are not known`)
  }
}

/** The value that a component has when nobody set it, as bytes; see {@link encodeValue} for what throws. */
export function encodeInitialValue(type: AbapType, name: string): Buffer {
  switch (type.kind) {
    case 'char':
      return encodeText('', type.length, ' ', name)
    case 'numc':
    case 'date':
    case 'time':
      return encodeDigits(type, '', name)
    case 'packed':
      return formatPacked('0', type)
    case 'structure':
      return encodeStructure(type, {}, name)
    case 'decfloat16':
    case 'decfloat34':
    case 'utclong':
      throw new TypeError(`${name} has the type ${type.kind}, whose bytes are not known`)
    default:
      return Buffer.alloc(fixedBytesOf(type) ?? 0)
  }
}

const integerRanges = { int1: [0, 255, 1], int2: [-0x8000, 0x7fff, 2], int4: [-0x8000_0000, 0x7fff_ffff, 4] } as const

function encodeInteger(kind: keyof typeof integerRanges, value: AbapValue, name: string): Buffer {
  const [least, most, size] = integerRanges[kind]
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new TypeError(`${name} is not an integer from ${least} to ${most}`)
  }
  const bytes = Buffer.alloc(size)
  if (least === 0) bytes.writeUIntLE(value, 0, size)
  else bytes.writeIntLE(value, 0, size)
  return bytes
}

function encodeText(text: string, length: number, fill: string, name: string): Buffer {
  if (text.length > length) throw new TypeError(`${name} is longer than ${length} characters`)
  return named(name, () => formatWireText(text.padEnd(length, fill), 'utf16le'))
}

function encodeDigits(type: Extract<AbapType, { kind: 'numc' | 'date' | 'time' }>, text: string, name: string): Buffer {
  const length = type.kind === 'numc' ? type.length : type.kind === 'date' ? 8 : 6
  if (!/^\d*$/.test(text)) throw new TypeError(`${name} has other characters than digits`)
  // A date or time is whole or initial; a number is filled up.
  if (type.kind !== 'numc' && text !== '' && text.length !== length) throw new TypeError(`${name} is not ${length} digits`)
  if (text.length > length) throw new TypeError(`${name} is longer than ${length} digits`)
  return Buffer.from(text.padStart(length, '0'), 'utf16le')
}

function encodeStructure(type: Extract<AbapType, { kind: 'structure' }>, value: AbapValue, name: string): Buffer {
  if (typeof value !== 'object' || Buffer.isBuffer(value)) throw new TypeError(`${name} is not an object`)
  const known = new Set(type.fields.map((field) => field.name))
  for (const key of Object.keys(value)) if (!known.has(key)) throw new TypeError(`${name} has no component ${key}`)
  const bytes = Buffer.alloc(type.bytes)
  for (const field of type.fields) {
    const given = Object.hasOwn(value, field.name) ? value[field.name] : undefined
    const label = `${name}-${field.name}`
    const part = given === undefined ? encodeInitialValue(field.type, label) : encodeValue(field.type, given, label)
    if (!fits(field, type.bytes)) throw new TypeError(`${label} does not lie within its structure`)
    part.copy(bytes, field.offset)
  }
  return bytes
}

/** Whether a component has a name of the dictionary and lies within its structure. Those with a length of their own never do. */
export function fits(field: AbapField, structureBytes: number): boolean {
  const size = fixedBytesOf(field.type)
  return (
    /^[^a-z]+$/.test(field.name) &&
    size !== undefined &&
    Number.isInteger(field.offset) &&
    field.offset >= 0 &&
    field.offset + size <= structureBytes
  )
}

function asText(value: AbapValue, name: string): string {
  if (typeof value !== 'string') throw new TypeError(`${name} is not text`)
  return value
}

function asBytes(value: AbapValue, name: string): Buffer {
  if (!Buffer.isBuffer(value)) throw new TypeError(`${name} is not a Buffer`)
  return value
}

/** Lets errors of a part say which value they are about. */
function named<T>(name: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof TypeError ? new TypeError(`${name}: ${error.message}`, { cause: error }) : error
  }
}
