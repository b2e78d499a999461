import type { AccessDecision, VirtualAddress } from '../access-control/access-decision.ts'
import type { ConnectorState } from '../connector-state.ts'
import { maxAdmittedShown } from '../limits.ts'
import type { LinkContext } from '../link-context.ts'
import { shownText, systemText } from './refusals.ts'

/** What is being decided, for the records about it. */
export interface AccessSubject {
  readonly address: VirtualAddress
  /** `undefined` for TCP. */
  readonly path: string | undefined
  readonly correlationId: string
  /** The state that decides, and says what is audited: a reload meanwhile changes neither for this request. */
  readonly state: Pick<ConnectorState, 'auditLevel'>
}

/** Emits a decision, when somebody listens. */
export function emitDecision(context: LinkContext, subject: AccessSubject, decision: AccessDecision): void {
  if (!context.events.wanted) return
  const { mapping } = decision
  const resource = decision.allowed ? decision.resource : undefined
  context.events.emit({
    type: 'access-decided',
    ...eventTarget(context, subject),
    allowed: decision.allowed,
    path: subject.path,
    internalAddress: mapping?.internalText,
    resource: resource?.path,
    exactMatchOnly: resource?.exactMatchOnly,
    reason: decision.allowed ? 'admitted' : decision.reason,
    admitted:
      mapping?.index.enabled
        .slice(0, maxAdmittedShown)
        .map((entry) => `${entry.path} (${entry.exactMatchOnly ? 'exact' : 'path and sub-paths'})`) ?? [],
  })
}

/** What every event about a request names. */
export function eventTarget(
  context: LinkContext,
  { address, correlationId }: Pick<AccessSubject, 'address' | 'correlationId'>,
): {
  readonly atMs: number
  readonly correlationId: string
  readonly subaccount: string
  readonly locationId: string
  readonly virtualHost: string
  readonly virtualPort: number
} {
  return {
    atMs: context.clock.now(),
    correlationId,
    subaccount: context.subaccount,
    locationId: context.locationId,
    virtualHost: address.host,
    virtualPort: address.port,
  }
}

/** Writes a refusal into the audit log, unless it is off. */
export function auditDenied(context: LinkContext, subject: AccessSubject, user: string, reason: string): void {
  if (subject.state.auditLevel === 'OFF') return
  writeEntry(context, subject, user, 'access-denied', `Access denied to ${what(subject)}: ${reason}`)
}

/** Writes what was allowed into the audit log, at level ALL. */
export function auditAllowed(context: LinkContext, subject: AccessSubject, user: string): void {
  if (subject.state.auditLevel !== 'ALL') return
  writeEntry(context, subject, user, 'access-allowed', `Access allowed to ${what(subject)}`)
}

function what({ address, path }: AccessSubject): string {
  return path === undefined ? `system ${systemText(address)}` : `resource ${shownText(path)} on system ${systemText(address)}`
}

function writeEntry(
  context: LinkContext,
  subject: AccessSubject,
  user: string,
  type: 'access-allowed' | 'access-denied',
  message: string,
): void {
  context.audit.write({ type, subaccount: context.subaccount, user: shownText(user), message, correlationId: subject.correlationId })
}
