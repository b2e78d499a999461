import type { Claims } from '../access-token.ts'
import { maxAuthoritiesLength } from '../limits.ts'
import { requestedScopes } from '../request-parameters.ts'
import { admittedTenant } from '../tenant-selection.ts'
import type { GrantDeps, GrantRequest } from '../token-endpoint.ts'
import { refusal } from '../token-errors.ts'
import type { TokenAnswer } from '../token-issuer.ts'

/** `client_credentials`: a token in which the client speaks for itself. `authorities` come back inside as `az_attr`. */
export async function clientCredentialsGrant(request: GrantRequest, deps: GrantDeps): Promise<TokenAnswer> {
  const { client, certificateThumbprint } = request.authenticated
  const tenant = await admittedTenant(client, request.named, deps)
  request.note({ subaccount: tenant.id })
  const azAttr = parseAuthorities(request.parameters.get('authorities'))
  const requested = requestedScopes(request.parameters)
  return deps.issuer.technical({ tenant, client, requested, certificateThumbprint, ...(azAttr === undefined ? {} : { azAttr }) })
}

/** Reads `{"az_attr": {…}}`; the object inside is the application's business, its size is ours. */
function parseAuthorities(text: string | undefined): Claims | undefined {
  if (text === undefined) return undefined
  const unusable = refusal(
    400,
    'invalid_request',
    `authorities is not a JSON object {"az_attr": {…}} of at most ${maxAuthoritiesLength} characters`,
  )
  if (text.length > maxAuthoritiesLength) throw unusable
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    // The text may be anything, so it is not repeated.
    throw unusable
  }
  const azAttr = typeof value === 'object' && value !== null && 'az_attr' in value ? value.az_attr : undefined
  if (typeof azAttr !== 'object' || azAttr === null || Array.isArray(azAttr)) throw unusable
  return azAttr as Claims
}
