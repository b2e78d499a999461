import { maxCountedTunnels } from './limits.ts'

/** What happened since the start, for metrics and the cockpit. A snapshot. */
export interface ProxyCounters {
  readonly http: ListenerCounters & { readonly requests: number }
  readonly socks5: ListenerCounters
  /** By tunnel id: `connectivity_tunnel_opening_timeout_count_total`. */
  readonly tunnelOpeningTimeouts: ReadonlyMap<string, number>
}

/** Of one listener. */
export interface ListenerCounters {
  readonly accepted: number
  /** Closed at once, because a limit was reached. */
  readonly turnedAway: number
  readonly open: number
  /** Open and not yet admitted. */
  readonly pending: number
  /** By error code. */
  readonly refused: ReadonlyMap<string, number>
}

/** Counts by name up to a bound of names; the rest together as `other`. */
export interface NamedCounter {
  add(name: string): void
  readonly counts: ReadonlyMap<string, number>
}

/** An empty counter. */
export function createNamedCounter(): NamedCounter {
  const counts = new Map<string, number>()
  return {
    counts,
    add(name) {
      const key = counts.has(name) || counts.size < maxCountedTunnels ? name : 'other'
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
  }
}
