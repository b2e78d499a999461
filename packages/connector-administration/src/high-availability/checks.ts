import type { Clock } from '@sallyport/core'

/** The check that is due next; there is one at a time. */
export interface Checks {
  /** Looks in `afterMs`, and not when it was to be before. */
  in(afterMs: number): void
  /** Looks no more until asked again. */
  pause(): void
  /** Looks never again. */
  end(): void
}

/** Makes checks; none is due yet. */
export function createChecks(clock: Clock, look: () => void): Checks {
  let cancel: (() => void) | undefined
  let ended = false
  return {
    in(afterMs) {
      cancel?.()
      if (!ended) cancel = clock.after(afterMs, look)
    },
    pause: () => cancel?.(),
    end() {
      ended = true
      cancel?.()
    },
  }
}
