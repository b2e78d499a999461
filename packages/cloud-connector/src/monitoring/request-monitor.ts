import { maxTopTimeConsumers, recentRequestCount } from '../limits.ts'
import type { RequestRecord } from './request-record.ts'

/** Which calls of a virtual host are looked at; a virtual host without an entry is looked at wholly. */
export interface ResourceFilterEntry {
  /** `host:port`, as the mapping has it. */
  readonly virtual: string
  readonly resources: readonly { readonly path: string; readonly subPaths: boolean }[]
}

/** The last calls of one subaccount and location, and those that took longest. Nothing outlives the process. */
export interface RequestMonitor {
  /** Whether a call counts in the performance monitor. */
  isWatched(virtual: string, resource: string): boolean
  add(record: RequestRecord): void
  /** Latest first. */
  readonly recent: readonly RequestRecord[]
  /** Longest first. */
  readonly top: readonly RequestRecord[]
  readonly topSinceMs: number
  readonly filter: readonly ResourceFilterEntry[]
  setFilter(entries: readonly ResourceFilterEntry[]): void
  deleteTop(nowMs: number): void
  deleteAll(nowMs: number): void
}

/** Costs one array write per call, and a few comparisons. */
export function createRequestMonitor(nowMs: number): RequestMonitor {
  let ring: RequestRecord[] = []
  let next = 0
  let top: RequestRecord[] = []
  let topSinceMs = nowMs
  let filter: readonly ResourceFilterEntry[] = []
  let byVirtual = new Map<string, ResourceFilterEntry['resources']>()

  const rank = (record: RequestRecord): void => {
    const last = top[maxTopTimeConsumers - 1]
    if (last !== undefined && last.times.totalMs >= record.times.totalMs) return
    let at = top.length
    while (at > 0 && (top[at - 1] as RequestRecord).times.totalMs < record.times.totalMs) at--
    top.splice(at, 0, record)
    if (top.length > maxTopTimeConsumers) top.pop()
  }
  return {
    isWatched(virtual, resource) {
      if (byVirtual.size === 0) return true
      const entries = byVirtual.get(virtual)
      return entries === undefined || entries.some(({ path, subPaths }) => (subPaths ? resource.startsWith(path) : resource === path))
    },
    add(record) {
      ring[next] = record
      next = (next + 1) % recentRequestCount
      rank(record)
    },
    get recent() {
      return [...ring.slice(next), ...ring.slice(0, next)].toReversed()
    },
    get top() {
      return [...top]
    },
    get topSinceMs() {
      return topSinceMs
    },
    get filter() {
      return filter
    },
    setFilter(entries) {
      filter = entries
      byVirtual = new Map(entries.map(({ resources, virtual }) => [virtual, resources]))
    },
    deleteTop(now) {
      top = []
      topSinceMs = now
    },
    deleteAll(now) {
      ring = []
      next = 0
      top = []
      topSinceMs = now
    },
  }
}
