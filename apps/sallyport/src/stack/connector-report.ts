import type { LinkStatus } from '@sallyport/cloud-connector'

/** One line of `sallyport connector status`. */
export interface ConnectorReport {
  readonly subaccount: string
  readonly locationId: string
  readonly tunnel: LinkStatus['tunnel']['kind']
  /** Why there is no tunnel. */
  readonly problem: string | undefined
  readonly connectedSince: string
  readonly mappings: number
  readonly certificateUntil: string
  /** `revision 3`, or what is wrong with the file. */
  readonly configuration: string
  readonly trustedIssuers: readonly string[]
}

/** What to do about a connector process that has nothing to connect. */
export const nextWithoutConnector =
  'add a subaccount in its administration, or pair it with: sallyport connector init --server … --authority …, then start it again'

/** How one tunnel is doing, under the configuration of the connector as a whole. */
export function reportOf(
  link: LinkStatus,
  configuration: { readonly revision: number; readonly problem: string | undefined },
): ConnectorReport {
  const { tunnel } = link
  return {
    subaccount: link.subaccount,
    locationId: link.locationId,
    tunnel: tunnel.kind,
    problem: tunnel.kind === 'ready' ? undefined : describeTunnel(tunnel),
    connectedSince: tunnel.kind === 'ready' ? new Date(tunnel.sinceMs).toISOString() : '–',
    mappings: link.mappings,
    certificateUntil: new Date(link.certificate.notAfterMs).toISOString().slice(0, 10),
    configuration: configuration.problem ?? `revision ${configuration.revision}`,
    trustedIssuers: link.trust.issuers.filter((issuer) => issuer.trusted).map((issuer) => issuer.issuer),
  }
}

/** The state of a tunnel in a few words. */
export function describeTunnel(tunnel: LinkStatus['tunnel']): string {
  if (tunnel.kind === 'failed') return `${tunnel.reason}: ${tunnel.message}`
  if (tunnel.kind === 'connecting')
    return `connecting, attempt ${tunnel.attempt}${tunnel.lastError === undefined ? '' : ` (${tunnel.lastError.message})`}`
  return tunnel.kind
}
