import type { Clock } from '@sallyport/core'
import { embeddedTokenClaim } from '@sallyport/token-verifier'
import { SignJWT } from 'jose'
import { type Claims, type GrantTypeClaim, idTokenClaims, technicalClaims, type TokenFacts, userClaims } from './access-token.ts'
import { hashGrant } from './client-secret.ts'
import type { GrantStore } from './grant-store.ts'
import type { KeyRing } from './key-ring.ts'
import { maxAccessTokenSeconds, maxEmbeddingTokenBytes, maxTokenBytes, minAccessTokenSeconds, type TokenServiceLimits } from './limits.ts'
import type { GrantType, OAuthClient } from './oauth-client.ts'
import { type RandomSource, randomSecret } from './random.ts'
import { technicalScopes, userScopes } from './scopes.ts'
import type { ResolvedAddress } from './service-address.ts'
import type { Tenant } from './tenant.ts'
import { refusal } from './token-errors.ts'
import type { TokenUser, UserReference } from './user.ts'

/** A successful answer of the token endpoint, as it goes over the wire. */
export interface TokenAnswer {
  /** `null` only for the grant `user_token`, which answers with a refresh token alone. */
  readonly access_token: string | null
  readonly token_type: 'bearer'
  readonly expires_in: number
  readonly scope: string
  readonly jti: string
  readonly refresh_token?: string
  readonly id_token?: string
}

/** For whom a token is made. `requested` narrows the scopes. */
interface TokenOrder {
  readonly tenant: Tenant
  readonly client: OAuthClient
  readonly requested: readonly string[] | undefined
  readonly certificateThumbprint: string | undefined
}

/** A token in which the client speaks for a user. */
interface UserTokenOrder extends TokenOrder {
  readonly user: TokenUser
  readonly grantType: GrantType
  readonly authTimeSeconds: number
  /** The refresh token that goes with the answer: one that exists, a new one, or none. */
  readonly refresh:
    | { readonly kind: 'keep'; readonly token: string }
    | { readonly kind: 'new'; readonly user: UserReference }
    | { readonly kind: 'none' }
  readonly idToken?: { readonly nonce: string | undefined }
}

/** Makes and signs tokens. Whether somebody may have one is decided before. */
export interface TokenIssuer {
  technical(order: TokenOrder & { readonly azAttr?: Claims }): Promise<TokenAnswer>
  user(order: UserTokenOrder): Promise<TokenAnswer>
  /** A refresh token without an access token, for the grant `user_token`. */
  refreshOnly(order: UserTokenOrder): Promise<TokenAnswer>
}

/** Creates the issuer. Life times come from the client, else from `limits`, within the bounds that clients can live with. */
export function createTokenIssuer(deps: {
  readonly keys: KeyRing
  readonly grants: GrantStore
  readonly clock: Clock
  readonly random: RandomSource
  readonly limits: TokenServiceLimits
  readonly address: () => ResolvedAddress
}): TokenIssuer {
  const { keys, grants, clock, random, limits, address } = deps

  function factsFor(order: TokenOrder, grantType: GrantTypeClaim, scopes: readonly string[]): TokenFacts {
    const lifetime = order.client.accessTokenSeconds ?? limits.accessTokenSeconds
    const issuedAtSeconds = Math.floor(clock.now() / 1000)
    return {
      address: address(),
      tenant: order.tenant,
      client: order.client,
      scopes,
      grantType,
      certificateThumbprint: order.certificateThumbprint,
      tokenId: random(16).toString('hex'),
      issuedAtSeconds,
      expiresAtSeconds: issuedAtSeconds + Math.min(Math.max(lifetime, minAccessTokenSeconds), maxAccessTokenSeconds),
    }
  }

  async function sign(claims: Claims): Promise<string> {
    const { keyId, privateKey } = await keys.signingKey()
    const token = await new SignJWT({ ...claims })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', kid: keyId, jku: address().keySetUrl })
      .sign(privateKey)
    const maxBytes = claims[embeddedTokenClaim] === undefined ? maxTokenBytes : maxEmbeddingTokenBytes
    if (token.length > maxBytes)
      throw refusal(
        400,
        'invalid_scope',
        `The token would be longer than ${maxBytes} bytes; ask for fewer scopes or give the user fewer groups`,
      )
    return token
  }

  async function refreshTokenFor(order: UserTokenOrder): Promise<string | undefined> {
    if (order.refresh.kind === 'none') return undefined
    if (order.refresh.kind === 'keep') return order.refresh.token
    const token = randomSecret(random)
    await grants.add(hashGrant('refresh', token), {
      kind: 'refresh',
      clientId: order.client.id,
      tenantId: order.tenant.id,
      user: order.refresh.user,
      scopes: order.requested,
      grantType: order.grantType,
      authTimeSeconds: order.authTimeSeconds,
      createdAtMs: clock.now(),
      expiresAtMs: clock.now() + limits.refreshTokenSeconds * 1000,
    })
    return token
  }

  function answer(facts: TokenFacts, accessToken: string | null): TokenAnswer {
    return {
      access_token: accessToken,
      token_type: 'bearer',
      // The second that has begun is not promised.
      expires_in: facts.expiresAtSeconds - facts.issuedAtSeconds - 1,
      scope: facts.scopes.join(' '),
      jti: facts.tokenId,
    }
  }

  return {
    async technical(order) {
      const scopes = technicalScopes(order.client, order.requested)
      const facts = factsFor(order, order.certificateThumbprint === undefined ? 'client_credentials' : 'client_x509', scopes)
      return answer(facts, await sign(technicalClaims(facts, order.azAttr)))
    },
    async user(order) {
      const scopes = userScopes(order.client, order.user, order.requested)
      const facts = factsFor(order, order.grantType, scopes)
      const accessToken = await sign(userClaims(facts, order.user, order.authTimeSeconds))
      const idToken =
        order.idToken === undefined || !scopes.includes('openid')
          ? undefined
          : await sign(idTokenClaims(facts, order.user, order.authTimeSeconds, order.idToken.nonce))
      const refreshToken = await refreshTokenFor(order)
      return {
        ...answer(facts, accessToken),
        ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
        ...(idToken === undefined ? {} : { id_token: idToken }),
      }
    },
    async refreshOnly(order) {
      const facts = factsFor(order, order.grantType, userScopes(order.client, order.user, order.requested))
      const refreshToken = await refreshTokenFor(order)
      return { ...answer(facts, null), ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }) }
    },
  }
}
