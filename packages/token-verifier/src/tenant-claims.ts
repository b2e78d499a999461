import type { TokenClaims } from './types.ts'

/** Claims in which token services and identity services name the tenant that a token is for. */
const tenantClaims = ['zid', 'app_tid', 'zone_uuid'] as const

/**
 * Whether a token names a tenant other than the expected one, in any of the claims that name one. A token that names none is for everybody who trusts its issuer:
 * those of corporate identity providers know nothing of tenants.
 */
export function namesOtherTenant(claims: TokenClaims, tenant: string): boolean {
  return tenantClaims.some((claim) => claims[claim] !== undefined && claims[claim] !== '' && claims[claim] !== tenant)
}

/** The tenant that a token of an identity service is for; `undefined` when it names none. */
export function tenantOfIdentityToken(claims: TokenClaims): string | undefined {
  return [claims.app_tid, claims['zone_uuid']].find((tenant) => typeof tenant === 'string' && tenant !== '') as string | undefined
}
