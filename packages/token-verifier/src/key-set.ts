import { maxExponentCharacters, maxKeyIdCharacters, maxKeysPerIssuer, maxModulusCharacters } from './limits.ts'

type Jwk = Readonly<Record<string, unknown>>

/** The usable keys of one issuer. */
export interface KeySet {
  find(keyId: string, algorithm: string): Jwk | undefined
  /** Equal for sets that verify the same tokens. */
  readonly fingerprint: string
}

/**
 * Picks the keys that can verify RS256 or ES256 signatures out of a JSON Web Key Set and keeps their public members only. Keys for encryption, of other kinds,
 * without an id or out of bounds are ignored, as RFC 7517 §5 wants, and so is a second one with the id and kind of an earlier one.
 */
export function createKeySet(keys: readonly Jwk[]): KeySet {
  const usable = new Map<string, Jwk>()
  for (const key of keys) {
    const found = readKey(key)
    if (found === undefined || usable.size >= maxKeysPerIssuer) continue
    const index = `${found.algorithm} ${found.keyId}`
    if (!usable.has(index)) usable.set(index, found.jwk)
  }
  return {
    find: (keyId, algorithm) => usable.get(`${algorithm} ${keyId}`),
    fingerprint: JSON.stringify([...usable].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}

function readKey(key: Jwk): { readonly keyId: string; readonly algorithm: string; readonly jwk: Jwk } | undefined {
  if (typeof key !== 'object' || key === null) return undefined
  const { kid, kty, alg, use, key_ops: operations, n, e, crv, x, y } = key
  if (typeof kid !== 'string' || kid === '' || kid.length > maxKeyIdCharacters) return undefined
  if (use !== undefined && use !== 'sig') return undefined
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return undefined
  if (kty === 'RSA' && (alg === undefined || alg === 'RS256') && isText(n, maxModulusCharacters) && isText(e, maxExponentCharacters)) {
    return { keyId: kid, algorithm: 'RS256', jwk: Object.freeze({ kty, n, e }) }
  }
  if (kty === 'EC' && crv === 'P-256' && (alg === undefined || alg === 'ES256') && isText(x, 43) && isText(y, 43)) {
    return { keyId: kid, algorithm: 'ES256', jwk: Object.freeze({ kty, crv, x, y }) }
  }
  return undefined
}

function isText(value: unknown, maxCharacters: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= maxCharacters
}
