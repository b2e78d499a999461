import type { TokenClaims } from '@sallyport/token-verifier'

/** A principal as it comes through the tunnel: a token, and the channel that says what it stands for. */
export interface PrincipalToken {
  readonly kind: 'business' | 'technical'
  /** Compact JSON Web Token. */
  readonly token: string
}

/** A principal whose token has passed the trust of the connector. Frozen; one object for a token while its verdict is remembered. */
export interface ValidatedPrincipal {
  readonly kind: 'business' | 'technical'
  readonly issuer: string
  /** What `${name}` stands for; `undefined` when the token names nobody. */
  readonly name: string | undefined
  /** `exp` of the token; with the tolerance it may be over already. */
  readonly expiresAtSeconds: number
  readonly claims: TokenClaims
}
