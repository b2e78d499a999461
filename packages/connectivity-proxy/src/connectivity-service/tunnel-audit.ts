import type { AuditEntry, AuditSink, Clock, Logger } from '@sallyport/core'
import { createRefusalAudit } from '../refusal-audit.ts'

/** The facts about a tunnel that was opened or refused, under the names that the original documents. */
interface TunnelFacts {
  readonly action: string
  readonly message: string
  readonly tunnelId: string
  readonly objectName: string
  /** Identity of the connector. */
  readonly clientId: string
  readonly loggedByClass: string
  /** `success`, or why not. */
  readonly handshakeDetails: string
}

/** The audit sink of tunnels. */
interface TunnelAudit extends AuditSink {
  /** Writes the counts of repeated refusals. */
  flushRefusals(): void
}

/**
 * A sink that gives entries about tunnels the documented form before they go on: the facts as JSON in the message, and a user even where none is known.
 * Repeated refusals become counts, see {@link createRefusalAudit}. Entries of other types pass as they are.
 */
export function createTunnelAudit(options: { readonly audit: AuditSink; readonly clock: Clock; readonly log: Logger }): TunnelAudit {
  const { audit } = options
  const inDocumentedForm: AuditSink = {
    get failing() {
      return audit.failing
    },
    write: (entry) => audit.write(isAboutTunnel(entry) ? documented(entry) : entry),
    flushed: () => audit.flushed(),
  }
  const refusals = createRefusalAudit({ ...options, audit: inDocumentedForm })
  return {
    get failing() {
      return audit.failing
    },
    write(entry) {
      if (entry.type === 'tunnel-refused') refusals.write(entry, `${entry.user} ${entry.message}`)
      else inDocumentedForm.write(entry)
    },
    flushed: () => audit.flushed(),
    flushRefusals: () => refusals.flush(),
  }
}

/** The line that the original writes to standard output for an entry about a tunnel, `data` being JSON inside a string; `undefined` for other entries. */
export function formatTunnelAuditLine(entry: AuditEntry): string | undefined {
  if (!isAboutTunnel(entry)) return undefined
  return `[AUDIT-EVENT] ${JSON.stringify({ user: entry.user, data: entry.message, tenant: entry.subaccount })}`
}

function isAboutTunnel(entry: AuditEntry): boolean {
  return entry.type === 'tunnel-opened' || entry.type === 'tunnel-refused'
}

/** The tunnel server names the connector as user and puts tunnel id and reason behind the outcome; certificates carry no user. */
function documented(entry: AuditEntry): AuditEntry {
  const [, outcome = '', tunnelId = '', reason] =
    /^(tunnel handshake (?:success|failure)): (?:(account:\/\/\/.*?)(?:: |$))?(.*)$/s.exec(entry.message) ?? []
  const facts: TunnelFacts = {
    action: 'open connectivity tunnel',
    message: outcome,
    tunnelId,
    objectName: 'connectivity tunnel management',
    clientId: entry.user,
    loggedByClass: '@sallyport/connectivity-proxy',
    handshakeDetails: entry.type === 'tunnel-opened' ? 'success' : (reason ?? entry.message),
  }
  return { ...entry, user: 'fallback_for_missing_user', message: JSON.stringify(facts) }
}
