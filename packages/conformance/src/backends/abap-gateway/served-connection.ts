import type { Duplex } from 'node:stream'
import { isRefused, type Refused } from '@sallyport/rfc-wire'
import type { NiConnection } from './ni-connection.ts'
import type { AbapFunction } from './abap-function.ts'
import type { AbapGatewayOptions, AbapUser } from './abap-gateway.ts'
import type { Dictionary } from './dictionary.ts'
import type { GatewayLog } from './gateway-seen.ts'

/** What one connection to the fixture has. */
export interface ServedConnection {
  readonly ni: NiConnection
  readonly socket: Duplex
  /** Counts from 1. */
  readonly connection: number
  readonly users: readonly AbapUser[]
  readonly functions: ReadonlyMap<string, AbapFunction>
  readonly dictionary: Dictionary
  readonly options: AbapGatewayOptions
  readonly seen: GatewayLog
}

/** A fixture is strict: what breaks the format ends the connection. */
export function must<T>(result: T | Refused): T {
  if (isRefused(result)) throw new Error(result.refused)
  return result
}
