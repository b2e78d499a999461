/** One call of an application, as the performance monitor shows it. */
export interface RequestRecord {
  readonly atMs: number
  readonly protocol: string
  /** `host:port` */
  readonly virtual: string
  readonly internal: string
  /** Path without query, or name of the function; as the caller has sent it. */
  readonly resource: string
  /** Empty when nobody had to know it. */
  readonly user: string
  /** From the cloud, and to the cloud. */
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Of HTTP: what the caller has read. */
  readonly status: number | undefined
  readonly reason: string
  readonly times: RequestTimes
}

/** Where the time of a call has gone, in milliseconds; the parts add up to `totalMs`. */
export interface RequestTimes extends MeasuredTimes {
  /** What is in none of the others. */
  readonly internalMs: number
}

/** What has been measured of a call, by clocks that may step back. */
export interface MeasuredTimes {
  readonly totalMs: number
  /** Opening the backend connection; 0 when there was one. */
  readonly openMs: number
  /** Validating the principal's token, and making a certificate for it. */
  readonly validateMs: number
  readonly generateMs: number
  /** Waiting for the cloud side: for the rest of the request, or until it took more of the answer. */
  readonly latencyMs: number
  /** The backend had the request, and its answer was not complete. */
  readonly externalMs: number
}

/** Splits the total, so that no part is negative and the parts add up. */
export function splitDuration(measured: MeasuredTimes): RequestTimes {
  const totalMs = Math.max(0, measured.totalMs)
  const openMs = within(measured.openMs, totalMs)
  let left = totalMs - openMs
  const validateMs = within(measured.validateMs, left)
  left -= validateMs
  const generateMs = within(measured.generateMs, left)
  left -= generateMs
  const latencyMs = within(measured.latencyMs, left)
  left -= latencyMs
  const externalMs = within(measured.externalMs, left)
  return { totalMs, openMs, validateMs, generateMs, latencyMs, externalMs, internalMs: left - externalMs }
}

function within(ms: number, left: number): number {
  return Math.min(Math.max(0, ms), left)
}
