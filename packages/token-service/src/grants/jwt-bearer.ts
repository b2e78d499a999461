import { requestedScopes, requiredParameter } from '../request-parameters.ts'
import { admittedTenant } from '../tenant-selection.ts'
import type { GrantDeps, GrantRequest } from '../token-endpoint.ts'
import type { TokenAnswer } from '../token-issuer.ts'

/** `jwt-bearer` (RFC 7523): a user token of any client of the tenant, or of a trusted issuer, becomes one of the calling client. */
export async function jwtBearerGrant(request: GrantRequest, deps: GrantDeps): Promise<TokenAnswer> {
  const { client, certificateThumbprint } = request.authenticated
  const assertion = requiredParameter(request.parameters, 'assertion')
  const tenant = await admittedTenant(client, request.named, deps)
  request.note({ subaccount: tenant.id })
  const { user, reference, authTimeSeconds } = await deps.assertions.read(assertion, tenant)
  return deps.issuer.user({
    tenant,
    client,
    certificateThumbprint,
    requested: requestedScopes(request.parameters),
    user,
    grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    authTimeSeconds,
    refresh: { kind: 'new', user: reference },
  })
}
