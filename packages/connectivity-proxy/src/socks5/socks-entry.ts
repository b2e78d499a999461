import type { Tenancy, TokenGate } from '../admission.ts'
import type { ProxyLimits } from '../limits.ts'
import type { ReportContext } from '../request-report.ts'
import type { Tunnels } from '../tunnels.ts'

/** What all connections of the SOCKS5 listener share. */
export interface SocksEntry extends ReportContext {
  readonly tunnels: Tunnels
  /** A token of an allowed client is demanded; otherwise one is only needed, and only read, to tell the tenant of a shared proxy. */
  readonly authorization: boolean
  readonly tenancy: Tenancy
  readonly gate: TokenGate
  readonly limits: ProxyLimits
  readonly onTunnelTimeout: (tunnelId: string) => void
}
