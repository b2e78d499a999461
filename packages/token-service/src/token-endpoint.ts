import type { Clock } from '@sallyport/core'
import type { AssertionReader } from './assertion.ts'
import { type AuthenticatedClient, authenticateClient } from './client-authentication.ts'
import type { PresentedCertificate } from './client-certificate.ts'
import type { GrantStore } from './grant-store.ts'
import { authorizationCodeGrant } from './grants/authorization-code.ts'
import { clientCredentialsGrant } from './grants/client-credentials.ts'
import { jwtBearerGrant } from './grants/jwt-bearer.ts'
import { passwordGrant } from './grants/password.ts'
import { refreshTokenGrant } from './grants/refresh-token.ts'
import { userTokenGrant } from './grants/user-token.ts'
import { type ClientDirectory, type GrantType, grantTypes } from './oauth-client.ts'
import type { PasswordLogOn } from './password-log-on.ts'
import { requiredParameter, type RequestParameters } from './request-parameters.ts'
import type { ResolvedAddress } from './service-address.ts'
import { namedTenant, type TenantHints } from './tenant-selection.ts'
import type { Tenant, TenantDirectory } from './tenant.ts'
import { refusal } from './token-errors.ts'
import type { TokenAnswer, TokenIssuer } from './token-issuer.ts'

/** What a token request consists of, whichever listener it came through. */
export interface TokenRequest extends TenantHints {
  readonly parameters: RequestParameters
  readonly authorization: string | undefined
  readonly certificate: PresentedCertificate | undefined
  /** Receives what is known about the request so far, for the log; nothing secret. */
  readonly note: (facts: { readonly grantType?: string; readonly clientId?: string; readonly subaccount?: string }) => void
}

/** What the grants need. */
export interface GrantDeps {
  readonly tenants: TenantDirectory
  readonly clients: ClientDirectory
  readonly assertions: AssertionReader
  readonly grants: GrantStore
  readonly issuer: TokenIssuer
  readonly logOn: PasswordLogOn
  readonly clock: Clock
  readonly address: () => ResolvedAddress
}

/** A request whose client is known. `named` is the tenant that it names, if any. */
export interface GrantRequest extends TokenRequest {
  readonly authenticated: AuthenticatedClient
  readonly named: Tenant | undefined
}

type Grant = (request: GrantRequest, deps: GrantDeps) => Promise<TokenAnswer>

const grantsOfClients: Readonly<Record<Exclude<GrantType, 'user_token'>, Grant>> = {
  client_credentials: clientCredentialsGrant,
  password: passwordGrant,
  'urn:ietf:params:oauth:grant-type:jwt-bearer': jwtBearerGrant,
  refresh_token: refreshTokenGrant,
  authorization_code: authorizationCodeGrant,
}

/**
 * Answers one token request.
 *
 * @throws ConnectivityError, see {@link refusal}, for everything that is not granted.
 */
export async function answerTokenRequest(request: TokenRequest, deps: GrantDeps): Promise<TokenAnswer> {
  const grantType = parseGrantType(requiredParameter(request.parameters, 'grant_type'))
  request.note({ grantType })
  const { tenants, clients, clock } = deps
  if (grantType === 'user_token') return userTokenGrant(request, deps)
  const authenticated = await authenticateClient(request, { clients, clock })
  request.note({ clientId: authenticated.client.id })
  if (!authenticated.client.grantTypes.includes(grantType)) throw refusal(401, 'unauthorized_client', 'The client may not use this grant')
  const named = await namedTenant(request, { tenants, address: deps.address() })
  if (named !== undefined) request.note({ subaccount: named.id })
  return grantsOfClients[grantType]({ ...request, authenticated, named }, deps)
}

function parseGrantType(text: string): GrantType {
  const known = grantTypes.find((grantType) => grantType === text)
  if (known === undefined) throw refusal(400, 'unsupported_grant_type', `grant_type is not one of ${grantTypes.join(', ')}`)
  return known
}
