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
 * The index is a number made of a few characters, because hashing a kilobyte for each request would cost more than all the rest. Only verified tokens come
 * in, so nobody can crowd out others' entries with made-up ones; of two with the same index (one pair in a hundred full caches) the later one stays.
 */
export function createVerdictCache(maxEntries: number): VerdictCache {
  const entries = new Map<number, Entry>()
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
      const index = indexOf(token)
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
      const index = indexOf(copy)
      if (!entries.has(index) && entries.size >= maxEntries) makeRoom()
      entries.set(index, { token: copy, verified, expiresAtMs, revision, used: false })
    },
    get size() {
      return entries.size
    },
  }
}

/** Twelve characters near the end belong to the signature and are as good as random; the very last ones hold fewer bits. */
function indexOf(token: string): number {
  let index = 0
  for (let offset = token.length - 14; offset < token.length - 2; offset++) index = (Math.imul(index, 31) + token.charCodeAt(offset)) | 0
  return index
}
