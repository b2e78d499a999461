import { createHash, randomBytes } from 'node:crypto'
import { pairingCodeLetters } from './limits.ts'

/** Letters that nobody confuses when a code is read aloud: Crockford's Base32. */
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

/** A new code in groups of five: `7K3QF-0WZ9M-…`. */
export function createPairingCode(): string {
  // 256 is a multiple of 32, so every letter is equally likely.
  const letters = [...randomBytes(pairingCodeLetters)].map((byte) => alphabet[byte % alphabet.length] ?? '').join('')
  return (letters.match(/.{1,5}/g) ?? []).join('-')
}

/**
 * What is kept of a code. Case, blanks and hyphens do not count, and `O`, `I`, `L` mean `0`, `1`, `1`. A plain hash is enough: the code is random, so
 * there is nothing to guess.
 */
export function hashPairingCode(code: string): string {
  const plain = code.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1')
  return createHash('sha256').update(`sallyport pairing code\0${plain}`).digest('hex')
}
