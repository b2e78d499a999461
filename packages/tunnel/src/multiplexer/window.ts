import { initialWindowBytes } from '../limits.ts'

/** Round trips below this are those of one machine or one rack. There half of the first window is enough for 60 MB/s. */
const tinyPathMs = 2
/** Round trips below this are those of one data centre or one town. */
const shortPathMs = 10
/** Handing a window to the event loops at both ends takes about this long, however short the path is. */
const turnAroundMs = 1
/** On a short path a window may grow to this part of what the reader has taken. */
const shortPathShare = 16
/** A reader that took nothing for so long, or for two round trips, has stopped: half of its window may be too much when it comes back. */
const stalledAfterMs = 100
/** Credit is given back in parts of the window: with halves, a burst just below one half waits for the next, and half of the window lies idle. */
const grantShare = 4

/** Whether enough has been taken of what the peer may send to tell it so. */
export function isGrantDue(windowBytes: number, allowanceBytes: number): boolean {
  return windowBytes - allowanceBytes >= windowBytes / grantShare
}

/** What the receive window is before anything is known of the reader: what the peer was granted with the stream, or less. */
export function firstWindow(roundTripMs: number): number {
  return roundTripMs < tinyPathMs ? initialWindowBytes / 2 : initialWindowBytes
}

/** How long the reader has to be watched before {@link grownWindow} can judge; `undefined` while the round trip is unknown. */
export function watchMs(roundTripMs: number | undefined): number | undefined {
  return roundTripMs === undefined ? undefined : Math.max(roundTripMs, turnAroundMs)
}

/**
 * The receive window for the next round trip: doubled when the reader took more than half of it in the last, because then the
 * sender may have waited for credit and not the other way round. So the window becomes two to four times bandwidth and delay, and not more.
 *
 * On a short path a reader that has stopped looks like a fast one until the buffers of its socket (2 to 4 MB) are full;
 * there the window additionally has to be earned by what was really taken. Else everything that such a reader has been
 * granted would end up in our memory.
 */
export function grownWindow(watched: {
  readonly windowBytes: number
  readonly maxWindowBytes: number
  /** At least {@link watchMs}. */
  readonly elapsedMs: number
  readonly roundTripMs: number
  /** In that time, and since the stream was opened. */
  readonly takenBytes: number
  readonly receivedBytes: number
}): number {
  const { windowBytes, roundTripMs } = watched
  const perRoundTrip = (watched.takenBytes * Math.max(roundTripMs, turnAroundMs)) / watched.elapsedMs
  if (perRoundTrip <= windowBytes / 2) return windowBytes
  const earned = roundTripMs >= shortPathMs || watched.receivedBytes >= windowBytes * 2 * shortPathShare
  return earned ? Math.min(windowBytes * 2, watched.maxWindowBytes) : windowBytes
}

/** The receive window after a pause: each stretch in which the reader took nothing takes back one doubling. */
export function resumedWindow(windowBytes: number, pausedMs: number, roundTripMs: number | undefined): number {
  const stretches = Math.floor(pausedMs / Math.max(stalledAfterMs, 2 * (roundTripMs ?? 0)))
  return Math.max(windowBytes / 2 ** stretches, Math.min(windowBytes, firstWindow(roundTripMs ?? Infinity)))
}
