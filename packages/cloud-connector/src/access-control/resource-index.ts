import { admitsAllReadings, type HttpResource } from './http-resource.ts'
import type { RequestPath } from './request-path.ts'

/**
 * The enabled resources of one mapping, arranged so that a look-up costs the logarithm of their number.
 *
 * They are kept sorted, each with a link to the longest other prefix that it starts with. The longest prefix of a path is then the
 * greatest entry not above the path, or one of that entry's ancestors; and so is the path itself.
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

/** Builds the index. Two resources with the same path are refused earlier, by the configuration's rules. */
export function createResourceIndex(resources: readonly HttpResource[]): ResourceIndex {
  return new SortedResources(resources.filter(({ enabled }) => enabled))
}

/** No parent. */
const none = -1

/**
 * A class with arrays of plain values, because of many mappings none is in the cache of the processor: what a look-up reads lies in few places, and those are
 * beside each other.
 */
class SortedResources implements ResourceIndex {
  readonly #enabled: readonly HttpResource[]
  readonly #sorted: readonly HttpResource[]
  readonly #paths: readonly string[]
  /** For each entry the longest other prefix that it starts with, by place. */
  readonly #parents: readonly number[]
  readonly #exact: readonly boolean[]

  constructor(enabled: readonly HttpResource[]) {
    this.#enabled = enabled
    this.#sorted = enabled.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
    // Copies: what a parser hands out may point into the text of the whole file.
    this.#paths = this.#sorted.map(({ path }) => Buffer.from(path).toString())
    this.#exact = this.#sorted.map(({ exactMatchOnly }) => exactMatchOnly)
    this.#parents = linkPrefixes(this.#sorted)
  }

  get size(): number {
    return this.#enabled.length
  }

  sample(count: number): readonly HttpResource[] {
    return this.#enabled.slice(0, count)
  }

  find(path: RequestPath, upgrade: boolean): HttpResource | undefined {
    if (path.kind === 'refused') return undefined
    // Every resource that admits all readings admits the first one, so that one finds the candidates.
    const text = path.kind === 'plain' ? path.path : (path.readings[0] ?? '')
    for (let at = this.#lastNotAbove(text); at !== none; at = this.#parents[at] ?? none) {
      const own = this.#paths[at] ?? ''
      if (this.#exact[at] === true ? text !== own : !text.startsWith(own)) continue
      const resource = this.#sorted[at] as HttpResource
      if (upgrade && !resource.websocketUpgradeAllowed) continue
      if (path.kind === 'plain' || admitsAllReadings(resource, path.readings)) return resource
    }
    return undefined
  }

  /** Place of the greatest path that is not above a text. Whatever the text starts with is that one or an ancestor of it. */
  #lastNotAbove(text: string): number {
    let low = 0
    let high = this.#paths.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#paths[middle] as string) <= text) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}

function linkPrefixes(sorted: readonly HttpResource[]): readonly number[] {
  const open: number[] = []
  return sorted.map(({ exactMatchOnly, path }, at) => {
    while (open.length > 0 && !path.startsWith((sorted[open.at(-1) ?? 0] as HttpResource).path)) open.pop()
    const parent = open.at(-1) ?? none
    if (!exactMatchOnly) open.push(at)
    return parent
  })
}
