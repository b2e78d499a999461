/** A certificate that the connector owns. Certificates of trust stores are not among them. */
export interface OwnedCertificate {
  readonly type: 'UI' | 'System' | 'CA' | 'subaccount'
  readonly subject: string
  readonly issuer: string
  /** Hexadecimal. */
  readonly serialNumber: string
  readonly notAfterMs: number
  /** Empty for the user interface alone. */
  readonly subaccount: string
  readonly locationId: string
  readonly regionHost: string
}

/** Certificates by what is to be done about them. */
export interface SortedCertificates {
  readonly expired: readonly OwnedCertificate[]
  /** In fewer days than the threshold. */
  readonly expiring: readonly OwnedCertificate[]
  readonly ok: readonly OwnedCertificate[]
}

const dayMs = 86_400_000

/** Sorts certificates by the threshold of alerts. One that ends in exactly so many days is still in order. */
export function sortCertificates(
  certificates: readonly OwnedCertificate[],
  options: { readonly nowMs: number; readonly thresholdDays: number },
): SortedCertificates {
  const { nowMs, thresholdDays } = options
  const classOf = ({ notAfterMs }: OwnedCertificate): keyof SortedCertificates => {
    if (notAfterMs <= nowMs) return 'expired'
    return notAfterMs - nowMs < thresholdDays * dayMs ? 'expiring' : 'ok'
  }
  return {
    expired: certificates.filter((each) => classOf(each) === 'expired'),
    expiring: certificates.filter((each) => classOf(each) === 'expiring'),
    ok: certificates.filter((each) => classOf(each) === 'ok'),
  }
}
