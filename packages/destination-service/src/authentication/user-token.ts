import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { TokenClaims, TokenVerifier } from '@sallyport/token-verifier'
import type { AuthenticationRequest } from './authentication-request.ts'
import type { ForeignTokens } from './foreign-token.ts'

/** The person on whose behalf a destination is looked up. */
export interface UserToken {
  /** The encoded JWT. */
  readonly text: string
  readonly claims: TokenClaims
  /** Issued by our own token service; others are vouched for by keys that the destination names. */
  readonly own: boolean
}

/** Finds out who the user of a request is. */
export interface UserTokens {
  /**
   * `X-user-token`, else the token of the call itself when it is a user's; `undefined` when there is neither.
   *
   * @throws ConnectivityError `TOKEN_INVALID` for a token that does not hold.
   */
  find(request: UserTokenRequest): Promise<UserToken | undefined>
  /** As `find`. @throws ConnectivityError `TOKEN_INVALID` also when there is no user. */
  require(request: UserTokenRequest): Promise<UserToken>
  /** The token of the call itself, whoever it speaks for. */
  ofCall(request: UserTokenRequest): TokenClaims
  /** The claims that `X-user-token` makes, unchecked; for looking before deciding whether the token matters. */
  peek(request: UserTokenRequest): TokenClaims | undefined
}

type UserTokenRequest = Pick<AuthenticationRequest, 'configuration' | 'headers' | 'caller' | 'serviceToken' | 'references' | 'level'>

/** Puts the rules together. `verifier` has checked the token of the call already. */
export function createUserTokens({ verifier, foreign }: { readonly verifier: TokenVerifier; readonly foreign: ForeignTokens }): UserTokens {
  const ofCall = ({ serviceToken }: UserTokenRequest): TokenClaims => verifier.decode(serviceToken) ?? {}

  async function check(text: string, request: UserTokenRequest): Promise<UserToken> {
    checkHeaderType(text, request.configuration)
    const verdict = await verifier.verify(text)
    if (verdict.valid) return { text, claims: verdict.token.claims, own: true }
    // Only what our token service cannot have issued may be vouched for by somebody else.
    const mayBeForeign = verdict.reason === 'issuer' || verdict.reason === 'algorithm' || verdict.reason === 'malformed'
    if (!mayBeForeign) throw invalid(verdict.reason)
    const keys = await foreign.verify(text, request)
    if (!keys.configured) throw invalid(verdict.reason)
    const claims = verifier.decode(text)
    if (claims === undefined) throw invalid('malformed')
    return { text, claims, own: false }
  }

  const find: UserTokens['find'] = async (request) => {
    const text = request.headers.userToken
    if (text !== undefined) return check(text, request)
    const claims = ofCall(request)
    return isUser(claims) ? { text: request.serviceToken, claims, own: request.caller.tokenKind !== 'IAS' } : undefined
  }

  return {
    find,
    ofCall,
    async require(request) {
      const user = await find(request)
      if (user !== undefined) return user
      throw new ConnectivityError(
        'TOKEN_INVALID',
        'A user token is needed: send the JWT of the user in the header X-user-token, or in Authorization',
      )
    },
    peek: ({ headers, serviceToken }) => verifier.decode(headers.userToken ?? serviceToken),
  }
}

/** RFC 7515 §4.1.9: compared without regard to case, `application/` may be left out. A token without `typ` counts as the usual one. */
function checkHeaderType(text: string, configuration: DestinationRecord): void {
  const expected = configuration['x_user_token.header.typ'] || undefined
  const found = joseType(text)
  if (found === undefined ? expected === undefined : sameType(found, expected ?? 'JWT')) return
  throw new ConnectivityError(
    'TOKEN_INVALID',
    `The JWT in X-user-token has another typ header than the expected ${expected ?? 'JWT'}; the property x_user_token.header.typ sets what is expected`,
  )
}

function joseType(text: string): string | undefined {
  try {
    const header: unknown = JSON.parse(Buffer.from(text.split('.', 1)[0] ?? '', 'base64url').toString('utf8'))
    const type = typeof header === 'object' && header !== null && 'typ' in header ? header.typ : undefined
    return typeof type === 'string' ? type : undefined
  } catch {
    // No JWT at all, which its verification says better.
    return undefined
  }
}

function sameType(found: string, expected: string): boolean {
  const plain = (type: string): string => type.toLowerCase().replace(/^application\//, '')
  return plain(found) === plain(expected)
}

/** Technical tokens name a client and nobody else. */
function isUser(claims: TokenClaims): boolean {
  return claims.grant_type !== 'client_credentials' && [claims.user_name, claims.user_id, claims.user_uuid, claims.email].some(Boolean)
}

function invalid(reason: string): ConnectivityError {
  return new ConnectivityError('TOKEN_INVALID', `The JWT in X-user-token is not valid (${reason})`)
}
