import { channelTypeNames } from '../channels/channel-type-names.ts'
import type { ChannelStatus } from '../channels/service-channel.ts'
import type { LinkStatus } from '../connector-status.ts'
import { nameOf } from './subaccount-name.ts'

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
        .map(({ entry, openedConnections, port }) => ({ port, typeDesc: channelTypeNames[entry.type], connections: openedConnections })),
      ...nameOf(link),
    })),
    version: 1,
  }
}

/** The part of `GET /api/monitoring/usage` about channels. Received is what came from the cloud side. */
export function renderChannelUsage(channels: readonly ChannelStatus[]): readonly object[] {
  return channels.map(({ entry, port, usage }) => ({
    port,
    typeDesc: channelTypeNames[entry.type],
    bytesReceived: usage.bytesFromCloud,
    bytesSent: usage.bytesToCloud,
  }))
}
