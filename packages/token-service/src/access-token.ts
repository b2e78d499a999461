import { embeddedTokenClaim } from '@sallyport/token-verifier'
import type { GrantType, OAuthClient } from './oauth-client.ts'
import { audienceOf } from './scopes.ts'
import type { ResolvedAddress } from './service-address.ts'
import type { Tenant } from './tenant.ts'
import type { TokenUser } from './user.ts'

/** How the holder came by the token, as the claim says: like the grant, but technical tokens tell secret from certificate. */
export type GrantTypeClaim = GrantType | 'client_x509'

/** What all tokens of one answer have in common. */
export interface TokenFacts {
  readonly address: ResolvedAddress
  readonly tenant: Tenant
  readonly client: OAuthClient
  readonly scopes: readonly string[]
  readonly grantType: GrantTypeClaim
  readonly certificateThumbprint: string | undefined
  readonly tokenId: string
  readonly issuedAtSeconds: number
  readonly expiresAtSeconds: number
}

/** Members of a JWT's payload. */
export type Claims = Readonly<Record<string, unknown>>

/** Claims of a token in which a client speaks for itself. It says nothing about any user. */
export function technicalClaims(facts: TokenFacts, azAttr: Claims | undefined): Claims {
  return {
    ...commonClaims(facts, 'technical'),
    sub: facts.client.id,
    ...(azAttr === undefined ? {} : { az_attr: azAttr }),
  }
}

/** Claims of a token in which a client speaks for a user. */
export function userClaims(facts: TokenFacts, user: TokenUser, authTimeSeconds: number): Claims {
  return {
    ...commonClaims(facts, 'user'),
    sub: user.id,
    ...nameClaims(user),
    user_uuid: user.id,
    auth_time: authTimeSeconds,
    'xs.user.attributes': user.attributes,
    'xs.system.attributes': { 'xs.rolecollections': user.groups },
    ...(user.corporateToken === undefined ? {} : { [embeddedTokenClaim]: user.corporateToken }),
  }
}

/** Claims of an OpenID Connect ID token. Without `grant_type` and `cid` it cannot stand in for an access token here. */
export function idTokenClaims(facts: TokenFacts, user: TokenUser, authTimeSeconds: number, nonce: string | undefined): Claims {
  return {
    iss: facts.address.issuer(facts.tenant),
    sub: user.id,
    aud: [facts.client.id],
    azp: facts.client.id,
    zid: facts.tenant.id,
    iat: facts.issuedAtSeconds,
    exp: facts.expiresAtSeconds,
    auth_time: authTimeSeconds,
    ...nameClaims(user),
    ...(nonce === undefined ? {} : { nonce }),
  }
}

function nameClaims(user: TokenUser): Claims {
  return {
    user_id: user.id,
    user_name: user.name,
    origin: user.origin,
    ...(user.email === undefined ? {} : { email: user.email }),
    ...(user.givenName === undefined ? {} : { given_name: user.givenName }),
    ...(user.familyName === undefined ? {} : { family_name: user.familyName }),
  }
}

function commonClaims(facts: TokenFacts, kind: 'technical' | 'user'): Claims {
  const { address, tenant, client, certificateThumbprint } = facts
  const zoneName = address.zoneName(tenant)
  return {
    jti: facts.tokenId,
    iss: address.issuer(tenant),
    zid: tenant.id,
    ext_attr: {
      enhancer: 'XSUAA',
      subaccountid: tenant.id,
      ...(zoneName === undefined ? {} : { zdn: zoneName }),
      ...(client.serviceInstanceId === undefined ? {} : { serviceinstanceid: client.serviceInstanceId }),
    },
    cid: client.id,
    client_id: client.id,
    azp: client.id,
    grant_type: facts.grantType,
    aud: audienceOf(client, facts.scopes, kind),
    scope: facts.scopes,
    iat: facts.issuedAtSeconds,
    exp: facts.expiresAtSeconds,
    ...(certificateThumbprint === undefined ? {} : { cnf: { 'x5t#S256': certificateThumbprint } }),
  }
}
