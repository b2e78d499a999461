import type { ChannelStatus, LinkStatus } from '@sallyport/cloud-connector'

/** One line of `sallyport connector status`. */
export interface ConnectorReport {
  readonly subaccount: string
  readonly locationId: string
  readonly tunnel: LinkStatus['tunnel']['kind']
  /** Why there is no tunnel. */
  readonly problem: string | undefined
  /** What opens it, where somebody has to do that. */
  readonly next?: string
  /** Why no user gets a ticket; only where there are Kerberos settings. */
  readonly kerberosProblem?: string
  readonly connectedSince: string
  readonly mappings: number
  readonly certificateUntil: string
  /** `revision 3`, or what is wrong with the file. */
  readonly configuration: string
  readonly trustedIssuers: readonly string[]
  readonly channels: readonly ChannelReport[]
}

/** One line of `sallyport channel list`. */
interface ChannelReport {
  readonly id: number
  readonly type: string
  /** Address and port of this machine. */
  readonly host: string
  readonly port: number
  readonly service: string
  readonly cluster: string | undefined
  readonly comment: string
  readonly enabled: boolean
  readonly state: ChannelStatus['state']['kind']
  /** Why its port is not open, or the last client was not connected. */
  readonly problem: string | undefined
  readonly connectedSince: string | undefined
  readonly openedConnections: number
  readonly usage: ChannelStatus['usage']
}

/** How one tunnel is doing, under the configuration of the connector as a whole. On a shadow none is open. */
export function reportOf(
  link: LinkStatus,
  configuration: { readonly revision: number; readonly problem: string | undefined },
  { isShadow }: { readonly isShadow: boolean },
): ConnectorReport {
  const { tunnel } = link
  const isDisconnected = tunnel.kind === 'closed' && !link.wanted && !isShadow
  return {
    subaccount: link.subaccount,
    locationId: link.locationId,
    tunnel: tunnel.kind,
    problem: tunnel.kind === 'ready' ? undefined : isDisconnected ? 'disconnected until it is connected again' : describeTunnel(tunnel),
    ...(isDisconnected ? { next: `sallyport connector subaccount connect ${link.subaccount}` } : {}),
    ...(link.kerberos?.problem === undefined ? {} : { kerberosProblem: link.kerberos.problem }),
    connectedSince: tunnel.kind === 'ready' ? new Date(tunnel.sinceMs).toISOString() : '–',
    mappings: link.mappings,
    certificateUntil: new Date(link.certificate.notAfterMs).toISOString().slice(0, 10),
    configuration: configuration.problem ?? `revision ${configuration.revision}`,
    trustedIssuers: link.trust.issuers.filter((issuer) => issuer.trusted).map((issuer) => issuer.issuer),
    channels: link.channels.map(reportChannel),
  }
}

/** The state of a tunnel in a few words. */
export function describeTunnel(tunnel: LinkStatus['tunnel']): string {
  if (tunnel.kind === 'failed') return `${tunnel.reason}: ${tunnel.message}`
  if (tunnel.kind === 'connecting')
    return `connecting, attempt ${tunnel.attempt}${tunnel.lastError === undefined ? '' : ` (${tunnel.lastError.message})`}`
  return tunnel.kind
}

function reportChannel({ entry, id, lastRefusal, openedConnections, port, state, target, usage }: ChannelStatus): ChannelReport {
  const { comment, enabled, host, type } = entry
  return {
    id,
    type,
    host,
    port,
    service: target.serviceId,
    cluster: target.cluster,
    comment,
    enabled,
    state: state.kind,
    problem: 'message' in state ? state.message : lastRefusal?.message,
    connectedSince: state.kind === 'open' ? new Date(state.sinceMs).toISOString() : undefined,
    openedConnections,
    usage,
  }
}
