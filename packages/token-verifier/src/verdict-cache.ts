import { indexCharacters } from './limits.ts'
import type { VerifiedToken } from './types.ts'

interface Entry {
  readonly token: string
  readonly verified: VerifiedToken
  readonly expiresAtMs: number
  readonly revision: number
  used: boolean
}

/** Verified tokens, bounded, for synchronous look-up. */
export interface VerdictCache {
  find(token: string, nowMs: number, revision: number): VerifiedToken | undefined
  add(token: string, verified: VerifiedToken, expiresAtMs: number, revision: number): void
  readonly size: number
}

/**
 * A second-chance cache: a hit costs one map look-up and one comparison of the whole token, and marks the entry; the eviction spares marked entries once.
 * The index is the end of the token alone, because hashing a kilobyte for each request would cost more than all the rest. Only verified tokens come in,
 * so nobody can crowd out others' entries with made-up ones.
 */
export function createVerdictCache(maxEntries: number): VerdictCache {
  const entries = new Map<string, Entry>()
  const makeRoom = (): void => {
    // One round clears every mark, so this ends after at most two.
    for (const [index, entry] of entries) {
      entries.delete(index)
      if (!entry.used) return
      entry.used = false
      entries.set(index, entry)
    }
  }
  return {
    find(token, nowMs, revision) {
      const index = token.slice(-indexCharacters)
      const entry = entries.get(index)
      if (entry === undefined || entry.token !== token) return undefined
      if (entry.revision !== revision || nowMs >= entry.expiresAtMs) {
        entries.delete(index)
        return undefined
      }
      entry.used = true
      return entry.verified
    },
    add(token, verified, expiresAtMs, revision) {
      if (maxEntries === 0) return
      // A copy of its own: the text may be a view of a whole request head, which would stay in memory with it.
      const copy = Buffer.from(token, 'latin1').toString('latin1')
      const index = copy.slice(-indexCharacters)
      if (!entries.has(index) && entries.size >= maxEntries) makeRoom()
      entries.set(index, { token: copy, verified, expiresAtMs, revision, used: false })
    },
    get size() {
      return entries.size
    },
  }
}
