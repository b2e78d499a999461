/** A token whose signature, issuer and times have been checked. Frozen; shared between requests. */
export interface VerifiedToken {
  readonly issuer: string
  readonly keyId: string
  /** Seconds since 1970, from `exp`. */
  readonly expiresAtSeconds: number
  readonly claims: TokenClaims
}

/** The claims that Sallyport reads (XSUAA format); any other is there too, unread. */
export interface TokenClaims {
  readonly iss?: string
  readonly sub?: string
  readonly aud?: string | readonly string[]
  readonly exp?: number
  readonly zid?: string
  readonly app_tid?: string
  readonly cid?: string
  readonly client_id?: string
  readonly azp?: string
  readonly grant_type?: string
  readonly user_name?: string
  readonly user_id?: string
  readonly user_uuid?: string
  readonly email?: string
  readonly origin?: string
  readonly scope?: readonly string[]
  readonly ext_attr?: {
    readonly enhancer?: string
    readonly zdn?: string
    readonly subaccountid?: string
    readonly serviceinstanceid?: string
  }
  readonly [claim: string]: unknown
}

/** Public keys of the issuers that are trusted right now. */
export interface KeySource {
  /**
   * The key that signed, or `undefined` when the issuer is not trusted or has no such key. An implementation that fetches keys does so at most once per issuer and
   * interval for unknown ids, and never from an address that the token names.
   */
  find(issuer: string, keyId: string, algorithm: string): Promise<Readonly<Record<string, unknown>> | undefined>
  /** Changes whenever a key or the trust in an issuer changes: cached verdicts of an older revision are void. */
  readonly revision: number
}

/** What {@link TokenVerifier.verify} answers; `unavailable` says nothing about the token: ask again later. */
export type TokenVerdict =
  | { readonly valid: true; readonly token: VerifiedToken }
  | {
      readonly valid: false
      readonly reason: 'malformed' | 'algorithm' | 'issuer' | 'signature' | 'expired' | 'not-yet-valid' | 'unavailable'
    }

/** Verifies tokens and remembers which ones it has verified. */
export interface TokenVerifier {
  /**
   * The token if it has been verified before and still is valid: synchronous, for the hot path. `undefined` says nothing about the token; ask `verify` then.
   */
  peek(token: string): VerifiedToken | undefined
  /** Concurrent calls for one token share one verification. Never rejects. */
  verify(token: string): Promise<TokenVerdict>
  /** The claims without any check, to name a token in a message; never for decisions. */
  decode(token: string): TokenClaims | undefined
}

/** An issuer with the public keys it signs with, RFC 7517. */
export interface IssuerKeys {
  readonly issuer: string
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}
