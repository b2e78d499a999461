import type { TrafficStatus } from '../traffic-status.ts'
import type { LinkStatus } from '../connector-status.ts'
import { renderChannelUsage } from './channel-answers.ts'
import { formatSince, splitVirtual } from './monitoring-answers.ts'
import { nameOf } from './subaccount-name.ts'

/** `GET /api/monitoring/performance/topTimeConsumers` */
export function renderTopTimeConsumers(traffic: readonly TrafficStatus[]): unknown {
  return {
    subaccounts: traffic.map((each) => ({
      requests: each.top.map((request) => ({
        protocol: request.protocol,
        virtualBackend: request.virtual,
        internalBackend: request.internal,
        resource: request.resource,
        sentBytes: request.bytesSent,
        receivedBytes: request.bytesReceived,
        user: request.user,
        totalTime: request.times.totalMs,
        externalTime: request.times.externalMs,
        genSsoTime: request.times.generateMs,
        openRemoteTime: request.times.openMs,
        validationSsoTime: request.times.validateMs,
        latencyTime: request.times.latencyMs,
      })),
      sinceTime: formatSince(each.topSinceMs),
      ...nameOf(each),
    })),
    version: 1,
  }
}

/** `GET /api/monitoring/usage` */
export function renderUsage(traffic: readonly TrafficStatus[], links: readonly LinkStatus[]): unknown {
  return {
    subaccounts: traffic.map((each) => ({
      usageStatistics: each.usage.virtualHosts.map(({ protocol, resources, virtual, ...count }) => ({
        ...splitVirtual(virtual),
        protocol,
        ...counted(count),
        resources: resources.map(({ enabled, name, ...used }) => ({ resourceName: name, enabled, ...counted(used) })),
      })),
      serviceChannelUsageStatistics: renderChannelUsage(
        links.find(({ locationId, subaccount }) => subaccount === each.subaccount && locationId === each.locationId)?.channels ?? [],
      ),
      sinceTime: each.usage.sinceMs,
      ...nameOf(each),
    })),
    version: 1,
  }
}

/** `mostRecentAccess` is absent when there was none. */
function counted(
  count: Pick<TrafficStatus['usage']['virtualHosts'][number], 'bytesReceived' | 'bytesSent' | 'calls' | 'mostRecentAccessMs'>,
): object {
  const { bytesReceived, bytesSent, calls, mostRecentAccessMs } = count
  return { bytesReceived, bytesSent, calls, ...(mostRecentAccessMs === undefined ? {} : { mostRecentAccess: mostRecentAccessMs }) }
}
