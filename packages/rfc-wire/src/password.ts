import { maxPasswordBytes } from './limits.ts'
import { isPrintable } from './padded-text.ts'
import { type Refused, refuse } from './refusal.ts'

/** The table of protocols.md 11.9. */
const table = Buffer.from(
  'f0ed53b83244f1f876c67959fd4f13a2c15195ec5483c234774943a27de265965e5398789a17a33cd383a8b829fbdca555d702778413acddf9b83116610e6dfa',
  'hex',
)

/**
 * Renders a password as field 0117 carries it: the seed, then the characters mixed with a table. Whoever reads the wire can undo it, so this is not protection.
 * `seed` should be random, 0 to 2³² − 1.
 *
 * @throws TypeError for a password that is not 1 to 40 printable ASCII characters: others are not known to be understood. The message never repeats it.
 */
export function scramblePassword(password: string, seed: number): Buffer {
  if (password === '' || password.length > maxPasswordBytes) throw new TypeError(`a password has 1 to ${maxPasswordBytes} characters`)
  if (!isPrintable(password)) throw new TypeError('a password has printable ASCII characters only')
  const bytes = Buffer.alloc(4 + password.length)
  bytes.writeUInt32LE(seed)
  bytes.write(password, 4, 'latin1')
  mix(bytes.subarray(4), seed)
  return bytes
}

/** Undoes {@link scramblePassword}, for peers that play server. */
export function unscramblePassword(value: Buffer): string | Refused {
  if (value.length < 5 || value.length > 4 + maxPasswordBytes) return refuse('password: length')
  const bytes = Buffer.from(value.subarray(4))
  mix(bytes, value.readUInt32LE())
  const password = bytes.toString('latin1')
  return isPrintable(password) ? password : refuse('password: characters that are not printable')
}

/** Its own inverse. */
function mix(bytes: Buffer, seed: number): void {
  const start = (seed ^ (seed >>> 5) ^ (seed << 1)) >>> 0
  for (let i = 0; i < bytes.length; i += 1) {
    // `Math.imul` keeps the low 32 bits, of which the lowest eight count.
    const running = (Math.imul(Math.imul(seed, i), i) - i) & 0xff
    bytes[i] = bytes[i]! ^ table[(start + i) & 63]! ^ running
  }
}
