/** Upper bounds in milliseconds of all buckets but the last, which is open: the original's performance overview. */
export const bucketBoundsMs: readonly number[] = [
  10, 20, 30, 40, 50, 75, 100, 125, 150, 200, 300, 400, 500, 750, 1000, 1250, 1500, 2000, 2500, 3000, 4000, 5000,
]

/** Index of the first bucket whose bound is not below the duration. */
export function bucketOf(durationMs: number): number {
  // Nearly all calls are in the first few; a search would not be faster.
  let at = 0
  while (at < bucketBoundsMs.length && durationMs > (bucketBoundsMs[at] as number)) at++
  return at
}

/** Buckets as the monitoring API shows them, each named by its lower bound. */
export function renderBuckets(
  counts: readonly number[],
): readonly { readonly numberOfCalls: number; readonly minimumCallDurationMs: number }[] {
  return [0, ...bucketBoundsMs].map((minimumCallDurationMs, at) => ({ numberOfCalls: counts[at] ?? 0, minimumCallDurationMs }))
}
