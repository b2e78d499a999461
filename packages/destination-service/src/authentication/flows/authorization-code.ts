import { tokenEntry } from '../auth-token-entry.ts'
import type { Flow } from '../flow.ts'
import { requiredHeader } from '../required-header.ts'

/** `OAuth2AuthorizationCode`: redeems the code of a log-on. Codes are good for one use, so nothing is remembered. */
export const authorizationCode: Flow = async (request, { tokens, clock }) => {
  const { code, redirectUri, codeVerifier } = request.headers
  const grant = {
    grant_type: 'authorization_code',
    code: requiredHeader(code, 'X-code'),
    ...(redirectUri === undefined ? {} : { redirect_uri: redirectUri }),
    ...(codeVerifier === undefined ? {} : { code_verifier: codeVerifier }),
  }
  const call = await tokens.prepare(request, { grant, tenant: 'call', assertions: true })
  return tokenEntry(await tokens.unshared(request, () => tokens.issue(call)), clock.now())
}
