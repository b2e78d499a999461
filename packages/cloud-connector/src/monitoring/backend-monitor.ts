import type { SystemMapping } from '../access-control/system-mapping.ts'
import { bucketBoundsMs, bucketOf } from './performance-buckets.ts'
import { createRequestMonitor, type RequestMonitor } from './request-monitor.ts'
import type { RequestRecord } from './request-record.ts'
import { createUsageStatistics, type KeptUsage, type MappingUsage, type UsageStatistics } from './usage-statistics.ts'

/** Counters of one mapping: connections now, and how long calls took. */
export interface MappingMonitor {
  /** Backend connections with a request under way. */
  active: number
  /** Backend connections that wait for the next request, and since when. */
  readonly idle: Set<{ readonly idleSinceMs: number }>
  readonly buckets: readonly number[]
  /** Of the calls in the buckets, together. */
  durationMs: number
  readonly usage: MappingUsage
  /** Counts a call; `answered` says whether the backend has. */
  record(record: RequestRecord, answered: boolean): void
}

/** Counters of one subaccount and location. They outlive changes of the configuration. */
export interface BackendMonitor {
  /** Since when calls are sorted into buckets. */
  readonly sinceMs: number
  readonly requests: RequestMonitor
  readonly usage: UsageStatistics
  of(mapping: SystemMapping): MappingMonitor
  /** Forgets buckets and calls; connections and usage go on. */
  deletePerformance(nowMs: number): void
}

/** Counts from `nowMs` on, usage from where it was. `onRequest` is told about every call, also about those that the performance monitor leaves out. */
export function createBackendMonitor(
  nowMs: number,
  usageBefore: { readonly sinceMs: number; readonly mappings: readonly KeptUsage[] } = { sinceMs: nowMs, mappings: [] },
  onRequest: (record: RequestRecord) => void = () => {},
): BackendMonitor {
  let sinceMs = nowMs
  const requests = createRequestMonitor(nowMs)
  const usage = createUsageStatistics(usageBefore)
  const byMapping = new Map<string, ReturnType<typeof createMappingMonitor>>()
  /** Mappings are immutable, so finding their counters again costs no string. */
  const known = new WeakMap<SystemMapping, MappingMonitor>()
  return {
    get sinceMs() {
      return sinceMs
    },
    requests,
    usage,
    of(mapping) {
      const seen = known.get(mapping)
      if (seen !== undefined) return seen
      const key = `${mapping.virtualHost}:${mapping.virtualPortLow} ${mapping.protocol} ${mapping.internalText}`
      const monitor = byMapping.get(key) ?? createMappingMonitor(mapping, requests, usage, onRequest)
      byMapping.set(key, monitor)
      known.set(mapping, monitor)
      return monitor
    },
    deletePerformance(now) {
      sinceMs = now
      requests.deleteAll(now)
      for (const monitor of byMapping.values()) {
        monitor.buckets.fill(0)
        monitor.durationMs = 0
      }
    },
  }
}

function createMappingMonitor(
  mapping: SystemMapping,
  requests: RequestMonitor,
  usage: UsageStatistics,
  onRequest: (record: RequestRecord) => void,
): MappingMonitor & { readonly buckets: number[] } {
  const buckets = Array.from({ length: bucketBoundsMs.length + 1 }, () => 0)
  const monitor: ReturnType<typeof createMappingMonitor> = {
    active: 0,
    idle: new Set(),
    buckets,
    durationMs: 0,
    // Asked for anew each time: a reset makes new counters.
    get usage() {
      return usage.of(mapping)
    },
    record(record, answered) {
      onRequest(record)
      if (!requests.isWatched(mapping.virtualText, record.resource)) return
      if (answered) {
        const at = bucketOf(record.times.totalMs)
        buckets[at] = (buckets[at] ?? 0) + 1
        monitor.durationMs += record.times.totalMs
      }
      requests.add(record)
    },
  }
  return monitor
}
