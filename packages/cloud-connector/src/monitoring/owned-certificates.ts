import { X509Certificate } from 'node:crypto'
import type { TunnelLink } from '../tunnel-link.ts'
import type { OwnedCertificate } from './certificate-status.ts'

/** A certificate as monitoring and alerts see it. `link` is left out for one that belongs to no subaccount alone. */
function ownedCertificate(
  type: OwnedCertificate['type'],
  certificate: X509Certificate,
  link: Pick<OwnedCertificate, 'subaccount' | 'locationId' | 'regionHost'> = { subaccount: '', locationId: '', regionHost: '' },
): OwnedCertificate {
  return {
    type,
    subject: certificate.subject.replaceAll('\n', ','),
    issuer: certificate.issuer.replaceAll('\n', ','),
    serialNumber: certificate.serialNumber,
    notAfterMs: certificate.validToDate.getTime(),
    ...link,
  }
}

/** The same for a certificate in PEM that belongs to no subaccount. */
export function ownedCertificateOf(type: OwnedCertificate['type'], pem: string): OwnedCertificate {
  return ownedCertificate(type, new X509Certificate(pem))
}

/** What these tunnels own: their subaccount certificates, and system certificates and authorities, each once. */
export function certificatesOf(links: readonly TunnelLink[]): readonly OwnedCertificate[] {
  const shared = new Map<string, OwnedCertificate>()
  const ofSubaccounts: OwnedCertificate[] = []
  for (const { identity, loaded } of links) {
    const { locationId, subaccount, tunnelEndpoint } = identity
    const link = { subaccount, locationId, regionHost: URL.parse(tunnelEndpoint)?.hostname ?? '' }
    ofSubaccounts.push(ownedCertificate('subaccount', new X509Certificate(identity.certificate), link))
    const { ca, system } = loaded.state.certificates
    if (system !== undefined) shared.set(`System ${system.fingerprint256}`, ownedCertificate('System', system, link))
    if (ca !== undefined) shared.set(`CA ${ca.fingerprint256}`, ownedCertificate('CA', ca, link))
  }
  return [...shared.values(), ...ofSubaccounts]
}
