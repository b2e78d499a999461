/** One security-relevant fact. Never holds a token; `user` is the propagated identity or the administrator. */
export interface AuditEntry {
  readonly type:
    | 'access-allowed'
    | 'access-denied'
    | 'access-simulated'
    | 'backup-created'
    | 'backup-restored'
    | 'certificate-expiring'
    | 'configuration-changed'
    | 'log-on-refused'
    | 'tunnel-opened'
    | 'tunnel-refused'
    | 'service-started'
    | 'service-stopped'
  readonly subaccount: string
  /** Category of a configuration change, e.g. `BackendMapping`; empty otherwise. */
  readonly category?: string
  readonly user: string
  readonly message: string
  readonly correlationId?: string
}

/**
 * Receives every decision; it may not drop. `write` returns when the entry is accepted into the chain; `flushed` settles when everything accepted so far is
 * on stable storage. A sink that cannot store any more makes `failing` true, and the callers deny from then on.
 */
export interface AuditSink {
  readonly failing: boolean
  write(entry: AuditEntry): void
  flushed(): Promise<void>
}
