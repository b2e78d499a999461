import type { FoundDestination } from './found-destination.ts'
import { tokenMarginMs } from './limits.ts'

/**
 * Types whose answer is the same for every user of a tenant. Anything else is kept per user; so is `PrincipalPropagation`, which for users of an identity
 * service may come with the token that their corporate identity provider has issued.
 */
const sameForAllUsers: ReadonlySet<string> = new Set([
  'NoAuthentication',
  'BasicAuthentication',
  'ClientCertificateAuthentication',
  'OAuth2ClientCredentials',
  'OAuth2Password',
])

/** A `Common` token service is asked for the tenant of the user's token, so that the answer belongs to that tenant, whatever the type. */
function dependsOnUser({ properties }: FoundDestination['destination'], authentication: string): boolean {
  return !sameForAllUsers.has(authentication) || properties['tokenServiceURLType']?.toLowerCase() === 'common'
}

/** Types whose answer serves one call: assertions, and tokens that were paid for with a code or a refresh token. */
const neverKept: ReadonlySet<string> = new Set(['SAMLAssertion', 'OAuth2AuthorizationCode', 'OAuth2RefreshToken', 'OAuth2TokenExchange'])

/** Whether, for whom and how long an answer is kept. */
export interface CacheVerdict {
  readonly keep: boolean
  readonly perUser: boolean
  readonly freshUntilMs: number
  /** Up to here it may bridge an outage. Never beyond the life of a token inside. */
  readonly staleUntilMs: number
}

/** Decides how long an answer is used. */
export function judge(
  found: FoundDestination,
  nowMs: number,
  { cacheMs, staleMs }: { readonly cacheMs: number; readonly staleMs: number },
): CacheVerdict {
  const authentication = found.destination.properties['Authentication'] ?? 'NoAuthentication'
  const expiresAtMs =
    found.credentials.kind === 'header' ? (found.credentials.expiresAtMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
  const lifeMs = expiresAtMs - nowMs
  return {
    keep: !neverKept.has(authentication) && lifeMs > 0,
    perUser: dependsOnUser(found.destination, authentication),
    freshUntilMs: Math.min(nowMs + cacheMs, expiresAtMs - Math.min(tokenMarginMs, lifeMs / 2)),
    staleUntilMs: Math.min(nowMs + Math.max(cacheMs, staleMs), expiresAtMs),
  }
}
