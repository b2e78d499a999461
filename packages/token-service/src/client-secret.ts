import { createHash, timingSafeEqual } from 'node:crypto'
import { createSecret, type Secret } from '@sallyport/core'
import { type RandomSource, randomSecret } from './random.ts'

const scheme = 'sha256:'

/**
 * The stored form of a client secret: one SHA-256.
 *
 * A slow hash protects secrets that people invent; ours are 256 random bits, which no dictionary finds. It would also break the official clients, which
 * give up after two seconds while hundreds of service tokens are asked for.
 */
export function hashClientSecret(secret: string): string {
  return scheme + digest(secret).toString('base64url')
}

/** A new secret for a binding. Show it once; keep {@link hashClientSecret} of it. */
export function generateClientSecret(random: RandomSource): Secret {
  return createSecret(randomSecret(random))
}

/** Compares in constant time, and with every stored hash, so that neither the position nor the number of matching characters shows. */
export function matchesClientSecret(presented: string, hashes: readonly string[]): boolean {
  const actual = digest(presented)
  let matched = false
  for (const hash of hashes) {
    const expected = Buffer.from(hash.slice(scheme.length), 'base64url')
    if (isClientSecretHash(hash) && timingSafeEqual(actual, expected)) matched = true
  }
  return matched
}

/** Whether a text is a stored secret; anything else in a configuration would silently never match. */
export function isClientSecretHash(text: string): boolean {
  return /^sha256:[\w-]{43}$/.test(text)
}

/** The hash that codes, refresh tokens and session ids are kept under. `kind` keeps one from passing for another. */
export function hashGrant(kind: string, secret: string): string {
  return createHash('sha256').update(kind).update('\0').update(secret, 'utf8').digest('base64url')
}

/** Compares two short texts in constant time. */
export function equalTexts(a: string, b: string): boolean {
  return timingSafeEqual(digest(a), digest(b))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
