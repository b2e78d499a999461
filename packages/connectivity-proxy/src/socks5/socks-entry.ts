import type { Clock, EventSink, Logger } from '@sallyport/core'
import type { Tenancy, TokenGate } from '../admission.ts'
import type { ProxyLimits } from '../limits.ts'
import type { Tunnels } from '../tunnels.ts'

/** What all connections of the SOCKS5 listener share. */
export interface SocksEntry {
  readonly tunnels: Tunnels
  /** A token of an allowed client is demanded; otherwise one is only needed, and only read, to tell the tenant of a shared proxy. */
  readonly authorization: boolean
  readonly tenancy: Tenancy
  readonly gate: TokenGate
  readonly limits: ProxyLimits
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventSink
  readonly onRefused: (code: string) => void
  readonly onTunnelTimeout: (tunnelId: string) => void
}
