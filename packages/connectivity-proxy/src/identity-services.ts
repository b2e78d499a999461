import { namesOtherTenant, tenantOfIdentityToken, type TokenClaims, tokenHolder } from '@sallyport/token-verifier'
import type { Admission, Tenancy } from './admission.ts'
import type { Refusal } from './refusal.ts'
import * as refusals from './refusals.ts'

/** Identity services whose applications may use the proxy with tokens of their own (principal-propagation.md §2, §11). */
export interface IdentityServices {
  /** Issuers as tokens name them. The verifier of the proxy has their keys beside those of the token service. */
  readonly issuers: ReadonlySet<string>
  /** Whether the application consumes the connectivity service, and the tenant trusts the issuer. Asked for every request, so that the answer must be quick. */
  admits(application: { readonly issuer: string; readonly clientId: string; readonly tenantId: string }): boolean
}

/**
 * Whose token of an identity service this is, and for which tenant. It speaks for no user: for whom a request is made, the other header says. The token of a person
 * is not taken at all, because applications hand those to browsers.
 */
export function admitIdentityToken(claims: TokenClaims, tenancy: Tenancy): Admission | Refusal {
  if (tokenHolder(claims) !== 'application') return refusals.identityOfPerson
  const tenant = tenantOfIdentityToken(claims)
  if (tenant === undefined) return refusals.identityTenantMissing
  if (namesOtherTenant(claims, tenant) || (tenancy.mode === 'dedicated' && tenant !== tenancy.subaccount)) return refusals.tenantForeign
  const client = [claims.azp, claims.client_id, claims.cid].find((name) => typeof name === 'string' && name !== '') ?? ''
  return { tenant, client, user: undefined }
}
