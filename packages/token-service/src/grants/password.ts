import { requestedScopes, requiredParameter } from '../request-parameters.ts'
import { admittedTenant } from '../tenant-selection.ts'
import type { GrantDeps, GrantRequest } from '../token-endpoint.ts'
import type { TokenAnswer } from '../token-issuer.ts'

/** `password`: the application has asked the user for name and password. */
export async function passwordGrant(request: GrantRequest, deps: GrantDeps): Promise<TokenAnswer> {
  const { client, certificateThumbprint } = request.authenticated
  const tenant = await admittedTenant(client, request.named, deps)
  request.note({ subaccount: tenant.id })
  const user = await deps.logOn.check({
    tenantId: tenant.id,
    name: requiredParameter(request.parameters, 'username'),
    password: requiredParameter(request.parameters, 'password'),
    remoteAddress: undefined,
  })
  return deps.issuer.user({
    tenant,
    client,
    certificateThumbprint,
    requested: requestedScopes(request.parameters),
    user,
    grantType: 'password',
    authTimeSeconds: Math.floor(deps.clock.now() / 1000),
    refresh: { kind: 'new', user: { kind: 'directory', id: user.id } },
  })
}
