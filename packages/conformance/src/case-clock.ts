import type { Clock } from '@sallyport/core'

/** Time that a case moves by hand. */
export interface CaseClock extends Clock {
  advance(milliseconds: number): void
}

/** A clock that stands still until the case moves it. */
export function createCaseClock(): CaseClock {
  let now = Date.UTC(2030, 0, 1)
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>()
  return {
    now: () => now,
    elapsed: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance(milliseconds) {
      now += milliseconds
      for (const timer of [...timers].toSorted((a, b) => a.at - b.at)) {
        if (timer.at > now || !timers.delete(timer)) continue
        timer.callback()
      }
    },
  }
}
