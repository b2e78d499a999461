import type { X509Certificate } from 'node:crypto'
import type { TokenClaims, TokenVerifier } from '@sallyport/token-verifier'
import { type Admission, refused } from './admission.ts'
import { admitIdentityClient, type IdentityTrust } from './admit-identity-client.ts'
import { bearerTokenOf, verifyBearer } from './bearer-token.ts'
import type { DestinationInstances } from './destination-instances.ts'

/**
 * Decides whether a call may be made, and in whose name. The token must be valid and must have been issued to the client of a destination service
 * instance: one of another service proves who somebody is, but not that they may read passwords.
 */
export async function admit(credentials: Credentials, { verifier, instances, identity }: AdmissionDeps): Promise<Admission> {
  const token = bearerTokenOf(credentials.authorization)
  if (token === undefined) return refused(401, 'The Authorization header must carry a Bearer token')
  if (identity !== undefined && identity.issuers.has(verifier.decode(token)?.iss ?? '')) {
    return admitIdentityClient(token, identity, credentials.certificate())
  }
  const verified = await verifyBearer(token, verifier)
  return 'answer' in verified ? { admitted: false, answer: verified.answer } : admitClaims(verified.claims, instances)
}

/** What a caller shows. */
export interface Credentials {
  readonly authorization: string | undefined
  /** The certificate whose key the caller has on the connection; nobody has checked who signed it. */
  readonly certificate: () => X509Certificate | undefined
}

/** Whom to believe. */
export interface AdmissionDeps {
  readonly verifier: TokenVerifier
  readonly instances: DestinationInstances
  readonly identity?: IdentityTrust | undefined
}

async function admitClaims(claims: TokenClaims, instances: DestinationInstances): Promise<Admission> {
  // Not `azp`: of our tokens, one that names its client so alone is an ID token, which applications hand to browsers.
  const clientId = claims.cid ?? claims.client_id ?? ''
  const instance = clientId === '' ? undefined : await instances.find(clientId)
  if (instance === undefined || instance.instanceId === '') {
    return refused(403, 'The token was not issued to a client of the destination service')
  }
  const claimed = claims.ext_attr?.serviceinstanceid ?? ''
  if (claimed !== '' && claimed !== instance.instanceId) return refused(403, 'The token names an instance that is not that of its client')
  const subaccountId = [claims.ext_attr?.subaccountid, claims.zid, claims.app_tid].find((id) => id !== undefined && id !== '')
  if (subaccountId === undefined) return refused(403, 'The token names no subaccount')
  const user = claims.user_name ?? clientId
  const isProvider = subaccountId === instance.subaccountId
  return { admitted: true, caller: { subaccountId, instance, isProvider, user, tokenKind: 'XSUAA' } }
}
