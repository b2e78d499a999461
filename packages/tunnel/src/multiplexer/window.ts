import { initialWindowBytes } from '../limits.ts'

/** Round trips below this are those of one machine or one data centre. */
const shortPathMs = 2
/** Handing a window to the event loops at both ends takes about this long, however short the path is. */
const turnAroundMs = 1
/** On a short path a window may grow to the eighth part of what the reader has taken. */
const shortPathShare = 8
/** A reader that took nothing for so long has stopped; what it wants when it comes back is unknown. */
const stalledAfterMs = 100

/**
 * The receive window after a grant: doubled while the reader uses half of it up within one round trip, because then the
 * sender waits for credit and not the other way round. So the window becomes bandwidth times delay and not more.
 *
 * On a short path a reader that has stopped looks like a fast one until the buffers of its socket (2 to 4 MB) are full;
 * there the window additionally has to be earned by what was really taken. Else everything that such a reader has been
 * granted would end up in our memory.
 */
export function grownWindow(now: {
  readonly windowBytes: number
  readonly maxWindowBytes: number
  readonly elapsedMs: number
  /** `undefined` before the first measurement: no growth. */
  readonly roundTripMs: number | undefined
  readonly receivedBytes: number
}): number {
  if (now.roundTripMs === undefined || now.elapsedMs >= Math.max(now.roundTripMs, turnAroundMs)) return now.windowBytes
  const earned = now.roundTripMs >= shortPathMs || now.receivedBytes >= now.windowBytes * 2 * shortPathShare
  return earned ? Math.min(now.windowBytes * 2, now.maxWindowBytes) : now.windowBytes
}

/** The receive window after a pause: a long one takes back all growth. */
export function resumedWindow(windowBytes: number, pausedMs: number): number {
  return pausedMs >= stalledAfterMs ? Math.min(windowBytes, initialWindowBytes) : windowBytes
}
