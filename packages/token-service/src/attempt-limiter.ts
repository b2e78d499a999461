import type { Clock } from '@sallyport/core'
import { maxFailureCounters } from './limits.ts'

/** Counts failed log-ons by user or address, in memory and bounded. */
export interface AttemptLimiter {
  /** Seconds until another attempt is read; 0 when it may be made now. */
  retryAfterSeconds(key: string): number
  failed(key: string): void
  succeeded(key: string): void
}

/**
 * Refuses attempts after `maxFailures` within `windowMs`, counted from the first. The window is fixed: somebody who keeps trying cannot lock a user out
 * for longer than it.
 */
export function createAttemptLimiter(options: {
  readonly clock: Clock
  readonly maxFailures: number
  readonly windowMs: number
}): AttemptLimiter {
  const { clock, maxFailures, windowMs } = options
  const counters = new Map<string, { failures: number; readonly startedMs: number }>()
  const current = (key: string): { failures: number; readonly startedMs: number } | undefined => {
    const counter = counters.get(key)
    if (counter === undefined || clock.now() < counter.startedMs + windowMs) return counter
    counters.delete(key)
    return undefined
  }
  return {
    retryAfterSeconds(key) {
      const counter = current(key)
      if (counter === undefined || counter.failures < maxFailures) return 0
      return Math.max(1, Math.ceil((counter.startedMs + windowMs - clock.now()) / 1000))
    },
    failed(key) {
      const counter = current(key)
      if (counter !== undefined) {
        counter.failures++
        return
      }
      // Insertion order is age: the first one is the oldest.
      const oldest = counters.size < maxFailureCounters ? undefined : counters.keys().next().value
      if (oldest !== undefined) counters.delete(oldest)
      counters.set(key, { failures: 1, startedMs: clock.now() })
    },
    succeeded(key) {
      counters.delete(key)
    },
  }
}
