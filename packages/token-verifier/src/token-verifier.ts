import type { Clock } from '@sallyport/core'
import { compactVerify, importJWK } from 'jose'
import { decodeClaims, readCompactToken, type CompactToken } from './compact-token.ts'
import { maxPendingVerifications, maxVerificationAttempts } from './limits.ts'
import type { KeySource, TokenVerdict, TokenVerifier, VerifiedToken } from './types.ts'
import { createVerdictCache } from './verdict-cache.ts'

/** Whose tokens are taken, with which tolerance, and how many are remembered. */
export interface TokenVerifierOptions {
  readonly keys: KeySource
  readonly clock: Clock
  /** How long after `exp` a token is still taken. */
  readonly expiryToleranceSeconds: number
  /** How far `nbf` and `iat` may be ahead of our clock. */
  readonly notBeforeToleranceSeconds: number
  /** Verified tokens that are remembered; the least recently used ones give way. */
  readonly maxCachedTokens: number
  /** Longer tokens are refused unread. */
  readonly maxTokenBytes: number
}

/**
 * Verifies compact tokens against the keys of trusted issuers. RS256 and ES256 only, decided before any key is looked up; addresses and keys inside the
 * token (`jku`, `x5u`, `jwk`, `x5c`) are never used. The tenant is not checked: callers know which one they expect.
 *
 * A verdict is remembered until the token expires or `keys.revision` changes; refusals are not remembered.
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { keys, clock, expiryToleranceSeconds, notBeforeToleranceSeconds, maxTokenBytes } = options
  const cache = createVerdictCache(options.maxCachedTokens)
  const pending = new Map<string, Promise<TokenVerdict>>()
  // Keys of a source are the same objects until they change.
  const imported = new WeakMap<object, ReturnType<typeof importJWK>>()

  const importKey = (jwk: Readonly<Record<string, unknown>>, algorithm: string): ReturnType<typeof importJWK> => {
    let key = imported.get(jwk)
    if (key === undefined) {
      key = importJWK(jwk, algorithm)
      // The verification that awaits it reports a failure.
      key.catch(() => {})
      imported.set(jwk, key)
    }
    return key
  }

  const expiresAtMs = (token: CompactToken): number => (token.expiresAtSeconds + expiryToleranceSeconds) * 1000

  const refusalByTime = (token: CompactToken): TokenVerdict | undefined => {
    const now = clock.now()
    if (now >= expiresAtMs(token)) return { valid: false, reason: 'expired' }
    if (now < (token.startsAtSeconds - notBeforeToleranceSeconds) * 1000) return { valid: false, reason: 'not-yet-valid' }
    return undefined
  }

  const verifyNow = async (text: string): Promise<TokenVerdict> => {
    const token = readCompactToken(text, maxTokenBytes)
    if (typeof token === 'string') return { valid: false, reason: token }
    for (let attempt = 0; attempt < maxVerificationAttempts; attempt++) {
      const revision = keys.revision
      let jwk: Readonly<Record<string, unknown>> | undefined
      try {
        jwk = await keys.find(token.issuer, token.keyId, token.algorithm)
      } catch {
        // The source has logged why.
        return { valid: false, reason: 'unavailable' }
      }
      if (keys.revision !== revision) continue
      if (jwk === undefined) return { valid: false, reason: 'issuer' }
      const signed = await hasValidSignature(text, token, jwk, importKey)
      // Trust may have been withdrawn meanwhile: decide again with the keys of now.
      if (keys.revision !== revision) continue
      if (!signed) return { valid: false, reason: 'signature' }
      const refusal = refusalByTime(token)
      if (refusal !== undefined) return refusal
      const { issuer, keyId, expiresAtSeconds, claims } = token
      const verified: VerifiedToken = Object.freeze({ issuer, keyId, expiresAtSeconds, claims })
      cache.add(text, verified, expiresAtMs(token), revision)
      return { valid: true, token: verified }
    }
    return { valid: false, reason: 'unavailable' }
  }

  const peek = (token: string): VerifiedToken | undefined => cache.find(token, clock.now(), keys.revision)

  return {
    peek,
    verify(text) {
      const known = peek(text)
      if (known !== undefined) return Promise.resolve({ valid: true, token: known })
      const running = pending.get(text)
      if (running !== undefined) return running
      if (pending.size >= maxPendingVerifications) return Promise.resolve({ valid: false, reason: 'unavailable' })
      const verdict = verifyNow(text).finally(() => pending.delete(text))
      pending.set(text, verdict)
      return verdict
    },
    decode: (token) => decodeClaims(token, maxTokenBytes),
  }
}

async function hasValidSignature(
  text: string,
  token: CompactToken,
  jwk: Readonly<Record<string, unknown>>,
  importKey: (jwk: Readonly<Record<string, unknown>>, algorithm: string) => ReturnType<typeof importJWK>,
): Promise<boolean> {
  try {
    await compactVerify(text, await importKey(jwk, token.algorithm), { algorithms: [token.algorithm] })
    return true
  } catch {
    // A wrong signature, or a key that cannot be imported for this algorithm: either way nothing proves who signed.
    return false
  }
}
