import { tokenEntry } from '../auth-token-entry.ts'
import type { AuthenticationRequest } from '../authentication-request.ts'
import type { Flow, FlowTools } from '../flow.ts'
import type { IssuedToken } from '../token-answer.ts'
import type { TokenOrder } from '../token-calls.ts'

const order: TokenOrder = { grant: { grant_type: 'client_credentials' }, tenant: 'header', assertions: true }
const directOrder: TokenOrder = { ...order, alwaysInternet: true }

/** `OAuth2ClientCredentials`: a token in which the client speaks for itself. */
export const clientCredentials: Flow = async (request, tools) =>
  tokenEntry(await clientCredentialsToken(request, tools, { alwaysInternet: false }), tools.clock.now())

/** The token itself; other flows have a use for it, too. */
export async function clientCredentialsToken(
  request: AuthenticationRequest,
  { tokens }: Pick<FlowTools, 'tokens'>,
  options: { readonly alwaysInternet: boolean },
): Promise<IssuedToken> {
  const call = await tokens.prepare(request, options.alwaysInternet ? directOrder : order)
  return tokens.remembered(request, call, () => tokens.issue(call))
}
