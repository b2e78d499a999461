import type { AdministeredMapping } from './administered-mapping.ts'
import { virtualNameOf } from './edit-mapping.ts'

/** How mappings from elsewhere join those that are there. */
export interface MergeOptions {
  /** Mappings of the same name are replaced; otherwise those that are there stay as they are. */
  readonly overwrite: boolean
  /** What comes brings its resources; otherwise it exposes nothing. */
  readonly includeResources: boolean
}

/** The mappings after an import. Nothing is lost that was not named by both. */
export function mergeMappings(
  known: readonly AdministeredMapping[],
  imported: readonly AdministeredMapping[],
  { includeResources, overwrite }: MergeOptions,
): readonly AdministeredMapping[] {
  const keyOf = (mapping: AdministeredMapping): string => virtualNameOf(mapping).toLowerCase()
  const arriving = new Map(imported.map((mapping) => [keyOf(mapping), includeResources ? mapping : { ...mapping, resources: [] }]))
  const kept = known.map((mapping) => (overwrite ? (arriving.get(keyOf(mapping)) ?? mapping) : mapping))
  const names = new Set(known.map(keyOf))
  return [...kept, ...[...arriving].filter(([name]) => !names.has(name)).map(([, mapping]) => mapping)]
}
