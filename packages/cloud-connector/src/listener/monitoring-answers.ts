import type { BackendStatus, ConnectorStatus } from '../connector-status.ts'
import { renderBuckets } from '../monitoring/performance-buckets.ts'
import { renderApplications } from './application-connections.ts'
import { renderChannels } from './channel-answers.ts'
import { nameOf, regionHostOf } from './subaccount-name.ts'

/** `GET /api/monitoring/subaccounts` */
export function renderSubaccounts(status: ConnectorStatus): unknown {
  return {
    subaccounts: status.links.map((link) => ({
      tunnel: {
        state: link.tunnel.kind === 'ready' ? 'Connected' : 'Disconnected',
        connectedSinceTimeStamp: link.tunnel.kind === 'ready' ? link.tunnel.sinceMs : 0,
        connections: link.tunnel.kind === 'ready' ? 1 : 0,
        applicationConnections: renderApplications(link),
        serviceChannels: renderChannels(link.channels),
        subaccountCertificate: {
          notAfterTimeStamp: link.certificate.notAfterMs,
          notBeforeTimeStamp: link.certificate.notBeforeMs,
          subjectDN: link.certificate.subject,
          issuer: link.certificate.issuer,
          serialNumber: formatSerialNumber(link.certificate.serialNumber),
        },
        user: link.connectorId,
      },
      regionHost: regionHostOf(link.tunnelEndpoint),
      subaccount: link.subaccount,
      displayName: link.subaccount,
      description: link.description,
      locationID: link.locationId,
    })),
    version: 1,
  }
}

/** `GET /api/monitoring/connections/backends` */
export function renderBackendConnections(backends: readonly BackendStatus[]): unknown {
  return {
    subaccounts: backends.map((each) => ({
      backendConnections: each.mappings.map(({ active, idle, internal, protocol, virtual }) => ({
        virtualBackend: virtual,
        internalBackend: internal,
        protocol,
        idle,
        active,
      })),
      ...nameOf(each),
    })),
    version: 1,
  }
}

/** `GET /api/monitoring/performance/backends` */
export function renderBackendPerformance(backends: readonly BackendStatus[]): unknown {
  return {
    subaccounts: backends.map((each) => ({
      backendPerformance: each.mappings
        .filter(({ protocol }) => protocol === 'HTTP' || protocol === 'HTTPS')
        .map(({ buckets, protocol, virtualHost, virtualPort }) => ({
          virtualHost,
          virtualPort,
          protocol,
          buckets: renderBuckets(buckets),
        })),
      sinceTime: formatSince(each.sinceMs),
      ...nameOf(each),
    })),
    version: 1,
  }
}

/** `0A1B2C` becomes `0a:1b:2c`. */
export function formatSerialNumber(hexadecimal: string): string {
  return (hexadecimal.toLowerCase().match(/.{1,2}/g) ?? []).join(':')
}

/** `s4.demo:443` becomes host and port; the port may be a range or a name. */
export function splitVirtual(virtual: string): { readonly virtualHost: string; readonly virtualPort: string } {
  const colon = virtual.lastIndexOf(':')
  return { virtualHost: virtual.slice(0, colon), virtualPort: virtual.slice(colon + 1) }
}

/** `2017-05-11T15:48:42.084 +0000` */
export function formatSince(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', ' +0000')
}
