import type { AuthToken } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { TokenClaims } from '@sallyport/token-verifier'
import type { AuthenticationRequest } from './authentication-request.ts'
import type { FlowTools } from './flow.ts'
import { readAnswerMember } from './token-answer.ts'
import type { UserToken } from './user-token.ts'

/**
 * What nobody has seen documented: the address below the identity service's host, and the header that the corporate token belongs into. The fields are
 * those of the identity service's own documentation.
 */
const exchange = { path: '/oauth2/exchange/corporateidp', header: 'SAP-Connectivity-Authentication' } as const

/** Which token of the corporate identity provider a user token of the identity service asks to be replaced by. */
export type CorporateToken = 'access_token' | 'id_token'

/** Reads the claim by which it does. */
export function wantedCorporateToken(claims: TokenClaims | undefined): CorporateToken | undefined {
  const wanted = claims?.['forward_corp_idp_token']
  return wanted === 'access_token' || wanted === 'id_token' ? wanted : undefined
}

/**
 * Exchanges the user's token at the identity service that issued it. The destination says by `x_user_token.jwks` or `jwks_uri` whose tokens it takes, and by
 * `clientId` and `clientSecret`, or `tokenService.KeyStoreLocation`, as which application it asks. Where it asks it says as well: with `tokenServiceURL`, or by
 * taking the keys from the host that is the issuer. The claim `iss` alone decides nothing, because whoever has one of the keys writes into it what he likes.
 *
 * @throws ConnectivityError `TOKEN_INVALID` when the token does not hold, `DESTINATION_INVALID` when the destination does not say where to ask, otherwise what a
 * token call throws.
 */
export async function exchangeForCorporateToken(
  wanted: CorporateToken,
  request: AuthenticationRequest,
  { tokens, users }: FlowTools,
): Promise<AuthToken> {
  const user = await users.require(request)
  const configuration = { ...request.configuration, tokenServiceURL: endpointOf(request, user), tokenServiceURLType: 'Dedicated' }
  const call = await tokens.prepare(
    { ...request, configuration },
    {
      grant: { assertion: user.text, response_type: wanted === 'id_token' ? 'id_token' : 'token' },
      tenant: 'as-is',
      alwaysInternet: true,
    },
  )
  if (wanted === 'access_token') {
    const { value, expiresAtMs: _untold } = await tokens.unshared(request, () => tokens.issue(call))
    return entry(value)
  }
  let value = ''
  await tokens.unshared(request, async () => {
    value = readAnswerMember(await tokens.send(call), call, 'id_token')
    return { type: 'Bearer', value }
  })
  return entry(value)
}

function endpointOf({ configuration }: AuthenticationRequest, { claims, own }: UserToken): string {
  const configured = configuration['tokenServiceURL']
  if (configured) return configured
  const issuer = URL.parse(claims.iss ?? '')
  if (issuer === null || issuer.protocol !== 'https:')
    throw new ConnectivityError('TOKEN_INVALID', 'The JWT of the user names no https address of an identity service as its issuer')
  const takesKeysThere =
    !configuration['x_user_token.jwks'] && URL.parse(configuration['x_user_token.jwks_uri'] ?? '')?.origin === issuer.origin
  // Issuers of our own are the operator's choice.
  if (own || takesKeysThere) return new URL(exchange.path, issuer).href
  throw new ConnectivityError(
    'DESTINATION_INVALID',
    'The issuer of the JWT of the user is not where the property x_user_token.jwks_uri gets its keys; name its exchange endpoint in tokenServiceURL',
  )
}

function entry(value: string): AuthToken {
  return { type: 'Bearer', value, http_header: { key: exchange.header, value: `Bearer ${value}` } }
}
