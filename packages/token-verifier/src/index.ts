/**
 * Verifies JSON Web Tokens against the keys of trusted issuers and remembers the verdicts, so that a token that comes with
 * every request costs a map look-up.
 *
 * @example
 * const keys = createFixedKeySource([{ issuer: 'https://tokens.example.org/oauth/token', keys: jwks.keys }])
 * const verifier = createTokenVerifier({
 *   keys, clock: systemClock, expiryToleranceSeconds: 0, notBeforeToleranceSeconds: 60, maxCachedTokens: 10_000, maxTokenBytes: 8192,
 * })
 * const token = verifier.peek(text) // synchronous; undefined when not verified yet
 * const verdict = await verifier.verify(text)
 * if (verdict.valid) verdict.token.claims.zid
 *
 * @packageDocumentation
 */
export { embeddedTokenClaim, embeddedTokenOf } from './embedded-token.ts'
export { createFixedKeySource, type FixedKeySource } from './fixed-key-source.ts'
export { createRemoteKeySource, type RemoteKeySourceOptions } from './remote-key-source.ts'
export { namesOtherTenant, tenantOfIdentityToken } from './tenant-claims.ts'
export { tokenHolder } from './token-holder.ts'
export { createTokenVerifier, type TokenVerifierOptions } from './token-verifier.ts'
export type { IssuerKeys, KeySource, TokenClaims, TokenVerdict, TokenVerifier, VerifiedToken } from './types.ts'
