import type { SystemMapping } from '../access-control/system-mapping.ts'
import type { LinkContext } from '../link-context.ts'
import type { PrincipalVerdict } from '../principal/principal-handling.ts'
import { eventTarget } from './access-record.ts'
import type { Exchange } from './exchange.ts'
import { principalUseOf } from './principal-use.ts'
import { certificateRefusal, type Refusal, tokenRefusal } from './refusals.ts'
import { type AddedHeaders, emptyUserCertificate, noUserCertificate } from './request-transformation.ts'

/** What a request says to the backend about its principal, or why it may not go on. */
export type PreparedPrincipal =
  | { readonly kind: 'ready'; readonly user: string; readonly headers: AddedHeaders }
  | { readonly kind: 'refused'; readonly user: string; readonly refusal: Refusal }

/** Why a principal gets no ticket. */
export const noTickets = 'no Kerberos service user is configured'

/**
 * Applies the mapping's principal type. A token on a mapping that propagates must be good: it is never treated as if it were not there. On a
 * mapping that does not propagate it is ignored; the audit log names its user all the same.
 *
 * Answers at once when nothing has to be verified or the certificate is known already.
 */
export function preparePrincipal(
  context: LinkContext,
  exchange: Exchange,
  mapping: SystemMapping,
): PreparedPrincipal | Promise<PreparedPrincipal> {
  const { principal, state } = exchange
  const use = principalUseOf(mapping.principalType, principal !== null)
  // There is no service user that could ask for tickets. Without them nobody is logged on, which is never the same as logging on nobody.
  if (principal !== null && use === 'ticket') {
    return state.principals.identify(principal).then((user) => {
      const verdict = { kind: 'not-issued', user, problem: noTickets } as const
      return conclude(context, exchange, verdict, false)
    })
  }
  if (principal === null || use !== 'certificate') {
    const headers = use === 'empty-header' ? emptyUserCertificate : noUserCertificate
    if (principal === null || state.auditLevel !== 'ALL') return { kind: 'ready', user: '', headers }
    return state.principals.identify(principal).then((user) => ({ kind: 'ready', user, headers }))
  }
  const known = state.principals.peek(principal)
  if (known !== undefined) return conclude(context, exchange, known, true)
  const { clock } = context
  const { timing } = exchange
  let fromMs = clock.now()
  const onValidated = (): void => {
    timing.validateMs += clock.now() - fromMs
    fromMs = clock.now()
  }
  return state.principals.issue(principal, onValidated).then((verdict) => {
    timing.generateMs += clock.now() - fromMs
    return conclude(context, exchange, verdict, false)
  })
}

function conclude(context: LinkContext, exchange: Exchange, verdict: PrincipalVerdict, cached: boolean): PreparedPrincipal {
  const { clock, events } = context
  if (verdict.kind === 'issued') {
    const { subject, issuer, notAfterMs } = verdict.certificate
    if (events.wanted) {
      events.emit({
        type: 'principal-issued',
        ...eventTarget(context, exchange),
        subject,
        issuer,
        validitySeconds: Math.round((notAfterMs - clock.now()) / 1000),
        cached,
        durationMs: clock.now() - exchange.startMs,
      })
    }
    return { kind: 'ready', user: verdict.user, headers: verdict.headers }
  }
  const refusal =
    verdict.kind === 'not-trusted' ? tokenRefusal(verdict.message) : certificateRefusal(verdict.user, verdict.problem, exchange.address)
  if (events.wanted) {
    events.emit({ type: 'principal-refused', ...eventTarget(context, exchange), code: refusal.code, message: refusal.text })
  }
  return { kind: 'refused', user: verdict.user, refusal }
}
