import { admits, admitsAllReadings, type HttpResource } from './http-resource.ts'
import type { RequestPath } from './request-path.ts'

/**
 * The enabled resources of one mapping, arranged so that a look-up costs the logarithm of their number.
 *
 * Prefixes are kept sorted, each with a link to the longest other prefix that it starts with. The longest prefix of a path is then the
 * greatest entry not above the path, or one of that entry's ancestors.
 */
export interface ResourceIndex {
  /** Number of enabled resources. */
  readonly size: number
  /**
   * The resource that admits the path, the exact one before the longest prefix before shorter ones. With `upgrade` only resources that allow
   * upgrades count.
   */
  find(path: RequestPath, upgrade: boolean): HttpResource | undefined
  /** Up to `count` enabled resources, for explanations. */
  sample(count: number): readonly HttpResource[]
}

interface PrefixEntry {
  readonly resource: HttpResource
  readonly parent: PrefixEntry | undefined
}

/** Builds the index. Two resources with the same path are refused earlier, by the configuration's rules. */
export function createResourceIndex(resources: readonly HttpResource[]): ResourceIndex {
  const enabled = resources.filter((resource) => resource.enabled)
  const exact = new Map(enabled.filter((resource) => resource.exactMatchOnly).map((resource) => [resource.path, resource]))
  const prefixes = linkPrefixes(enabled.filter((resource) => !resource.exactMatchOnly))

  const longestPrefix = (path: string): PrefixEntry | undefined => {
    let low = 0
    let high = prefixes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((prefixes[middle] as PrefixEntry).resource.path <= path) low = middle + 1
      else high = middle
    }
    return prefixes[low - 1]
  }

  return {
    size: enabled.length,
    sample: (count) => enabled.slice(0, count),
    find(path, upgrade) {
      if (path.kind === 'refused') return undefined
      // Every resource that admits all readings admits the first one, so that one finds the candidates.
      const text = path.kind === 'plain' ? path.path : (path.readings[0] ?? '')
      const accepts = (resource: HttpResource): boolean =>
        (!upgrade || resource.websocketUpgradeAllowed) &&
        (path.kind === 'plain' ? admits(resource, text) : admitsAllReadings(resource, path.readings))
      const same = exact.get(text)
      if (same !== undefined && accepts(same)) return same
      for (let entry = longestPrefix(text); entry !== undefined; entry = entry.parent) {
        if (accepts(entry.resource)) return entry.resource
      }
      return undefined
    },
  }
}

function linkPrefixes(resources: readonly HttpResource[]): readonly PrefixEntry[] {
  const sorted = resources.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  const entries: PrefixEntry[] = []
  const open: PrefixEntry[] = []
  for (const resource of sorted) {
    while (open.length > 0 && !resource.path.startsWith((open.at(-1) as PrefixEntry).resource.path)) open.pop()
    const entry: PrefixEntry = { resource, parent: open.at(-1) }
    entries.push(entry)
    open.push(entry)
  }
  return entries
}
