import type { HttpResource } from './http-resource.ts'
import { createResourceTree } from './resource-tree.ts'

/** The enabled resources of one mapping, arranged for look-up. */
export interface ResourceIndex {
  readonly enabled: readonly HttpResource[]
  /** The paths of `enabled`, see {@link createResourceTree}. */
  readonly tree: Uint8Array
}

/** Builds the index. Two resources with the same path are refused earlier, by the configuration's rules. */
export function createResourceIndex(resources: readonly HttpResource[]): ResourceIndex {
  const enabled = resources.filter((resource) => resource.enabled)
  return { enabled, tree: createResourceTree(enabled) }
}
