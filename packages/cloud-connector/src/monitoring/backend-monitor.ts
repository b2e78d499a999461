import type { SystemMapping } from '../access-control/system-mapping.ts'
import { bucketBoundsMs, bucketOf } from './performance-buckets.ts'

/** Counters of one mapping: connections now, and how long calls took. */
export interface MappingMonitor {
  /** Backend connections with a request under way. */
  active: number
  /** Backend connections that wait for the next request. */
  idle: number
  readonly buckets: readonly number[]
  record(durationMs: number): void
}

/** Counters of one subaccount and location. They outlive changes of the configuration. */
export interface BackendMonitor {
  readonly sinceMs: number
  of(mapping: SystemMapping): MappingMonitor
}

/** Counts from `sinceMs` on. */
export function createBackendMonitor(sinceMs: number): BackendMonitor {
  const byMapping = new Map<string, MappingMonitor>()
  /** Mappings are immutable, so finding their counters again costs no string. */
  const known = new WeakMap<SystemMapping, MappingMonitor>()
  return {
    sinceMs,
    of(mapping) {
      const seen = known.get(mapping)
      if (seen !== undefined) return seen
      const key = `${mapping.virtualHost}:${mapping.virtualPortLow} ${mapping.protocol} ${mapping.internalText}`
      const monitor = byMapping.get(key) ?? createMappingMonitor()
      byMapping.set(key, monitor)
      known.set(mapping, monitor)
      return monitor
    },
  }
}

function createMappingMonitor(): MappingMonitor {
  const buckets = Array.from({ length: bucketBoundsMs.length + 1 }, () => 0)
  return {
    active: 0,
    idle: 0,
    buckets,
    record(durationMs) {
      const at = bucketOf(durationMs)
      buckets[at] = (buckets[at] ?? 0) + 1
    },
  }
}
