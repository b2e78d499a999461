import type { ServiceChannelEntry } from '@sallyport/admin-api'
import type { ChannelStatus } from '../channels/service-channel.ts'
import type { LinkStatus } from '../connector-status.ts'
import { nameOf } from './subaccount-name.ts'

/** What the original calls the kinds of channels in its older interfaces and in its user interface. */
const typeNames: Readonly<Record<ServiceChannelEntry['type'], { readonly typeKey: string; readonly typeName: string }>> = {
  ABAPCloud: { typeKey: 'RFC', typeName: 'ABAP Cloud System' },
  ABAPCloudSNC: { typeKey: 'RFC_SNC', typeName: 'ABAP Cloud System (SNC)' },
  K8S: { typeKey: 'K8S', typeName: 'K8s Cluster' },
  HANA: { typeKey: 'HANA_DB', typeName: 'HANA Database' },
  VirtualMachine: { typeKey: 'HCPVM', typeName: 'Virtual Machine' },
}

/** The channels of a tunnel in `GET /api/monitoring/subaccounts` */
export function renderChannels(channels: readonly ChannelStatus[]): readonly object[] {
  return channels.map(({ entry, state, target }) => ({
    type: entry.type,
    state: state.kind === 'open' ? 'Connected' : 'Disconnected',
    details: target.serviceId,
    comment: entry.comment,
  }))
}

/** `GET /api/monitoring/connections/serviceChannels` */
export function renderChannelConnections(links: readonly LinkStatus[]): unknown {
  return {
    subaccounts: links.map((link) => ({
      serviceChannelConnections: link.channels
        .filter(({ state }) => state.kind === 'open')
        .map(({ entry, openedConnections, port }) => ({ port, typeDesc: typeNames[entry.type], connections: openedConnections })),
      ...nameOf(link),
    })),
    version: 1,
  }
}

/** The part of `GET /api/monitoring/usage` about channels. Received is what came from the cloud side. */
export function renderChannelUsage(channels: readonly ChannelStatus[]): readonly object[] {
  return channels.map(({ entry, port, usage }) => ({
    port,
    typeDesc: typeNames[entry.type],
    bytesReceived: usage.bytesFromCloud,
    bytesSent: usage.bytesToCloud,
  }))
}
