import type { Clock } from '@sallyport/core'
import { attemptWindowMs, maxAttemptsInTotal, maxAttemptsPerSource } from './limits.ts'

/** Counts attempts per minute, for each source and for all together. */
export interface AttemptLimiter {
  /** Counts one attempt; `false`: too many, refuse it. */
  admit(source: string): boolean
}

/** Counts are dropped every minute, so the number of sources remembered is bounded by the attempts admitted in total. */
export function createAttemptLimiter(clock: Clock): AttemptLimiter {
  let windowEndsAtMs = 0
  let total = 0
  const bySource = new Map<string, number>()
  return {
    admit(source) {
      if (clock.elapsed() >= windowEndsAtMs) {
        windowEndsAtMs = clock.elapsed() + attemptWindowMs
        total = 0
        bySource.clear()
      }
      const count = bySource.get(source) ?? 0
      if (total >= maxAttemptsInTotal || count >= maxAttemptsPerSource) return false
      total += 1
      bySource.set(source, count + 1)
      return true
    },
  }
}
