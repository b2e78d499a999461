import type { SystemMapping } from '../access-control/system-mapping.ts'
import { maxCountedResources } from '../limits.ts'
import { createUsageCounter, type UsageCount, type UsageCounter, unused } from './usage-counter.ts'

/** A resource of HTTP or RFC, as the mapping holds it. Counted by what it is called, so that a changed configuration goes on counting. */
type CountedResource = { readonly path: string } | { readonly name: string }

/** Counts the use of one mapping and of its resources. */
export interface MappingUsage {
  add(nowMs: number, calls: number, bytesReceived: number, bytesSent: number, resource: CountedResource | undefined): void
}

/** What is kept of one mapping between two starts. */
export interface KeptUsage {
  readonly mapping: string
  readonly count: UsageCount
  readonly resources: readonly { readonly name: string; readonly count: UsageCount }[]
}

/** The use of one virtual host, with all its resources, those that were never used as well. */
export interface VirtualHostUsage extends UsageCount {
  readonly virtual: string
  readonly protocol: string
  readonly resources: readonly (UsageCount & { readonly name: string; readonly enabled: boolean })[]
}

/** Usage statistics of one subaccount and location. */
export interface UsageStatistics {
  readonly sinceMs: number
  /** Grows with everything that is counted. */
  readonly revision: number
  of(mapping: SystemMapping): MappingUsage
  show(mappings: readonly SystemMapping[], nowMs: number): readonly VirtualHostUsage[]
  /** What is to be kept, of these mappings alone: one that is gone takes its counts along. */
  kept(mappings: readonly SystemMapping[], nowMs: number): { readonly sinceMs: number; readonly mappings: readonly KeptUsage[] }
  /** Begins anew. */
  reset(nowMs: number): void
}

interface Counted extends MappingUsage {
  readonly total: UsageCounter
  readonly resources: Map<string, UsageCounter>
}

/** Goes on from what was kept. */
export function createUsageStatistics(before: { readonly sinceMs: number; readonly mappings: readonly KeptUsage[] }): UsageStatistics {
  let { sinceMs } = before
  let revision = 0
  let byKey = new Map<string, Counted>()
  let known = new WeakMap<SystemMapping, Counted>()
  let resourceCount = 0

  const counted = (total: UsageCounter, resources: Map<string, UsageCounter>): Counted => {
    const seen = new WeakMap<CountedResource, UsageCounter>()
    const counterOf = (resource: CountedResource): UsageCounter | undefined => {
      const found = seen.get(resource)
      if (found !== undefined) return found
      const name = resourceName(resource)
      let counter = resources.get(name)
      if (counter === undefined) {
        if (resourceCount >= maxCountedResources) return undefined
        resourceCount++
        counter = createUsageCounter()
        resources.set(name, counter)
      }
      seen.set(resource, counter)
      return counter
    }
    return {
      total,
      resources,
      add(nowMs, calls, bytesReceived, bytesSent, resource) {
        revision++
        total.add(nowMs, calls, bytesReceived, bytesSent)
        if (resource !== undefined) counterOf(resource)?.add(nowMs, calls, bytesReceived, bytesSent)
      },
    }
  }
  for (const { mapping, count, resources } of before.mappings) {
    resourceCount += resources.length
    byKey.set(mapping, counted(createUsageCounter(count), new Map(resources.map((each) => [each.name, createUsageCounter(each.count)]))))
  }

  return {
    get sinceMs() {
      return sinceMs
    },
    get revision() {
      return revision
    },
    of(mapping) {
      const seen = known.get(mapping)
      if (seen !== undefined) return seen
      const found = byKey.get(mappingKey(mapping)) ?? counted(createUsageCounter(), new Map())
      byKey.set(mappingKey(mapping), found)
      known.set(mapping, found)
      return found
    },
    show: (mappings, nowMs) =>
      mappings.map((mapping) => {
        const found = byKey.get(mappingKey(mapping))
        return {
          virtual: mapping.virtualText,
          protocol: mapping.protocol,
          ...(found?.total.count(nowMs) ?? unused),
          resources: [...mapping.resources, ...(mapping.rfc?.functions ?? [])].map((resource) => {
            const name = resourceName(resource)
            return { name, enabled: resource.enabled, ...(found?.resources.get(name)?.count(nowMs) ?? unused) }
          }),
        }
      }),
    kept(mappings, nowMs) {
      const kept = mappings.flatMap((mapping): readonly KeptUsage[] => {
        const key = mappingKey(mapping)
        const found = byKey.get(key)
        if (found === undefined) return []
        const resources = [...found.resources].map(([name, counter]) => ({ name, count: counter.count(nowMs) }))
        return [{ mapping: key, count: found.total.count(nowMs), resources }]
      })
      return { sinceMs, mappings: kept }
    },
    reset(nowMs) {
      sinceMs = nowMs
      revision++
      byKey = new Map()
      known = new WeakMap()
      resourceCount = 0
    },
  }
}

function mappingKey(mapping: SystemMapping): string {
  return `${mapping.virtualText} ${mapping.protocol}`
}

function resourceName(resource: CountedResource): string {
  return 'path' in resource ? resource.path : resource.name
}
