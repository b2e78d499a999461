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
  const arriving = imported.map((mapping) => (includeResources ? mapping : { ...mapping, resources: [] }))
  return mergeByKey(known, arriving, overwrite, (mapping) => virtualNameOf(mapping).toLowerCase())
}

/** Entries with others from elsewhere: of those of one key, the ones that are there stay unless they are to be replaced. */
export function mergeByKey<Item>(
  known: readonly Item[],
  imported: readonly Item[],
  overwrite: boolean,
  keyOf: (item: Item) => string,
): readonly Item[] {
  const arriving = new Map(imported.map((item) => [keyOf(item), item]))
  const names = new Set(known.map(keyOf))
  return [
    ...known.map((item) => (overwrite ? (arriving.get(keyOf(item)) ?? item) : item)),
    ...[...arriving].filter(([name]) => !names.has(name)).map(([, item]) => item),
  ]
}
