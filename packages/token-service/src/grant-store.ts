import type { GrantType } from './oauth-client.ts'
import type { UserReference } from './user.ts'

interface GrantBase {
  readonly tenantId: string
  readonly user: UserReference
  readonly authTimeSeconds: number
  readonly createdAtMs: number
  readonly expiresAtMs: number
}

/** What a log-on hands to the browser for the application: good once, for one client and one redirect target. */
export interface AuthorizationCode extends GrantBase {
  readonly kind: 'code'
  readonly clientId: string
  readonly redirectUri: string
  readonly scopes: readonly string[] | undefined
  /** S256 challenge of RFC 7636. */
  readonly codeChallenge: string | undefined
  readonly nonce: string | undefined
}

/** Lets a client get user tokens again. It is not exchanged on use, so that instances of an application may share one. */
export interface RefreshToken extends GrantBase {
  readonly kind: 'refresh'
  readonly clientId: string
  readonly scopes: readonly string[] | undefined
  /** How the user came in at first; the claim stays. */
  readonly grantType: GrantType
}

/** A browser that has logged on. */
export interface LogOnSession extends GrantBase {
  readonly kind: 'session'
  /** `''`: a session belongs to no client. */
  readonly clientId: ''
  /** Whether it was begun over https; one that was not is worth nothing there. */
  readonly secure: boolean
}

/** Whatever outlives a request. */
export type Grant = AuthorizationCode | RefreshToken | LogOnSession
/** The grant of one kind. */
export type GrantOf<Kind extends Grant['kind']> = Extract<Grant, { readonly kind: Kind }>

/**
 * Keeps codes, refresh tokens and sessions over restarts, under hashes: what is stored opens nothing.
 *
 * The number is bounded, by user and client and in all; a new grant replaces the oldest. Expired ones are never found.
 */
export interface GrantStore {
  add(hash: string, grant: Grant): Promise<void>
  find<Kind extends Grant['kind']>(kind: Kind, hash: string): Promise<GrantOf<Kind> | undefined>
  remove(kind: Grant['kind'], hash: string): Promise<void>
  /**
   * Uses a code up; of many callers one gets `redeemed`. A code that was used before names the refresh token that came of it, so that both can be
   * taken back (RFC 6749 §4.1.2). `refreshHash` is `''` when there is none.
   */
  redeemCode(
    hash: string,
    refreshHash: string,
  ): Promise<{ readonly kind: 'redeemed' } | { readonly kind: 'used'; readonly refreshHash: string } | { readonly kind: 'unknown' }>
}

/** How many grants a store keeps. */
export interface GrantBounds {
  readonly maxGrantsPerUserAndClient: number
  readonly maxGrants: number
}

/** Whose grant it is, for {@link GrantBounds.maxGrantsPerUserAndClient}. */
export function grantOwner(grant: Grant): string {
  return JSON.stringify([grant.kind, grant.tenantId, grant.clientId, grant.user.kind === 'directory' ? grant.user.id : grant.user.user.id])
}
