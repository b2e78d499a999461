import { ConnectivityError } from '@sallyport/core'
import { decideHttpAccess, type VirtualAddress } from '../access-control/access-decision.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import type { LinkContext } from '../link-context.ts'
import { auditAllowed, auditDenied, emitDecision } from './access-record.ts'
import { httpTargetOf } from './backend-target.ts'
import type { Exchange } from './exchange.ts'
import { type PreparedPrincipal, preparePrincipal } from './prepare-principal.ts'
import { auditRefusal, messageRefusal, type Refusal, resourceRefusal, systemRefusal } from './refusals.ts'
import { explainRequest } from './request-transformation.ts'
import type { RequestInput } from './request-input.ts'
import { soapPath } from './soap-function.ts'
import { createSoapGate, type SoapGate } from './soap-gate.ts'

/** What admission works with, and what becomes of a request. */
export interface AdmissionDeps {
  readonly context: LinkContext
  readonly address: VirtualAddress
  readonly input: RequestInput
  /** Writes to the application, ahead of the answer. */
  readonly answer: (bytes: Buffer) => void
  /** Whether the request still waits; the application may have gone meanwhile. */
  readonly isOpen: (current: Exchange) => boolean
  /** Its route, its user and what is added for the backend are known, and the audit log knows of it. */
  readonly onAdmitted: (current: Exchange) => void
  readonly onRefused: (current: Exchange, refusal: Refusal) => void
  /** Something of our own broke. */
  readonly onFailed: (current: Exchange, error: unknown) => void
}

/** Decides requests before anything of them leaves: their form, access, the function that they call, their principal. */
export interface Admission {
  /** Takes the body of a request while its function is not decided. */
  readonly gate: SoapGate
  decide(current: Exchange): void
  /** Prepares the principal of an admitted request once more, which is about to be sent again. */
  renew(current: Exchange): void
  /** Refuses for a reason that belongs into the audit log. The entry is written also when the application has gone meanwhile. */
  deny(current: Exchange, refusal: Refusal, reason: string, user?: string): void
}

/** Makes the admission of one stream. */
export function createAdmission(deps: AdmissionDeps): Admission {
  const { address, answer, context, input, isOpen, onAdmitted, onFailed, onRefused } = deps
  const gate = createSoapGate({ address, input, answer, onAllowed: prepare, onDenied: deny })

  function decide(current: Exchange): void {
    const invalid = explainRequest(current.head)
    if (invalid !== undefined) return onRefused(current, messageRefusal({ status: 400, reason: invalid }))
    if (context.audit.failing) return onRefused(current, auditRefusal)
    const decision = decideHttpAccess(current.state.table, address, current.path, current.upgradeAsked)
    emitDecision(context, current, decision)
    if (!decision.allowed) {
      return deny(current, decision.kind === 'system' ? systemRefusal(address) : resourceRefusal(current.path, address), decision.reason)
    }
    const { mapping, resource } = decision
    current.route = { mapping, resource, target: httpTargetOf(mapping, address, current.state.tls) }
    if (mapping.soapFunctions !== undefined && current.path === soapPath) return gate.begin(current, mapping)
    prepare(current, mapping)
  }

  function prepare(current: Exchange, mapping: SystemMapping, again = false): void {
    const prepared = preparePrincipal(context, current, mapping)
    if (!(prepared instanceof Promise)) return conclude(current, prepared, again)
    prepared
      .then((late) => {
        if (isOpen(current)) conclude(current, late, again)
      })
      .catch((error: unknown) => {
        // Nobody is there any more to be told.
        if (!ConnectivityError.is(error, 'ABORTED')) onFailed(current, error)
      })
  }

  function renew(current: Exchange): void {
    if (current.route !== undefined) prepare(current, current.route.mapping, true)
  }

  function conclude(current: Exchange, prepared: PreparedPrincipal, again: boolean): void {
    if (prepared.kind === 'refused') return deny(current, prepared.refusal, prepared.refusal.text, prepared.user)
    current.user = prepared.user
    current.added = prepared.headers
    if (!again) auditAllowed(context, current, current.user)
    onAdmitted(current)
  }

  function deny(current: Exchange, refusal: Refusal, reason: string, user?: string): void {
    // It was no call of the backend, and does not count as one.
    current.route = undefined
    if (user !== undefined || current.principal === null || current.state.auditLevel === 'OFF') {
      auditDenied(context, current, user ?? '', reason)
      return onRefused(current, refusal)
    }
    current.state.principals
      .identify(current.principal)
      .then((name) => {
        auditDenied(context, current, name, reason)
        if (isOpen(current)) onRefused(current, refusal)
      })
      .catch((error: unknown) => onFailed(current, error))
  }

  return { gate, decide, deny, renew }
}
