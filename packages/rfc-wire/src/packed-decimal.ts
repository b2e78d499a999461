import { type Refused, refuse } from './refusal.ts'

/** Size of a packed number: one digit fewer than twice its bytes, some of them decimals. */
interface PackedShape {
  readonly bytes: number
  readonly decimals: number
}

const positive = 0xc
const alsoPositive = 0xf
const negative = 0xd

/**
 * Renders a number in decimal notation, such as `-12.5`, with two digits per byte and the sign in the last half byte.
 *
 * @throws TypeError for anything but digits with one sign and one point, for more decimals than the type has unless they are zeros, and for more digits.
 */
export function formatPacked(text: string, { bytes, decimals }: PackedShape): Buffer {
  const match = /^([+-]?)(\d*)(?:\.(\d+))?$/.exec(text)
  const [, sign = '', whole = '', fraction = ''] = match ?? []
  if (match === null || whole + fraction === '') throw new TypeError('a packed number is not in decimal notation')
  if (/[1-9]/.test(fraction.slice(decimals))) throw new TypeError(`a packed number has more than ${decimals} decimals`)
  const digits = (whole + fraction.slice(0, decimals).padEnd(decimals, '0')).replace(/^0+/, '')
  const room = bytes * 2 - 1
  if (digits.length > room) throw new TypeError(`a packed number has more than ${room} digits`)
  const signDigit = sign === '-' && digits !== '' ? negative : positive
  return Buffer.from(digits.padStart(room, '0') + signDigit.toString(16), 'hex')
}

/** Reads a packed number into decimal notation with all its decimals. */
export function readPacked(value: Buffer, { bytes, decimals }: PackedShape): string | Refused {
  if (value.length !== bytes || bytes === 0) return refuse('packed number: length')
  const text = value.toString('hex')
  const digits = text.slice(0, -1)
  const sign = Number.parseInt(text.slice(-1), 16)
  if (!/^\d*$/.test(digits)) return refuse('packed number: a half byte that is no digit')
  if (sign !== positive && sign !== alsoPositive && sign !== negative) return refuse('packed number: sign')
  const padded = digits.padStart(decimals + 1, '0')
  const whole = padded.slice(0, padded.length - decimals).replace(/^0+(?=\d)/, '')
  const number = decimals === 0 ? whole : `${whole}.${padded.slice(-decimals)}`
  return sign === negative && /[1-9]/.test(digits) ? `-${number}` : number
}
