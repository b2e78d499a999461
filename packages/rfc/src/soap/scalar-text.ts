import type { DeepType } from '@sallyport/rfc-wire'
import type { RfcValue } from '../rfc-value.ts'

/** Types whose values are one text. */
export type ScalarType = Exclude<DeepType, { kind: 'structure' } | { kind: 'components' } | { kind: 'table' }>

const integerBounds = {
  // As a byte some releases say it is signed.
  int1: [-128n, 255n],
  int2: [-32_768n, 32_767n],
  int4: [-2_147_483_648n, 2_147_483_647n],
  int8: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
} as const

/**
 * Writes a value as the content of an element (protocols.md 13.5).
 *
 * @throws TypeError that names the parameter and not the value.
 */
export function formatScalarText(type: ScalarType, value: RfcValue, name: string): string {
  const misfit = (what: string): TypeError => new TypeError(`${name} is not ${what}`)
  switch (type.kind) {
    case 'int1':
    case 'int2':
    case 'int4':
    case 'int8': {
      const [min, max] = integerBounds[type.kind]
      const number = wholeNumber(value)
      if (number === undefined || number < min || number > max) throw misfit(`a whole number of the type ${type.kind}`)
      return String(number)
    }
    case 'float': {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
      if (typeof number !== 'number' || !Number.isFinite(number)) throw misfit('a number')
      return String(number)
    }
    case 'packed':
    case 'decfloat16':
    case 'decfloat34': {
      const text = typeof value === 'string' ? value.trim() : typeof value === 'number' || typeof value === 'bigint' ? String(value) : ''
      if (!/^[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[Ee][+-]?\d{1,4})?$/.test(text)) throw misfit('a decimal number')
      return text
    }
    case 'raw':
    case 'xstring':
      if (!(value instanceof Uint8Array)) throw misfit('a Buffer')
      if (type.kind === 'raw' && value.length > type.length) throw misfit(`of at most ${type.length} bytes`)
      return Buffer.from(value).toString('base64')
    default:
      return formatCharacters(type, value, name, misfit)
  }
}

function formatCharacters(type: ScalarType, value: RfcValue, name: string, misfit: (what: string) => TypeError): string {
  if (typeof value === 'boolean' && type.kind === 'char' && type.length === 1) return value ? 'X' : ''
  const text = typeof value === 'number' && type.kind === 'numc' ? String(value) : value
  if (typeof text !== 'string') throw misfit('text')
  if (/[^\t\n\r\x20-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u.test(text))
    throw new TypeError(`${name} has a character that XML does not have`)
  switch (type.kind) {
    case 'char':
      if (text.length > type.length) throw misfit(`of at most ${type.length} characters`)
      return text
    case 'numc':
      if (!/^\d*$/.test(text) || text.length > type.length) throw misfit(`of at most ${type.length} digits`)
      return text.padStart(type.length, '0')
    case 'date':
      if (!/^(?:\d{8}|\d{4}-\d\d-\d\d|)$/.test(text)) throw misfit('a date (YYYYMMDD)')
      return (text === '' ? '00000000' : text.replaceAll('-', '')).replace(/^(....)(..)(..)$/, '$1-$2-$3')
    case 'time':
      if (!/^(?:\d{6}|\d\d:\d\d:\d\d|)$/.test(text)) throw misfit('a time (HHMMSS)')
      return (text === '' ? '000000' : text.replaceAll(':', '')).replace(/^(..)(..)(..)$/, '$1:$2:$3')
    default:
      return text
  }
}

/** The value of a component that is not there. */
export function initialScalar(type: ScalarType): RfcValue {
  switch (type.kind) {
    case 'int1':
    case 'int2':
    case 'int4':
    case 'int8':
    case 'float':
      return 0
    case 'packed':
      return type.decimals === 0 ? '0' : `0.${'0'.repeat(type.decimals)}`
    case 'decfloat16':
    case 'decfloat34':
      return '0'
    case 'numc':
      return '0'.repeat(type.length)
    case 'date':
      return '00000000'
    case 'time':
      return '000000'
    case 'raw':
      return Buffer.alloc(type.length)
    case 'xstring':
      return Buffer.alloc(0)
    default:
      return ''
  }
}

/**
 * Reads the content of an element; empty content is the initial value.
 *
 * @throws TypeError that names the parameter and not the value: also for `*`, by which ABAP says that a number did not fit.
 */
export function readScalarText(type: ScalarType, text: string, name: string): RfcValue {
  const misfit = (): TypeError => new TypeError(`${name} is not a value of the type ${type.kind}`)
  const bare = text.trim()
  if (type.kind === 'string' || type.kind === 'utclong') return text
  if (type.kind === 'char') return text.trimEnd()
  if (bare === '') return initialScalar(type)
  if (bare.startsWith('*')) throw new TypeError(`${name} did not fit into its field on the other side (*)`)
  switch (type.kind) {
    case 'int1':
    case 'int2':
    case 'int4':
    case 'int8': {
      const number = wholeNumber(bare)
      const [min, max] = integerBounds[type.kind]
      if (number === undefined || number < min || number > max) throw misfit()
      return number >= Number.MIN_SAFE_INTEGER && number <= Number.MAX_SAFE_INTEGER ? Number(number) : number
    }
    case 'float': {
      const number = Number(bare)
      if (!/^[+-]?[\d.]+(?:[Ee][+-]?\d+)?$/.test(bare) || !Number.isFinite(number)) throw misfit()
      return number
    }
    case 'packed':
    case 'decfloat16':
    case 'decfloat34': {
      // ABAP may write the sign behind the number.
      const [, before, digits, behind] = /^([+-]?)([\d.]{1,80}(?:[Ee][+-]?\d{1,4})?)([+-]?)$/.exec(bare) ?? []
      if (digits === undefined || !/\d/.test(digits) || (before !== '' && behind !== '')) throw misfit()
      return before === '-' || behind === '-' ? `-${digits}` : digits
    }
    case 'numc':
      if (!/^\d+$/.test(bare)) throw misfit()
      return bare.padStart(type.length, '0')
    case 'date':
      if (!/^(?:\d{8}|\d{4}-\d\d-\d\d)$/.test(bare)) throw misfit()
      return bare.replaceAll('-', '')
    case 'time':
      if (!/^(?:\d{6}|\d\d:\d\d:\d\d)$/.test(bare)) throw misfit()
      return bare.replaceAll(':', '')
    case 'raw':
    case 'xstring':
      if (!/^[A-Za-z0-9+/\s]*=?\s*=?\s*$/.test(bare)) throw misfit()
      return Buffer.from(bare, 'base64')
  }
}

function wholeNumber(value: RfcValue): bigint | undefined {
  if (typeof value === 'bigint') return value
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined
  if (typeof value !== 'string') return undefined
  const [, before, digits, behind] = /^([+-]?)(\d{1,20})([+-]?)$/.exec(value.trim()) ?? []
  if (digits === undefined || (before !== '' && behind !== '')) return undefined
  return before === '-' || behind === '-' ? -BigInt(digits) : BigInt(digits)
}
