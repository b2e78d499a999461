import type { Clock } from '@sallyport/core'

/** Timers count in 31 bits of milliseconds, 24.8 days; certificates live longer. */
const longestMs = 86_400_000

/** Calls back at a point in time, however far away; the returned function cancels. */
export function atTime(clock: Clock, atMs: number, callback: () => void): () => void {
  let cancel: () => void
  const arm = (): void => {
    const leftMs = atMs - clock.now()
    cancel = leftMs <= longestMs ? clock.after(Math.max(0, leftMs), callback) : clock.after(longestMs, arm)
  }
  arm()
  return () => cancel()
}
