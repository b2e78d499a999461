import { shownText } from './http/refusals.ts'
import type { ResourceFilterEntry } from './monitoring/request-monitor.ts'
import type { RequestRecord } from './monitoring/request-record.ts'
import type { VirtualHostUsage } from './monitoring/usage-statistics.ts'
import type { TunnelLink } from './tunnel-link.ts'

/** What has gone through one tunnel. Plain data. */
export interface TrafficStatus {
  readonly subaccount: string
  readonly locationId: string
  readonly tunnelEndpoint: string
  /** The last calls of HTTP and RFC, latest first. */
  readonly recent: readonly RequestRecord[]
  /** Those that took longest, longest first. */
  readonly top: readonly RequestRecord[]
  readonly topSinceMs: number
  readonly filter: readonly ResourceFilterEntry[]
  readonly usage: { readonly sinceMs: number; readonly virtualHosts: readonly VirtualHostUsage[] }
}

/** What may be changed about the counting of one tunnel. */
export interface TrafficControl {
  /** Looks at calls of these resources alone, see {@link ResourceFilterEntry}. Not kept. */
  setFilter(entries: readonly ResourceFilterEntry[]): void
  deleteTop(): void
  /** Buckets, recent calls and those that took longest. */
  deletePerformance(): void
  /** Settles when nothing is kept of the usage before. */
  resetUsage(): Promise<void>
}

/** What has gone through a tunnel until now. */
export function trafficOf({ identity, loaded, monitor }: TunnelLink, nowMs: number): TrafficStatus {
  const { requests, usage } = monitor
  return {
    subaccount: identity.subaccount,
    locationId: identity.locationId,
    tunnelEndpoint: identity.tunnelEndpoint,
    recent: requests.recent.map(shown),
    top: requests.top.map(shown),
    topSinceMs: requests.topSinceMs,
    filter: requests.filter,
    usage: { sinceMs: usage.sinceMs, virtualHosts: usage.show(loaded.state.table.mappings, nowMs) },
  }
}

/** Changes the counting of a tunnel. */
export function trafficControlOf({ monitor, usageKeeper }: TunnelLink, now: () => number): TrafficControl {
  return {
    setFilter: (entries) => monitor.requests.setFilter(entries),
    deleteTop: () => monitor.requests.deleteTop(now()),
    deletePerformance: () => monitor.deletePerformance(now()),
    async resetUsage() {
      monitor.usage.reset(now())
      await usageKeeper.save()
    },
  }
}

/** Callers choose these texts. */
function shown(record: RequestRecord): RequestRecord {
  return { ...record, resource: shownText(record.resource), user: shownText(record.user), reason: shownText(record.reason) }
}
