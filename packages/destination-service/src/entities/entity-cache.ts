import { maxCachedEntities, maxCachedEntityCharacters } from '../limits.ts'
import type { EntityKind, FoundEntity, Level } from './entity-repository.ts'

/** Remembers entities that have been opened, because opening one takes longer than everything else about finding it. */
export interface EntityCache {
  get(key: string): FoundEntity | undefined
  set(key: string, found: FoundEntity): void
}

/**
 * What was asked for, and in which state of the subaccount; what is remembered under a key can therefore never be out of date. `undefined` when the levels
 * belong to several subaccounts.
 */
export function cacheKey(kind: EntityKind, levels: readonly Level[], name: string, revision: string): string | undefined {
  const [first] = levels
  if (first === undefined || levels.some((level) => level.subaccountId !== first.subaccountId)) return undefined
  return JSON.stringify([revision, first.subaccountId, kind, name, ...levels.map((level) => [level.instanceId, level.sharedOnly === true])])
}

/** Makes an empty cache; the least recently used give way. Its bounds are in `limits.ts`. */
export function createEntityCache(): EntityCache {
  const entries = new Map<string, { readonly found: FoundEntity; readonly characters: number }>()
  let characters = 0

  const forget = (key: string): void => {
    characters -= entries.get(key)?.characters ?? 0
    entries.delete(key)
  }

  return {
    get(key) {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      // Used last goes last.
      entries.delete(key)
      entries.set(key, entry)
      return entry.found
    },
    set(key, found) {
      forget(key)
      // Several hold it at the same time from now on.
      Object.freeze(found.entity.properties)
      Object.freeze(found.entity.hidden)
      const entry = { found, characters: sizeOf(key, found) }
      entries.set(key, entry)
      characters += entry.characters
      for (const oldest of entries.keys()) {
        if (entries.size <= maxCachedEntities && characters <= maxCachedEntityCharacters) break
        forget(oldest)
      }
    },
  }
}

function sizeOf(key: string, { entity }: FoundEntity): number {
  const texts = [...Object.entries(entity.properties), ...Object.entries(entity.hidden)]
  return texts.reduce((sum, [name, value]) => sum + name.length + value.length, key.length)
}
