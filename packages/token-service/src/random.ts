import { secretBytes } from './limits.ts'

/** Unpredictable bytes, as `crypto.randomBytes`. Injected so that tests may see what was drawn; never a seeded generator in a product. */
export type RandomSource = (bytes: number) => Buffer

/** A text that cannot be guessed: 256 random bits in Base64url. */
export function randomSecret(random: RandomSource): string {
  return random(secretBytes).toString('base64url')
}

/** A random UUID (RFC 9562, version 4). */
export function randomUuid(random: RandomSource): string {
  return formatUuid(random(16), 4)
}

/** Writes 16 bytes as a UUID of the given version. */
export function formatUuid(bytes: Buffer, version: number): string {
  const uuid = Buffer.from(bytes.subarray(0, 16))
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | (version << 4)
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80
  const hex = uuid.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
