import { tokenEntry } from '../auth-token-entry.ts'
import type { Flow } from '../flow.ts'
import { requiredHeader } from '../required-header.ts'

/** `OAuth2RefreshToken`: redeems the refresh token that the caller sends. A server may exchange it with every use, so nothing is remembered. */
export const refreshToken: Flow = async (request, { tokens, clock }) => {
  const grant = { grant_type: 'refresh_token', refresh_token: requiredHeader(request.headers.refreshToken, 'X-refresh-token') }
  const call = await tokens.prepare(request, { grant, tenant: 'call' })
  return tokenEntry(await tokens.unshared(request, () => tokens.issue(call)), clock.now())
}
