import { malformed } from '../../http/answer.ts'
import { tokenEntry } from '../auth-token-entry.ts'
import type { Flow } from '../flow.ts'

const accessTokenType = 'urn:ietf:params:oauth:token-type:access_token'

/** `OAuth2TokenExchange` (RFC 8693): tokens of the caller become another token, of whatever kind the token service issues. */
export const tokenExchange: Flow = async (request, { tokens, clock }) => {
  const { subjectToken, actorToken } = request.headers
  if (subjectToken === undefined)
    throw malformed("The headers 'X-subject-token' and 'X-subject-token-type' must be sent with Authentication OAuth2TokenExchange")
  const grant = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: subjectToken.value,
    subject_token_type: subjectToken.type,
    ...(actorToken === undefined ? {} : { actor_token: actorToken.value, actor_token_type: actorToken.type }),
  }
  const call = await tokens.prepare(request, { grant, tenant: 'as-is', assertions: true })
  const token = await tokens.unshared(request, () => tokens.issue(call))
  // Every answer has to say what was issued; where a server does not, it is what the standard takes for granted.
  return tokenEntry({ issuedTokenType: accessTokenType, ...token }, clock.now())
}
