import { hashGrant } from '../client-secret.ts'
import { requestedScopes, requiredParameter } from '../request-parameters.ts'
import { admittedTenant } from '../tenant-selection.ts'
import type { GrantDeps, GrantRequest } from '../token-endpoint.ts'
import { refusal } from '../token-errors.ts'
import type { TokenAnswer } from '../token-issuer.ts'

/**
 * `refresh_token`: the same user again. The refresh token knows its tenant; a request that names another is refused. What has changed since counts:
 * groups are read again, a user that is gone gets nothing, and so does a tenant that has unsubscribed.
 */
export async function refreshTokenGrant(request: GrantRequest, deps: GrantDeps): Promise<TokenAnswer> {
  const { client, certificateThumbprint } = request.authenticated
  const token = requiredParameter(request.parameters, 'refresh_token')
  const refused = refusal(400, 'invalid_grant', 'The refresh token is not valid')
  const grant = await deps.grants.find('refresh', hashGrant('refresh', token))
  if (grant === undefined || grant.clientId !== client.id) throw refused
  if (request.named !== undefined && request.named.id !== grant.tenantId) throw refused
  const own = await deps.tenants.findById(grant.tenantId)
  if (own === undefined) throw refused
  const tenant = await admittedTenant(client, own, deps)
  request.note({ subaccount: tenant.id })
  const user = await deps.assertions.recall(grant.user, tenant.id)
  if (user === undefined) throw refused
  const requested = requestedScopes(request.parameters)
  return deps.issuer.user({
    tenant,
    client,
    certificateThumbprint,
    // Never more than at first (RFC 6749 §6).
    requested: grant.scopes === undefined || requested === undefined ? (grant.scopes ?? requested) : intersect(grant.scopes, requested),
    user,
    grantType: grant.grantType,
    authTimeSeconds: grant.authTimeSeconds,
    refresh: { kind: 'keep', token },
  })
}

function intersect(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.filter((scope) => b.includes(scope))
}
