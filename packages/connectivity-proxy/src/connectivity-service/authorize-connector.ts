import type { X509Certificate } from 'node:crypto'
import type { AuthorizeConnector, RenewConnectorCertificate } from '@sallyport/tunnel'
import type { ConnectorAuthority } from './connector-authority.ts'
import { type Pairing, revoked } from './pairing.ts'
import type { ConnectivityRepository, IssuedCertificate } from './repository.ts'

/**
 * Decides whether a connector may hold a tunnel: its certificate must be one that we have issued, valid now, not revoked, and to the connector that it says it is.
 * The subaccount is what we know about the certificate, never what the connector claims; the location is as claimed.
 */
export function createConnectorAuthorization(options: {
  readonly authority: ConnectorAuthority
  readonly repository: ConnectivityRepository
}): AuthorizeConnector {
  const { authority, repository } = options
  const refused = (message: string, subaccount?: string) =>
    ({ allowed: false, code: 'PEER_UNTRUSTED', message, ...(subaccount === undefined ? {} : { subaccount }) }) as const
  return async (certificate, opening) => {
    if (certificate === undefined) return refused('the connector has shown no certificate')
    if (!authority.hasSigned(certificate)) return refused('the certificate is not one of this service, or not valid now')
    const issued = await repository.findCertificate(fingerprintOf(certificate))
    if (issued === undefined) return refused('the certificate is not known to this service')
    const { subaccount } = issued
    if (issued.revokedAtMs !== undefined) return refused('the certificate was revoked; pair the connector again', subaccount)
    if (issued.connectorId !== opening.connectorId) return refused('the certificate belongs to another connector', subaccount)
    return { allowed: true, subaccount }
  }
}

/** Renews the certificate of a connector that is connected with a valid one. */
export function createCertificateRenewal(options: {
  readonly pairing: Pairing
  readonly repository: ConnectivityRepository
}): RenewConnectorCertificate {
  return async ({ peerCertificate, request }) => {
    const issued: IssuedCertificate | undefined =
      peerCertificate === undefined ? undefined : await options.repository.findCertificate(fingerprintOf(peerCertificate))
    if (issued === undefined || issued.revokedAtMs !== undefined) throw revoked()
    return await options.pairing.renew(issued, request)
  }
}

/** SHA-256, hexadecimal, as the repository has it. */
function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase()
}
