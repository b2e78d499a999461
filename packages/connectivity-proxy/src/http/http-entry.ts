import type { Clock, EventSink, Logger } from '@sallyport/core'
import type { ProxyLimits } from '../limits.ts'
import type { Tunnels } from '../tunnels.ts'
import type { CallerPolicy } from './caller.ts'

/** What all connections of the HTTP listener share. */
export interface HttpEntry {
  readonly tunnels: Tunnels
  readonly policy: CallerPolicy
  /** A request for another target or principal opens a new logical connection instead of being refused. */
  readonly lenient: boolean
  readonly limits: ProxyLimits
  readonly clock: Clock
  readonly log: Logger
  readonly events: EventSink
  readonly onRequest: () => void
  readonly onRefused: (code: string) => void
  readonly onTunnelTimeout: (tunnelId: string) => void
}
