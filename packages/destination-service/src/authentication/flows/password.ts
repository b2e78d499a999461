import { tokenEntry } from '../auth-token-entry.ts'
import type { Flow } from '../flow.ts'
import { required } from '../property-reading.ts'

/** `OAuth2Password`: the token of a user whose password the destination holds. Its token service is never resolved by tenant. */
export const password: Flow = async (request, { tokens, clock }) => {
  const { configuration } = request
  const grant = { grant_type: 'password', username: required(configuration, 'User'), password: required(configuration, 'Password') }
  const call = await tokens.prepare(request, { grant, tenant: 'as-is', assertions: true })
  return tokenEntry(await tokens.remembered(request, call, () => tokens.issue(call)), clock.now())
}
