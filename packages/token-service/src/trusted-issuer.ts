import { createHash } from 'node:crypto'
import type { TokenClaims } from '@sallyport/token-verifier'
import { maxGroupsPerUser, maxNameLength } from './limits.ts'
import { formatUuid } from './random.ts'
import { refusal } from './token-errors.ts'
import type { TokenUser } from './user.ts'

/**
 * An identity provider whose tokens one tenant accepts as assertions. Its keys come with the `trustedTokens` verifier of the service; here is what its
 * tokens mean.
 */
export interface TrustedIssuer {
  /** Claim `iss`, exactly. */
  readonly issuer: string
  readonly tenantId: string
  /** Claim `origin` of users that come from there; different from that of our own users and of other issuers. */
  readonly origin: string
  /** At least one of these has to be in `aud`: a token for another application of the provider is not for us. */
  readonly audiences: readonly string[]
  /** The claim that becomes `user_name`; one that users cannot choose. */
  readonly nameClaim: string
  /** The claim with the groups. */
  readonly groupsClaim?: string
  /** Claims that become user attributes, for principal propagation. */
  readonly attributeClaims?: readonly string[]
  /** Tokens of its users carry the assertion along, so that a cloud connector can propagate who that names. */
  readonly embedsToken?: boolean
}

/**
 * Reads the user out of a verified token of a trusted issuer; `assertion` is the text of that token.
 *
 * @throws ConnectivityError, see {@link refusal}: 401 `invalid_token` when it is for somebody else or names nobody.
 */
export function userOfTrustedIssuer(claims: TokenClaims, assertion: string, trusted: TrustedIssuer): TokenUser {
  const audiences = texts(claims.aud)
  if (!audiences.some((audience) => trusted.audiences.includes(audience)))
    throw refusal(401, 'invalid_token', 'The assertion is for another audience')
  const name = claims[trusted.nameClaim]
  const subject = claims.sub
  if (typeof name !== 'string' || name === '' || name.length > maxNameLength || typeof subject !== 'string' || subject === '') {
    throw refusal(401, 'invalid_token', 'The assertion names no user')
  }
  if (trusted.nameClaim === 'email' && claims['email_verified'] === false)
    throw refusal(401, 'invalid_token', 'The e-mail address in the assertion is not verified')
  const groups = trusted.groupsClaim === undefined ? [] : texts(claims[trusted.groupsClaim])
  const attributes = (trusted.attributeClaims ?? []).map((claim) => [claim, texts(claims[claim])] as const)
  return {
    id: userIdOf(trusted.tenantId, trusted.origin, subject),
    name,
    ...optional('email', claims.email),
    ...optional('givenName', claims['given_name']),
    ...optional('familyName', claims['family_name']),
    origin: trusted.origin,
    groups: groups.slice(0, maxGroupsPerUser),
    attributes: Object.fromEntries(attributes.filter(([, values]) => values.length > 0)),
    ...(trusted.embedsToken === true ? { corporateToken: assertion } : {}),
  }
}

/** The same id for the same user at every time and in every process, though nobody keeps a list. */
export function userIdOf(tenantId: string, origin: string, subject: string): string {
  return formatUuid(
    createHash('sha256')
      .update(JSON.stringify([tenantId, origin, subject]))
      .digest(),
    8,
  )
}

function texts(value: unknown): string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((entry) => typeof entry === 'string').filter((entry) => entry.length <= maxNameLength)
}

function optional<Name extends string>(name: Name, value: unknown): Partial<Record<Name, string>> {
  return typeof value === 'string' && value !== '' && value.length <= maxNameLength
    ? ({ [name]: value } as Partial<Record<Name, string>>)
    : {}
}
