import type { Clock } from '@sallyport/core'
import { type Grant, type GrantBounds, type GrantOf, grantOwner, type GrantStore } from './grant-store.ts'
import { grantSweepInterval } from './limits.ts'

interface Entry {
  readonly grant: Grant
  readonly owner: string
  redeemedWith: string | undefined
}

/** A store that forgets on exit: for tests and for stacks that are thrown away. */
export function createMemoryGrantStore({ clock, bounds }: { readonly clock: Clock; readonly bounds: GrantBounds }): GrantStore {
  // Insertion order is age.
  const entries = new Map<string, Entry>()
  const byOwner = new Map<string, Set<string>>()
  let additions = 0

  function drop(hash: string): void {
    const owner = entries.get(hash)?.owner
    entries.delete(hash)
    if (owner === undefined) return
    const owned = byOwner.get(owner)
    owned?.delete(hash)
    if (owned?.size === 0) byOwner.delete(owner)
  }

  function living(kind: Grant['kind'], hash: string): Entry | undefined {
    const entry = entries.get(hash)
    return entry !== undefined && entry.grant.kind === kind && entry.grant.expiresAtMs > clock.now() ? entry : undefined
  }

  function sweep(): void {
    for (const [hash, { grant }] of entries) if (grant.expiresAtMs <= clock.now()) drop(hash)
    for (const hash of entries.keys()) {
      if (entries.size <= bounds.maxGrants) break
      drop(hash)
    }
  }

  return {
    add(hash, grant) {
      const owner = grantOwner(grant)
      drop(hash)
      entries.set(hash, { grant, owner, redeemedWith: undefined })
      const owned = byOwner.get(owner) ?? new Set()
      byOwner.set(owner, owned.add(hash))
      for (const oldest of owned) {
        if (owned.size <= bounds.maxGrantsPerUserAndClient) break
        drop(oldest)
      }
      if (++additions % grantSweepInterval === 0) sweep()
      return Promise.resolve()
    },
    find<Kind extends Grant['kind']>(kind: Kind, hash: string) {
      return Promise.resolve(living(kind, hash)?.grant as GrantOf<Kind> | undefined)
    },
    remove(kind, hash) {
      if (entries.get(hash)?.grant.kind === kind) drop(hash)
      return Promise.resolve()
    },
    redeemCode(hash, refreshHash) {
      const entry = living('code', hash)
      if (entry === undefined) return Promise.resolve({ kind: 'unknown' })
      if (entry.redeemedWith !== undefined) return Promise.resolve({ kind: 'used', refreshHash: entry.redeemedWith })
      entry.redeemedWith = refreshHash
      return Promise.resolve({ kind: 'redeemed' })
    },
  }
}
