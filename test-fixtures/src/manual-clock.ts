import type { Clock } from '@sallyport/core'

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Moves time on and runs what became due, in order. */
  advance(milliseconds: number): void
  set(epochMs: number): void
}

export function createManualClock(startMs: number = Date.UTC(2030, 0, 1)): ManualClock {
  let now = startMs
  let timers: { readonly at: number; readonly callback: () => void }[] = []
  const runDue = (): void => {
    for (;;) {
      const due = timers.filter((timer) => timer.at <= now).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) return
      timers = timers.filter((timer) => timer !== due)
      due.callback()
    }
  }
  return {
    now: () => now,
    after(delayMs, callback) {
      const timer = { at: now + delayMs, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    advance(milliseconds) {
      now += milliseconds
      runDue()
    },
    set(epochMs) {
      now = epochMs
      runDue()
    },
  }
}
