import { X509Certificate } from 'node:crypto'
import type { ConnectorEntry } from '@sallyport/admin-api'
import type { TunnelClientState } from '@sallyport/tunnel'
import type { ChannelStatus } from './channels/service-channel.ts'
import type { ApplicationStreams } from './stream-host.ts'
import type { TunnelLink } from './tunnel-link.ts'

/** How a connector is doing. Plain data. */
export interface ConnectorStatus {
  readonly configuration: {
    readonly name: string
    /** Counts the configurations that have been taken over. */
    readonly revision: number
    /** Why the last reload was not taken over; the configuration before goes on deciding. */
    readonly problem: string | undefined
    readonly warnings: readonly string[]
  }
  readonly links: readonly LinkStatus[]
}

/** How one tunnel is doing. */
export interface LinkStatus {
  readonly subaccount: string
  readonly locationId: string
  readonly connectorId: string
  readonly description: string
  readonly tunnelEndpoint: string
  /** What the configuration in force says about it. */
  readonly entry: ConnectorEntry
  readonly tunnel: TunnelClientState
  /** Whether the tunnel is meant to be open. */
  readonly wanted: boolean
  readonly roundTripMs: number | undefined
  readonly openStreams: number
  /** Who has them open. */
  readonly applications: readonly ApplicationStreams[]
  readonly mappings: number
  readonly channels: readonly ChannelStatus[]
  readonly certificate: {
    readonly subject: string
    readonly issuer: string
    readonly serialNumber: string
    readonly notBeforeMs: number
    readonly notAfterMs: number
    /** Why the last renewal failed. */
    readonly problem: string | undefined
  }
  /** Of tickets for its backends; `undefined` without Kerberos settings. */
  readonly kerberos: { readonly realm: string; readonly problem: string | undefined } | undefined
  readonly trust: {
    readonly automatic: boolean
    readonly synchronisedAtMs: number | undefined
    readonly problem: string | undefined
    readonly issuers: readonly TrustedIssuerStatus[]
  }
}

/** One line of the trust list. */
export interface TrustedIssuerStatus {
  readonly id: number
  readonly issuer: string
  readonly name: string
  readonly description: string
  readonly type: 'OAUTH2' | 'OIDC'
  readonly trusted: boolean
  readonly keyIds: readonly string[]
}

/** The backends of one tunnel, with counters. */
export interface BackendStatus {
  readonly subaccount: string
  readonly locationId: string
  readonly tunnelEndpoint: string
  /** Since when calls are counted. */
  readonly sinceMs: number
  readonly mappings: readonly {
    readonly virtual: string
    readonly virtualHost: string
    readonly virtualPort: string
    readonly internal: string
    readonly protocol: string
    readonly idle: number
    /** How long each idle connection has waited; longest first. */
    readonly idleMs: readonly number[]
    readonly active: number
    /** Calls by duration, see `bucketBoundsMs`. */
    readonly buckets: readonly number[]
    /** Of all calls in the buckets together. */
    readonly durationMs: number
  }[]
}

/** The status of a tunnel. */
export function linkStatusOf(link: TunnelLink): LinkStatus {
  const { identity, loaded, renewal, synchronisation } = link
  const certificate = new X509Certificate(identity.certificate)
  return {
    subaccount: identity.subaccount,
    locationId: identity.locationId,
    connectorId: identity.connectorId,
    description: loaded.state.entry.description || identity.description,
    tunnelEndpoint: identity.tunnelEndpoint,
    entry: loaded.state.entry,
    tunnel: link.tunnel,
    wanted: link.on,
    roundTripMs: link.roundTripMs,
    openStreams: link.openStreams,
    applications: link.applications,
    mappings: loaded.state.table.mappings.length,
    channels: link.channels.status,
    certificate: {
      subject: distinguishedName(certificate.subject),
      issuer: distinguishedName(certificate.issuer),
      serialNumber: certificate.serialNumber,
      notBeforeMs: certificate.validFromDate.getTime(),
      notAfterMs: certificate.validToDate.getTime(),
      problem: renewal.error,
    },
    kerberos: loaded.state.kerberos && { realm: loaded.state.kerberos.realm, problem: loaded.state.kerberos.problem },
    trust: {
      automatic: loaded.state.entry.trust.automatic,
      synchronisedAtMs: synchronisation.atMs,
      problem: synchronisation.error,
      issuers: synchronisation.trust.entries.map(({ description, id, issuer, keys, name, trusted, type }) => ({
        id,
        issuer,
        name,
        description,
        type,
        trusted,
        keyIds: keys.map(({ kid }) => (typeof kid === 'string' ? kid : '')),
      })),
    },
  }
}

/** From the lines of Node to the usual order, the most special part first. */
function distinguishedName(lines: string): string {
  return lines.split('\n').toReversed().join(',')
}

/** The counters of a tunnel's mappings. */
export function backendsOf(link: TunnelLink, nowMs: number): BackendStatus {
  const { identity, loaded, monitor } = link
  return {
    subaccount: identity.subaccount,
    locationId: identity.locationId,
    tunnelEndpoint: identity.tunnelEndpoint,
    sinceMs: monitor.sinceMs,
    mappings: loaded.state.table.mappings.map((mapping) => {
      const { active, buckets, durationMs, idle } = monitor.of(mapping)
      const ports = mapping.virtualText.slice(mapping.virtualText.lastIndexOf(':') + 1)
      return {
        virtual: mapping.virtualText,
        virtualHost: mapping.virtualText.slice(0, -ports.length - 1),
        virtualPort: ports,
        internal: mapping.internalText,
        protocol: mapping.protocol,
        idle: idle.size,
        idleMs: [...idle].map(({ idleSinceMs }) => Math.max(0, nowMs - idleSinceMs)).toSorted((a, b) => b - a),
        active,
        buckets: [...buckets],
        durationMs,
      }
    }),
  }
}
