import type { AuditSink, Clock, EventSink, Logger } from '@sallyport/core'
import type { ConnectorState } from './connector-state.ts'
import type { Deadlines, Waiting } from './deadlines.ts'
import type { BackendMonitor } from './monitoring/backend-monitor.ts'
import type { LinkTraces } from './trace/connector-traces.ts'

/** What the streams of one subaccount and location share. */
export interface LinkContext {
  readonly subaccount: string
  readonly locationId: string
  /** The state that decides about the next request. */
  readonly state: () => ConnectorState
  /** No new work: connections end after the request that is under way. */
  readonly draining: () => boolean
  readonly audit: AuditSink
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly events: EventSink
  readonly log: Logger
  readonly monitor: BackendMonitor
  /** What is traced of a stream that begins now. */
  readonly traces: () => LinkTraces
}

/** A stream that is being served. */
export interface ServedStream extends Waiting {
  /** Ends it as soon as nothing is under way. */
  drain(): void
  /** Gives it up at once. */
  abort(): void
}
