import type { JcoProperties } from './jco-properties.ts'
import { maxMilliseconds } from './property-values.ts'

/** How many connections a client keeps and opens: the pool properties of JCo. */
export interface RfcPoolSettings {
  /** Idle connections that are kept; 0 closes each after its use. */
  readonly capacity: number
  /** Connections at the same time; 0 is no limit. */
  readonly peakLimit: number
  /** Wait for a connection at the limit. */
  readonly maxWaitMs: number
  /** Age at which an idle connection may be closed. */
  readonly expirationMs: number
  /** Time between two looks at the idle connections. */
  readonly expirationCheckMs: number
  /** Whether an idle connection proves that it lives before it is used again. */
  readonly checkConnection: boolean
}

const property = 'jco.destination.'
/** More than any system has work processes; a typing error of some digits is found. */
const maxConnections = 100_000

/** Reads `jco.destination.pool_capacity` and its relatives. */
export function parseRfcPoolSettings(jco: JcoProperties): RfcPoolSettings {
  const isCapacitySet = jco.has(`${property}pool_capacity`)
  const capacity = jco.whole(`${property}pool_capacity`, 1, maxConnections)
  // Whoever has not thought about the pool is not slowed down by it.
  const peakLimit = jco.whole(`${property}peak_limit`, isCapacitySet ? capacity : 0, maxConnections)
  return {
    capacity,
    peakLimit: peakLimit === 0 ? 0 : Math.max(peakLimit, capacity),
    maxWaitMs: jco.whole(`${property}max_get_client_time`, 30_000, maxMilliseconds),
    expirationMs: jco.whole(`${property}expiration_time`, 60_000, maxMilliseconds),
    expirationCheckMs: jco.whole(`${property}expiration_check_period`, 60_000, maxMilliseconds, 1),
    checkConnection: jco.flag(`${property}pool_check_connection`, false),
  }
}
