import { maxIssuerCharacters, maxKeyIdCharacters } from './limits.ts'
import { readClaims } from './claims.ts'
import type { TokenClaims } from './types.ts'

/** A token taken apart, nothing of it verified. */
export interface CompactToken {
  readonly algorithm: 'RS256' | 'ES256'
  readonly keyId: string
  readonly issuer: string
  readonly expiresAtSeconds: number
  /** The later of `nbf` and `iat`; `-Infinity` without both. */
  readonly startsAtSeconds: number
  readonly claims: TokenClaims
}

export type CompactTokenResult = CompactToken | 'malformed' | 'algorithm'

/**
 * Takes a compact token apart. Everything that can be refused without a key is refused here: other algorithms than RS256 and ES256 (so `none` and HMAC
 * never come near a key), `crit` (RFC 7515 §4.1.11: extensions that are not understood), and a missing key id, issuer or expiry.
 */
export function readCompactToken(token: string, maxTokenBytes: number): CompactTokenResult {
  if (token.length > maxTokenBytes) return 'malformed'
  const parts = compactForm.exec(token)
  if (parts === null || !isCanonical(parts[3] ?? '')) return 'malformed'
  const header = readObject(parts[1] ?? '')
  if (header === undefined) return 'malformed'
  const { alg: algorithm, kid: keyId } = header
  if (typeof algorithm !== 'string') return 'malformed'
  if (algorithm !== 'RS256' && algorithm !== 'ES256') return 'algorithm'
  if ('crit' in header || 'b64' in header) return 'malformed'
  if (typeof keyId !== 'string' || keyId === '' || keyId.length > maxKeyIdCharacters) return 'malformed'
  const payload = readObject(parts[2] ?? '')
  const claims = payload === undefined ? undefined : readClaims(payload)
  if (claims === undefined) return 'malformed'
  const { iss: issuer, exp, nbf, iat } = claims
  if (issuer === undefined || issuer === '' || issuer.length > maxIssuerCharacters || exp === undefined) return 'malformed'
  const startsAtSeconds = Math.max(typeof nbf === 'number' ? nbf : -Infinity, typeof iat === 'number' ? iat : -Infinity)
  return { algorithm, keyId, issuer, expiresAtSeconds: exp, startsAtSeconds, claims }
}

/** The claims of anything that looks like a token. */
export function decodeClaims(token: string, maxTokenBytes: number): TokenClaims | undefined {
  const parts = token.length > maxTokenBytes ? null : compactForm.exec(token)
  const payload = readObject(parts?.[2] ?? '')
  return payload === undefined ? undefined : readClaims(payload)
}

const compactForm = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)$/

/** One signature has one text: otherwise the unused bits at the end would give every token several forms in the cache. */
function isCanonical(base64url: string): boolean {
  return Buffer.from(base64url, 'base64url').toString('base64url') === base64url
}

function readObject(base64url: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(utf8.decode(Buffer.from(base64url, 'base64url')))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined
  } catch {
    // Neither UTF-8 nor JSON: malformed, which the caller answers.
    return undefined
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })
