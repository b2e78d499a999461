import type { Clock } from '@sallyport/core'

/** A clock that stands still until the test moves it. */
export interface ManualClock extends Clock {
  /** Moves time on and runs what became due, in order. */
  advance(milliseconds: number): void
  set(epochMs: number): void
  /** Somebody sets the time of day: no time passes, and nothing becomes due. */
  shift(milliseconds: number): void
}

export function createManualClock(startMs: number = Date.UTC(2030, 0, 1)): ManualClock {
  let elapsed = 0
  let epochMs = startMs
  let timers: { readonly at: number; readonly callback: () => void }[] = []
  const runDue = (): void => {
    for (;;) {
      const due = timers.filter((timer) => timer.at <= elapsed).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) return
      timers = timers.filter((timer) => timer !== due)
      due.callback()
    }
  }
  return {
    now: () => epochMs + elapsed,
    elapsed: () => elapsed,
    after(delayMs, callback) {
      const timer = { at: elapsed + delayMs, callback }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    advance(milliseconds) {
      elapsed += milliseconds
      runDue()
    },
    set(toMs) {
      elapsed = toMs - epochMs
      runDue()
    },
    shift(milliseconds) {
      epochMs += milliseconds
    },
  }
}
