import type { DestinationRecord } from '@sallyport/admin-api'
import type { StoredEntity } from '../entities/entity-repository.ts'

/**
 * Lays fragments over a destination, from left to right: a later value wins. `FragmentName` then lists what was applied. Neither side is changed; without
 * fragments the outcome is the destination itself.
 */
export function mergeFragments(destination: DestinationRecord, fragments: readonly StoredEntity[]): DestinationRecord {
  if (fragments.length === 0) return destination
  const merged: Record<string, string> = Object.assign({}, destination, ...fragments.map((fragment) => fragment.properties))
  merged['FragmentName'] = fragments.map((fragment) => fragment.name).join(',')
  return merged as DestinationRecord
}
