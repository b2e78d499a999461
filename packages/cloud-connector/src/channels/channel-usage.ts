import { usageHours } from '../limits.ts'

/** Bytes of one hour or of all. */
interface ChannelBytes {
  readonly bytesToCloud: number
  readonly bytesFromCloud: number
}

/** How much a local port is used since the process was started. */
export interface ChannelUsage extends ChannelBytes {
  /** Clients that were joined to a service. */
  readonly clients: number
  /** Clients that were not: too many at a time, or the cloud side said no. */
  readonly turnedAway: number
  readonly refused: number
  /** The last {@link usageHours} hours with traffic, oldest first. */
  readonly hours: readonly (ChannelBytes & { readonly startMs: number })[]
}

/** Counts. Nothing of it is kept over a restart. */
export interface ChannelCounter {
  add(nowMs: number, bytesToCloud: number, bytesFromCloud: number): void
  count(what: 'clients' | 'turnedAway' | 'refused'): void
  usage(nowMs: number): ChannelUsage
}

const hourMs = 3_600_000

/** Starts at nothing. */
export function createChannelCounter(): ChannelCounter {
  const counts = { clients: 0, turnedAway: 0, refused: 0 }
  const total = { bytesToCloud: 0, bytesFromCloud: 0 }
  let hours: { readonly startMs: number; bytesToCloud: number; bytesFromCloud: number }[] = []
  const recent = (nowMs: number): typeof hours => hours.filter(({ startMs }) => startMs > nowMs - usageHours * hourMs)
  return {
    add(nowMs, bytesToCloud, bytesFromCloud) {
      if (bytesToCloud === 0 && bytesFromCloud === 0) return
      total.bytesToCloud += bytesToCloud
      total.bytesFromCloud += bytesFromCloud
      const startMs = nowMs - (nowMs % hourMs)
      let hour = hours.at(-1)
      if (hour?.startMs !== startMs) {
        hour = { startMs, bytesToCloud: 0, bytesFromCloud: 0 }
        hours = [...recent(nowMs), hour]
      }
      hour.bytesToCloud += bytesToCloud
      hour.bytesFromCloud += bytesFromCloud
    },
    count(what) {
      counts[what]++
    },
    usage: (nowMs) => ({ ...counts, ...total, hours: recent(nowMs).map((hour) => ({ ...hour })) }),
  }
}
