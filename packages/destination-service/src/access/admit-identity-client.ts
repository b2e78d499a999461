import type { X509Certificate } from 'node:crypto'
import type { TokenClaims, TokenVerifier } from '@sallyport/token-verifier'
import { type Admission, refused } from './admission.ts'
import { verifyBearer } from './bearer-token.ts'
import type { IdentityRelations } from './identity-relations.ts'

/** Whom the service believes beside its token service: identity services, and what their applications consume. */
export interface IdentityTrust {
  /** Issuers as tokens name them. */
  readonly issuers: ReadonlySet<string>
  /** Trusts exactly these issuers. */
  readonly verifier: TokenVerifier
  readonly relations: IdentityRelations
}

/**
 * Admits an application of an identity service, if its token is bound to the certificate with which it has opened the connection (RFC 8705) and it consumes a
 * destination service instance. Only the token says which certificate that is, so who has signed the certificate does not matter.
 */
export async function admitIdentityClient(
  token: string,
  { verifier, relations }: IdentityTrust,
  certificate: X509Certificate | undefined,
): Promise<Admission> {
  const verified = await verifyBearer(token, verifier)
  if ('answer' in verified) return { admitted: false, answer: verified.answer }
  const { claims } = verified
  if (certificate === undefined) return refused(401, 'A token of an identity service needs a connection with its client certificate')
  if (thumbprintIn(claims) !== thumbprintOf(certificate))
    return refused(401, 'The token was not issued for the certificate of the connection')
  const clientId = textOf(claims.azp) || textOf(claims.client_id) || textOf(claims.cid)
  const tenantId = textOf(claims.app_tid) || textOf(claims['zone_uuid'])
  const { iss: issuer = '' } = claims
  const relation = clientId === '' || tenantId === '' ? undefined : await relations.find({ issuer, clientId, tenantId })
  if (relation === undefined || relation.instance.instanceId === '') {
    return refused(403, 'The application of the token consumes no instance of the destination service')
  }
  const { instance, subaccountId } = relation
  const user = textOf(claims.user_uuid) || textOf(claims.email) || clientId
  return { admitted: true, caller: { subaccountId, instance, isProvider: subaccountId === instance.subaccountId, user, tokenKind: 'IAS' } }
}

/** Member `x5t#S256` of `cnf`: the SHA-256 of the certificate's DER form. */
function thumbprintIn(claims: TokenClaims): string | undefined {
  const confirmation = claims['cnf']
  if (typeof confirmation !== 'object' || confirmation === null || !('x5t#S256' in confirmation)) return undefined
  const thumbprint = confirmation['x5t#S256']
  return typeof thumbprint === 'string' && thumbprint !== '' ? thumbprint.replace(/=+$/, '') : undefined
}

function thumbprintOf(certificate: X509Certificate): string {
  return Buffer.from(certificate.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url')
}

function textOf(claim: unknown): string {
  return typeof claim === 'string' ? claim : ''
}
