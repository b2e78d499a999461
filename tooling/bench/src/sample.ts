/** One measurement of one contender. */
export interface Sample {
  readonly value: number
  /** What else the measurement says, for the record: percentiles, errors, parts of a sum. */
  readonly details: Readonly<Record<string, number>>
  /** Microseconds of CPU of each end, for `operations` operations or megabytes. */
  readonly cpu?: { readonly cloud: number; readonly connector: number; readonly operations: number }
}
