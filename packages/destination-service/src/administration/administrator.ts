import { type DestinationRole, rolesOfScopes } from '@sallyport/admin-api'
import type { TokenClaims, TokenVerifier } from '@sallyport/token-verifier'
import { refused } from '../access/admission.ts'
import { bearerTokenOf, verifyBearer } from '../access/bearer-token.ts'
import type { DestinationInstance, DestinationInstances } from '../access/destination-instances.ts'
import type { Answer } from '../http/answer.ts'

/** Who administers: a person with roles, or a client of an instance, which may do everything that its instance manages. */
export type Administrator = Person | InstanceClient

interface Person {
  readonly kind: 'person'
  readonly subaccountId: string
  readonly user: string
  readonly roles: readonly DestinationRole[]
  /** Complete names; what instances of others let consumers do goes by them. */
  readonly scopes: readonly string[]
}

interface InstanceClient {
  readonly kind: 'client'
  readonly subaccountId: string
  readonly user: string
  readonly instance: DestinationInstance
}

/** An application whose users administer: its scopes say which roles they have. */
export interface AdministrationApplication {
  readonly clientId: string
  readonly xsappname: string
}

/** Whom to believe. */
export interface AdministratorDeps {
  readonly verifier: TokenVerifier
  readonly instances: DestinationInstances
  readonly applications: readonly AdministrationApplication[]
}

/**
 * Decides who administers. Tokens of people must come from one of the applications that are meant for it: the user token of any other application would let
 * that application act with the roles of whoever uses it.
 */
export async function admitAdministrator(
  authorization: string | undefined,
  { verifier, instances, applications }: AdministratorDeps,
): Promise<{ readonly admitted: true; readonly caller: Administrator } | { readonly admitted: false; readonly answer: Answer }> {
  const token = bearerTokenOf(authorization)
  if (token === undefined) return refused(401, 'The Authorization header must carry a Bearer token')
  const verified = await verifyBearer(token, verifier)
  if ('answer' in verified) return { admitted: false, answer: verified.answer }
  const { claims } = verified
  // Not `azp`: of our tokens, one that names its client so alone is an ID token, which applications hand to browsers.
  const clientId = claims.cid ?? claims.client_id ?? ''
  const subaccountId = [claims.ext_attr?.subaccountid, claims.zid, claims.app_tid].find((id) => id !== undefined && id !== '')
  if (subaccountId === undefined || clientId === '') return refused(403, 'The token names no subaccount or no client')
  const isTechnical = isTechnicalToken(claims)
  const application = applications.find((known) => known.clientId === clientId)
  if (application !== undefined) {
    if (isTechnical) return refused(403, 'The application administers for its users only; its token names none')
    const scopes = Array.isArray(claims.scope) ? claims.scope.filter((scope) => typeof scope === 'string') : []
    const user = claims.user_name ?? claims.email ?? claims.sub ?? ''
    return { admitted: true, caller: { kind: 'person', subaccountId, user, roles: rolesOfScopes(scopes, application.xsappname), scopes } }
  }
  const instance = await instances.find(clientId)
  if (instance === undefined || instance.instanceId === '') {
    return refused(403, 'The token comes neither from the administration of destinations nor from a client of the destination service')
  }
  if (!isTechnical) return refused(403, 'A user token of a destination service instance does not administer; log on to the administration')
  return { admitted: true, caller: { kind: 'client', subaccountId, user: clientId, instance } }
}

/** A token of the client itself: with a user there is a name, and another grant. */
function isTechnicalToken(claims: TokenClaims): boolean {
  return claims.grant_type === 'client_credentials' && claims.user_name === undefined && claims.user_id === undefined
}
