import type { TokenClaims, TokenVerifier } from '@sallyport/token-verifier'
import { type Answer, refuse } from '../http/answer.ts'
import type { DestinationInstance, DestinationInstances } from './destination-instances.ts'
import type { Level } from '../entities/entity-repository.ts'

/** Who calls, derived from the token alone. */
export interface Caller {
  /** The subaccount in whose context the call is made. */
  readonly subaccountId: string
  readonly instance: DestinationInstance
  /** Whether that is the subaccount of the instance; otherwise it has subscribed to the provider's application. */
  readonly isProvider: boolean
  /** The person, or the client when there is none; for the audit. */
  readonly user: string
}

export type Admission = { readonly admitted: true; readonly caller: Caller } | { readonly admitted: false; readonly answer: Answer }

/**
 * Decides whether a call may be made, and in whose name. The token must be valid and must have been issued to the client of a destination service
 * instance: one of another service proves who somebody is, but not that they may read passwords.
 */
export async function admit(
  authorization: string | undefined,
  { verifier, instances }: { readonly verifier: TokenVerifier; readonly instances: DestinationInstances },
): Promise<Admission> {
  const token = bearerTokenOf(authorization)
  if (token === undefined) return refused(401, 'The Authorization header must carry a Bearer token')
  let verified = verifier.peek(token)
  if (verified === undefined) {
    const verdict = await verifier.verify(token)
    if (!verdict.valid) {
      if (verdict.reason === 'malformed') return refused(401, 'Unable to parse the JWT in Authorization Header.')
      if (verdict.reason === 'unavailable') return refused(503, 'The token cannot be verified at the moment')
      return refused(401, verdict.reason === 'expired' ? 'The token has expired' : 'The token is not valid')
    }
    verified = verdict.token
  }
  return admitClaims(verified.claims, instances)
}

/** The encoded JWT of an Authorization header. */
export function bearerTokenOf(authorization: string | undefined): string | undefined {
  return /^Bearer +([^\s]+)$/i.exec(authorization ?? '')?.[1]
}

async function admitClaims(claims: TokenClaims, instances: DestinationInstances): Promise<Admission> {
  const clientId = claims.cid ?? claims.client_id ?? claims.azp ?? ''
  const instance = clientId === '' ? undefined : await instances.find(clientId)
  if (instance === undefined || instance.instanceId === '') {
    return refused(403, 'The token was not issued to a client of the destination service')
  }
  const claimed = claims.ext_attr?.serviceinstanceid ?? ''
  if (claimed !== '' && claimed !== instance.instanceId) return refused(403, 'The token names an instance that is not that of its client')
  const subaccountId = [claims.ext_attr?.subaccountid, claims.zid, claims.app_tid].find((id) => id !== undefined && id !== '')
  if (subaccountId === undefined) return refused(403, 'The token names no subaccount')
  const user = claims.user_name ?? clientId
  return { admitted: true, caller: { subaccountId, instance, isProvider: subaccountId === instance.subaccountId, user } }
}

function refused(status: 401 | 403 | 503, message: string): Admission {
  return { admitted: false, answer: refuse(status, message, status === 401 ? { 'www-authenticate': 'Bearer' } : {}) }
}

/** The words by which a level is addressed. */
export const levelNames = ['subaccount', 'instance', 'provider_subaccount', 'provider_instance'] as const
export type LevelName = (typeof levelNames)[number]

/** The level that a word means for this caller. For a provider the two `provider_` words say nothing new. */
export function levelOf(caller: Caller, name: LevelName): Level {
  const subaccountId = name.startsWith('provider_') ? caller.instance.subaccountId : caller.subaccountId
  return { subaccountId, instanceId: name.endsWith('instance') ? caller.instance.instanceId : null }
}
