import { requestedScopes, requiredParameter } from '../request-parameters.ts'
import { admittedTenant, namedTenant } from '../tenant-selection.ts'
import type { GrantDeps, TokenRequest } from '../token-endpoint.ts'
import { refusal } from '../token-errors.ts'
import type { TokenAnswer } from '../token-issuer.ts'

/**
 * `user_token`: whoever holds a user token gets a refresh token for another client of the tenant, named by `client_id` without its secret. Only that client
 * can use it, with its own credentials; an access token is not part of the answer.
 */
export async function userTokenGrant(request: TokenRequest, deps: GrantDeps): Promise<TokenAnswer> {
  const { tenants, clients } = deps
  const bearer = /^bearer +([\w.-]+) *$/i.exec(request.authorization ?? '')?.[1]
  if (bearer === undefined) throw refusal(401, 'invalid_token', 'The grant user_token needs Authorization: Bearer with a user token')
  const { zid = '' } = await deps.assertions.ownClaims(bearer)
  const tenant = await tenants.findById(zid)
  if (tenant === undefined) throw refusal(401, 'invalid_token', 'The tenant of the token does not exist any more')
  request.note({ subaccount: tenant.id })
  const named = await namedTenant(request, { tenants, address: deps.address() })
  if (named !== undefined && named.id !== tenant.id) throw refusal(401, 'invalid_token', 'The token belongs to another tenant')
  const { user, reference, authTimeSeconds } = await deps.assertions.read(bearer, tenant)
  const client = await clients.findById(requiredParameter(request.parameters, 'client_id'))
  if (client === undefined || !client.grantTypes.includes('user_token') || !client.grantTypes.includes('refresh_token')) {
    throw refusal(401, 'unauthorized_client', 'No refresh token is issued for this client')
  }
  request.note({ clientId: client.id })
  await admittedTenant(client, tenant, deps)
  return deps.issuer.refreshOnly({
    tenant,
    client,
    certificateThumbprint: undefined,
    requested: requestedScopes(request.parameters),
    user,
    grantType: 'user_token',
    authTimeSeconds,
    refresh: { kind: 'new', user: reference },
  })
}
