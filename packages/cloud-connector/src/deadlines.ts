import type { Clock } from '@sallyport/core'
import { deadlineResolutionMs } from './limits.ts'

/** Something that waits and is asked from time to time whether it has waited too long. Told the time as `Clock.elapsed` has it. */
export interface Waiting {
  check(elapsedMs: number): void
}

/** One timer for all streams: a timer per request would cost more than the decision. */
export interface Deadlines {
  add(waiting: Waiting): void
  remove(waiting: Waiting): void
  stop(): void
}

/** The timer runs only while somebody waits. */
export function createDeadlines(clock: Clock): Deadlines {
  const all = new Set<Waiting>()
  let cancel: (() => void) | undefined
  const sweep = (): void => {
    const elapsedMs = clock.elapsed()
    for (const waiting of all) waiting.check(elapsedMs)
    cancel = all.size === 0 ? undefined : clock.after(deadlineResolutionMs, sweep)
  }
  return {
    add(waiting) {
      all.add(waiting)
      cancel ??= clock.after(deadlineResolutionMs, sweep)
    },
    remove(waiting) {
      all.delete(waiting)
    },
    stop() {
      cancel?.()
      all.clear()
    },
  }
}
