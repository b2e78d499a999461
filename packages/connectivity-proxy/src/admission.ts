import { type TokenClaims, tokenHolder, type TokenVerifier, type VerifiedToken } from '@sallyport/token-verifier'
import { admitIdentityToken, type IdentityServices } from './identity-services.ts'
import { identityOf } from './identity.ts'
import { isRefusal, type Refusal } from './refusal.ts'
import * as refusals from './refusals.ts'

/** Which tenant a request is for: a fixed one, or that of its token. */
export type Tenancy = { readonly mode: 'dedicated'; readonly subaccount: string } | { readonly mode: 'shared' }

/** What a token entitles its sender to. */
export interface Admission {
  readonly tenant: string
  /** Client that the token was issued for; `''` where no token is asked for. */
  readonly client: string
  /** Set when the token is that of a user: who it is. */
  readonly user: string | undefined
}

/** Decides whether a token may use the proxy, and for which tenant. */
export interface TokenGate {
  /** On the hot path: `undefined` means that {@link verify} has to be asked. */
  peek(token: string): Admission | Refusal | undefined
  verify(token: string): Promise<Admission | Refusal>
}

/**
 * The gate of a listener with proxy authorization, or with `allowedClients` left out of one that only needs to know the tenant (shared and trusted).
 *
 * Facts that follow from the claims are kept with the verified token; whether its client is still allowed is asked every time.
 */
export function createTokenGate(options: {
  readonly verifier: TokenVerifier
  readonly tenancy: Tenancy
  readonly allowedClients: { has(clientId: string): boolean } | undefined
  /** Issuers beside the token service. */
  readonly identityServices?: IdentityServices | undefined
}): TokenGate {
  const { verifier, tenancy, allowedClients, identityServices } = options
  const known = new WeakMap<VerifiedToken, Admission | Refusal>()

  function judge(token: VerifiedToken): Admission | Refusal {
    const { claims, issuer } = token
    const services = identityServices?.issuers.has(issuer) === true ? identityServices : undefined
    let verdict = known.get(token)
    if (verdict === undefined)
      known.set(token, (verdict = services === undefined ? admit(claims, tenancy) : admitIdentityToken(claims, tenancy)))
    if (isRefusal(verdict)) return verdict
    if (services !== undefined)
      return services.admits({ issuer, clientId: verdict.client, tenantId: verdict.tenant }) ? verdict : refusals.identityUnknown
    return allowedClients === undefined || allowedClients.has(verdict.client) ? verdict : refusals.clientUnknown
  }

  return {
    peek(token) {
      const verified = verifier.peek(token)
      return verified === undefined ? undefined : judge(verified)
    },
    async verify(token) {
      const verdict = await verifier.verify(token)
      if (verdict.valid) return judge(verdict.token)
      return verdict.reason === 'unavailable' ? refusals.keysUnavailable : refusals.tokenInvalid(verdict.reason)
    },
  }
}

function admit(claims: TokenClaims, tenancy: Tenancy): Admission | Refusal {
  const tenant = claims.zid
  if (typeof tenant !== 'string' || tenant === '') return refusals.tenantMissing
  if (tenancy.mode === 'dedicated' && tenant !== tenancy.subaccount) return refusals.tenantForeign
  const client = claims.client_id ?? claims.cid ?? claims.azp
  return {
    tenant,
    client: typeof client === 'string' ? client : '',
    user: isTokenOfUser(claims) ? identityOf('business', claims) : undefined,
  }
}

/** A token without a grant counts as technical here, so that nobody is propagated by guess. */
function isTokenOfUser(claims: TokenClaims): boolean {
  if (claims.grant_type === undefined || tokenHolder(claims) !== 'person') return false
  return [claims.user_name, claims.user_id, claims.user_uuid, claims.email].some((name) => typeof name === 'string' && name !== '')
}
