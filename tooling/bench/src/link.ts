/** A wide-area link in user space between the two ends of a tunnel. All connections of a direction share rate and queue. */
export interface Link {
  readonly oneWayMs: number
  readonly kilobytesPerSecond: number
  readonly queueMs: number
}
