import { tokenEntry } from '../auth-token-entry.ts'
import type { AuthenticationRequest } from '../authentication-request.ts'
import type { Flow, FlowTools } from '../flow.ts'
import type { IssuedToken } from '../token-answer.ts'

/** `OAuth2JWTBearer` (RFC 7523): the user's token becomes one for the client of the destination. */
export const jwtBearer: Flow = async (request, tools) => tokenEntry(await jwtBearerToken(request, tools), tools.clock.now())

/** The token itself; user token exchange may be carried out the same way. */
export async function jwtBearerToken(request: AuthenticationRequest, { tokens, users }: FlowTools): Promise<IssuedToken> {
  const user = await users.require(request)
  const grant = { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: user.text }
  const call = await tokens.prepare(request, { grant, tenant: 'user' })
  return tokens.remembered(request, call, () => tokens.issue(call))
}
