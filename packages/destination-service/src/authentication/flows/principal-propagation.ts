import { exchangeForCorporateToken, wantedCorporateToken } from '../corporate-idp-exchange.ts'
import type { Flow } from '../flow.ts'
import { requireOnPremise } from '../proxy-type.ts'

/** `PrincipalPropagation`: the application hands its user's token to the connectivity proxy itself, unless the identity service forwards another one. */
export const principalPropagation: Flow = async (request, tools) => {
  requireOnPremise(request.configuration)
  const wanted = wantedCorporateToken(tools.users.peek(request))
  return wanted === undefined ? undefined : exchangeForCorporateToken(wanted, request, tools)
}
