import type { Clock } from '@sallyport/core'

/** Failures that lock, and for how long after the last of them: the defaults of the server that the original's administration runs on. */
const maxFailures = 5
const lockMs = 300_000

/** Counters that are kept; the oldest one goes first. Names are 1 KiB at most, so a million bytes. */
const maxCounters = 1_000

/** Counts failed log-ons by whatever the caller takes for one party, such as a user and the address that it comes from. */
export interface LogOnLock {
  /** While it is, passwords are not even looked at, and attempts do not make it longer. */
  isLocked(party: string): boolean
  failed(party: string): void
  succeeded(party: string): void
}

/** In memory: a restart unlocks. */
export function createLogOnLock(clock: Clock): LogOnLock {
  const counters = new Map<string, { readonly failures: number; readonly untilMs: number }>()
  const failuresOf = (party: string): number => {
    const counter = counters.get(party)
    return counter === undefined || counter.untilMs <= clock.now() ? 0 : counter.failures
  }
  return {
    isLocked: (party) => failuresOf(party) >= maxFailures,
    failed(party) {
      const failures = failuresOf(party) + 1
      counters.delete(party)
      const oldest = counters.size < maxCounters ? undefined : counters.keys().next().value
      if (oldest !== undefined) counters.delete(oldest)
      counters.set(party, { failures, untilMs: clock.now() + lockMs })
    },
    succeeded: (party) => void counters.delete(party),
  }
}
