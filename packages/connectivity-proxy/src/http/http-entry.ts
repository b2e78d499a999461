import type { BodyScannerOptions } from '@sallyport/http-head'
import type { ProxyLimits } from '../limits.ts'
import type { ReportContext } from '../request-report.ts'
import type { Tunnels } from '../tunnels.ts'
import type { CallerPolicy } from './caller.ts'

/** What all connections of the HTTP listener share. */
export interface HttpEntry extends ReportContext {
  readonly tunnels: Tunnels
  readonly policy: CallerPolicy
  /** A request for another target or principal opens a new logical connection instead of being refused. */
  readonly lenient: boolean
  readonly limits: ProxyLimits
  readonly requestScanner: BodyScannerOptions
  readonly answerScanner: BodyScannerOptions
  readonly onRequest: () => void
  readonly onTunnelTimeout: (tunnelId: string) => void
}
