import { grantTypes } from './oauth-client.ts'
import type { ResolvedAddress } from './service-address.ts'
import type { Tenant } from './tenant.ts'

/** The OpenID Connect discovery document of the service, or of one tenant where tenants have hosts. */
export function discoveryDocument(address: ResolvedAddress, tenant: Tenant | undefined): Readonly<Record<string, unknown>> {
  const base = address.baseUrl(tenant)
  return {
    issuer: address.issuer(tenant),
    authorization_endpoint: `${base}/oauth/authorize`,
    token_endpoint: `${base}/oauth/token`,
    userinfo_endpoint: `${base}/userinfo`,
    end_session_endpoint: `${base}/logout.do`,
    jwks_uri: tenant === undefined ? address.keySetUrl : `${base}/token_keys`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: grantTypes,
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'tls_client_auth', 'self_signed_tls_client_auth'],
    tls_client_certificate_bound_access_tokens: true,
    code_challenge_methods_supported: ['S256'],
    scopes_supported: ['openid'],
    claims_supported: ['sub', 'zid', 'user_id', 'user_name', 'email', 'given_name', 'family_name', 'origin', 'xs.user.attributes'],
  }
}
