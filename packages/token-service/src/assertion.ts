import { embeddedTokenOf, type TokenClaims, type TokenVerifier } from '@sallyport/token-verifier'
import { maxAssertionBytes } from './limits.ts'
import type { ResolvedAddress } from './service-address.ts'
import type { Tenant } from './tenant.ts'
import { refusal } from './token-errors.ts'
import { type TrustedIssuer, userOfTrustedIssuer } from './trusted-issuer.ts'
import type { TokenUser, UserDirectory, UserReference } from './user.ts'

/** A user whom a token has brought along. */
interface AssertedUser {
  readonly user: TokenUser
  readonly reference: UserReference
  readonly authTimeSeconds: number
}

/** Reads users out of tokens: our own, and those of trusted issuers. */
export interface AssertionReader {
  /** Any accepted user token, for the tenant in which a new token is wanted. @throws ConnectivityError, see {@link refusal}: 401 `invalid_token`. */
  read(assertion: string, tenant: Tenant): Promise<AssertedUser>
  /** The claims of one of our own user tokens, after verification; `zid` is there. @throws ConnectivityError as `read`. */
  ownClaims(token: string): Promise<TokenClaims>
  /** The user again, as it is now; `undefined` when it has gone or its issuer is not trusted any more. */
  recall(reference: UserReference, tenantId: string): Promise<TokenUser | undefined>
}

/** Creates the reader. `ownTokens` verifies with our own keys, `trust.tokens` with those of the trusted issuers. */
export function createAssertionReader(deps: {
  readonly ownTokens: TokenVerifier
  readonly trust: { readonly tokens: TokenVerifier; readonly issuers: readonly TrustedIssuer[] }
  readonly users: UserDirectory
  readonly address: () => ResolvedAddress
}): AssertionReader {
  const { ownTokens, trust, users, address } = deps

  const recall: AssertionReader['recall'] = async (reference, tenantId) => {
    if (reference.kind === 'directory') return users.findById(tenantId, reference.id)
    const { corporateToken, ...user } = reference.user
    const trusted = trust.issuers.find((issuer) => issuer.tenantId === tenantId && issuer.origin === user.origin)
    if (trusted === undefined) return undefined
    return trusted.embedsToken === true && corporateToken !== undefined ? { ...user, corporateToken } : user
  }

  async function claimsOf(verifier: TokenVerifier, token: string): Promise<TokenClaims> {
    const verdict = await verifier.verify(token)
    if (verdict.valid) return verdict.token.claims
    if (verdict.reason === 'unavailable') {
      throw refusal(503, 'temporarily_unavailable', 'The keys of the issuer of the assertion cannot be read at the moment', 1)
    }
    throw refusal(401, 'invalid_token', verdict.reason === 'expired' ? 'The assertion has expired' : 'The assertion is not valid')
  }

  /** Our own user token: only they have `grant_type` and a user; technical and ID tokens lack one of the two. */
  async function ownUserClaims(token: string): Promise<TokenClaims> {
    const claims = await claimsOf(ownTokens, token)
    const technical = claims.grant_type === undefined || claims.grant_type === 'client_credentials' || claims.grant_type === 'client_x509'
    if (technical || typeof claims.user_id !== 'string' || typeof claims.zid !== 'string') {
      throw refusal(401, 'invalid_token', 'The assertion is not a user token')
    }
    return claims
  }

  return {
    async read(assertion, tenant) {
      if (assertion.length > maxAssertionBytes) throw refusal(401, 'invalid_token', 'The assertion is too long')
      const issuer = ownTokens.decode(assertion)?.iss
      if (issuer === address().issuer(tenant)) {
        const claims = await ownUserClaims(assertion)
        if (claims.zid !== tenant.id) throw refusal(401, 'invalid_token', 'The assertion belongs to another tenant')
        const reference = referenceOf(claims, trust.issuers)
        const user = await recall(reference, tenant.id)
        if (user === undefined) throw refusal(401, 'invalid_token', 'The user of the assertion does not exist any more')
        return { user, reference, authTimeSeconds: authTimeOf(claims) }
      }
      const trusted = trust.issuers.find((candidate) => candidate.issuer === issuer && candidate.tenantId === tenant.id)
      if (trusted === undefined) throw refusal(401, 'invalid_token', 'The issuer of the assertion is not trusted in this tenant')
      const claims = await claimsOf(trust.tokens, assertion)
      const user = userOfTrustedIssuer(claims, assertion, trusted)
      return { user, reference: { kind: 'issuer', user }, authTimeSeconds: authTimeOf(claims) }
    },
    async ownClaims(token) {
      if (token.length > maxAssertionBytes) throw refusal(401, 'invalid_token', 'The token is too long')
      return ownUserClaims(token)
    },
    recall,
  }
}

/** What our own token says about its user; a user of another issuer is in no directory, so the token is all there is. */
function referenceOf(claims: TokenClaims, issuers: readonly TrustedIssuer[]): UserReference {
  const id = claims.user_id ?? ''
  if (!issuers.some((issuer) => issuer.tenantId === claims.zid && issuer.origin === claims.origin)) return { kind: 'directory', id }
  const text = (name: string): string | undefined => (typeof claims[name] === 'string' ? claims[name] : undefined)
  const email = text('email')
  const givenName = text('given_name')
  const familyName = text('family_name')
  const corporateToken = embeddedTokenOf(claims)
  const system = claims['xs.system.attributes'] as { readonly 'xs.rolecollections'?: readonly string[] } | undefined
  return {
    kind: 'issuer',
    user: {
      id,
      name: claims.user_name ?? '',
      ...(email === undefined ? {} : { email }),
      ...(givenName === undefined ? {} : { givenName }),
      ...(familyName === undefined ? {} : { familyName }),
      origin: claims.origin ?? '',
      groups: system?.['xs.rolecollections'] ?? [],
      attributes: (claims['xs.user.attributes'] ?? {}) as TokenUser['attributes'],
      ...(corporateToken === undefined ? {} : { corporateToken }),
    },
  }
}

function authTimeOf(claims: TokenClaims): number {
  const time = claims['auth_time'] ?? claims['iat']
  return typeof time === 'number' ? time : 0
}
