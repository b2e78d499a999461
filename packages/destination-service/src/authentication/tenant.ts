import { ConnectivityError } from '@sallyport/core'
import type { TokenClaims } from '@sallyport/token-verifier'
import { isSubdomain } from '../find/find-headers.ts'
import { malformed } from '../http/answer.ts'
import type { AuthenticationRequest } from './authentication-request.ts'
import type { AuthenticationSettings } from './flow.ts'
import { isCommon } from './token-url.ts'
import type { UserToken, UserTokens } from './user-token.ts'

/** Where a flow takes the tenant of a `Common` token service from. `as-is`: its URL is never resolved. */
export type TenantSource = 'header' | 'user' | 'call' | 'as-is'

/** The text that SAP's service answers; operators search for it. */
const tenantMissing = 'You must send the X-tenant header when the tokenServiceURLType property is Common'

/**
 * The subdomain to put into the token service's URL; `undefined` when it stays as it is.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for a tenant that a `Dedicated` token service has no use for, `TOKEN_INVALID` or `DESTINATION_INVALID` when
 * there is none.
 */
export async function subdomainFor(
  source: TenantSource,
  request: AuthenticationRequest,
  { users, settings }: { readonly users: UserTokens; readonly settings: Pick<AuthenticationSettings, 'tenantOfTechnicalTokens'> },
): Promise<string | undefined> {
  const { tenant, userToken } = request.headers
  if (source === 'as-is') return undefined
  if (!isCommon(request.configuration)) {
    if (source === 'header' && tenant !== undefined)
      throw malformed("The header 'X-tenant' can be sent only when the tokenServiceURLType property is Common")
    return undefined
  }
  if (source === 'call' || (source === 'user' && userToken === undefined)) return ofClaims(users.ofCall(request), 'Authorization')
  if (source === 'user') {
    const user = await users.require(request)
    // A header beside a user token comes this far only when that token names no tenant.
    return tenant !== undefined && !user.own ? tenant : ofUser(user)
  }
  if (tenant !== undefined) return tenant
  if (userToken !== undefined) return ofUser(await users.require(request))
  if (settings.tenantOfTechnicalTokens === 'caller') return ofClaims(users.ofCall(request), 'Authorization')
  throw new ConnectivityError('DESTINATION_INVALID', tenantMissing)
}

/** Somebody else's token may name a tenant, but the host of its issuer says nothing about ours. */
function ofUser({ claims, own }: UserToken): string {
  return ofClaims(own ? claims : { ...claims, iss: '' }, 'X-user-token')
}

function ofClaims({ ext_attr: extension, iss }: TokenClaims, where: string): string {
  const subdomain = extension?.zdn || URL.parse(iss ?? '')?.hostname.split('.')[0]
  if (subdomain !== undefined && isSubdomain(subdomain)) return subdomain
  throw new ConnectivityError('TOKEN_INVALID', `The JWT in ${where} names no tenant subdomain`)
}
