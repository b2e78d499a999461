import { usageHours } from '../limits.ts'

const hourMs = 3_600_000

/** Bytes from the cloud and to it, and calls, within one hour. */
export interface UsageHour {
  /** Hours since 1970. */
  readonly hour: number
  readonly calls: number
  readonly bytesReceived: number
  readonly bytesSent: number
}

/** What has been counted, as plain data. */
export interface UsageCount {
  readonly calls: number
  readonly bytesReceived: number
  readonly bytesSent: number
  readonly mostRecentAccessMs: number | undefined
  /** Of the last 24 hours, those in which there was something; oldest first. */
  readonly hours: readonly UsageHour[]
}

/** Counts the use of a virtual host or of a resource. */
export interface UsageCounter {
  add(nowMs: number, calls: number, bytesReceived: number, bytesSent: number): void
  count(nowMs: number): UsageCount
}

/** What has never been used. */
export const unused: UsageCount = { calls: 0, bytesReceived: 0, bytesSent: 0, mostRecentAccessMs: undefined, hours: [] }

/** Goes on from what was counted before. */
export function createUsageCounter(before: UsageCount = unused): UsageCounter {
  let { bytesReceived, bytesSent, calls, mostRecentAccessMs } = before
  const hours: { hour: number; calls: number; bytesReceived: number; bytesSent: number }[] = before.hours.map((hour) => ({ ...hour }))
  let current = hours.at(-1)
  return {
    add(nowMs, moreCalls, received, sent) {
      calls += moreCalls
      bytesReceived += received
      bytesSent += sent
      mostRecentAccessMs = nowMs
      const hour = Math.floor(nowMs / hourMs)
      // A clock that was set back goes on in the hour that was reached.
      if (current === undefined || hour > current.hour) {
        current = { hour, calls: 0, bytesReceived: 0, bytesSent: 0 }
        hours.push(current)
        if (hours.length > usageHours) hours.shift()
      }
      current.calls += moreCalls
      current.bytesReceived += received
      current.bytesSent += sent
    },
    count(nowMs) {
      const first = Math.floor(nowMs / hourMs) - usageHours
      return {
        calls,
        bytesReceived,
        bytesSent,
        mostRecentAccessMs,
        hours: hours.filter(({ hour }) => hour > first).map((hour) => ({ ...hour })),
      }
    },
  }
}
