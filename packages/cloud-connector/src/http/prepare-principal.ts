import { ConnectivityError } from '@sallyport/core'
import type { WirePrincipal } from '@sallyport/tunnel'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import type { LinkContext } from '../link-context.ts'
import type { ConnectorState } from '../connector-state.ts'
import { type PrincipalVerdict, unnamed } from '../principal/principal-handling.ts'
import { eventTarget } from './access-record.ts'
import type { Exchange } from './exchange.ts'
import { principalUseOf } from './principal-use.ts'
import { certificateRefusal, type Refusal, tokenRefusal } from './refusals.ts'
import { type AddedHeaders, emptyUserCertificate, noUserCertificate, ticketHeaders } from './request-transformation.ts'

/** What a request says to the backend about its principal, or why it may not go on. */
export type PreparedPrincipal =
  | { readonly kind: 'ready'; readonly user: string; readonly headers: AddedHeaders }
  | { readonly kind: 'refused'; readonly user: string; readonly refusal: Refusal }

const noTickets = 'no Kerberos service user is configured'
const noName = 'the token names no user'

/** Why a principal gets no ticket, as far as that can be told without asking the KDC. */
export function explainNoTicket({ kerberos }: Pick<ConnectorState, 'kerberos'>, name: string | undefined): string | undefined {
  if (name === undefined) return noName
  return kerberos === undefined ? noTickets : kerberos.explain(name)
}

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
  if (principal !== null && use === 'ticket') return prepareTicket(context, exchange, mapping, principal)
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

/** A ticket is good for one request: nothing is kept. */
async function prepareTicket(
  context: LinkContext,
  exchange: Exchange,
  mapping: SystemMapping,
  principal: WirePrincipal,
): Promise<PreparedPrincipal> {
  const { clock, events } = context
  const { state, timing } = exchange
  const gone = new AbortController()
  exchange.abandon = () => gone.abort(new ConnectivityError('ABORTED', 'the application has gone'))
  const fromMs = clock.now()
  const verdict = await state.principals.validate(principal)
  const validatedMs = clock.now()
  timing.validateMs += validatedMs - fromMs
  if (verdict.kind === 'not-trusted') return conclude(context, exchange, verdict, false)
  const { name } = verdict
  if (name === undefined) {
    return conclude(context, exchange, { kind: 'not-issued', user: unnamed, problem: noName }, false)
  }
  try {
    // Without tickets nobody is logged on, which is never the same as logging on nobody.
    if (state.kerberos === undefined) throw new ConnectivityError('PRINCIPAL_NOT_ISSUED', noTickets)
    const headers = ticketHeaders(await state.kerberos.ticketFor(name, mapping.internalHost, gone.signal))
    if (events.wanted) {
      const durationMs = clock.now() - exchange.startMs
      const { realm } = state.kerberos
      // One that can be used for one request has no time in which it is good.
      events.emit({
        type: 'principal-issued',
        ...eventTarget(context, exchange),
        subject: name,
        issuer: realm,
        validitySeconds: 0,
        cached: false,
        durationMs,
      })
    }
    return { kind: 'ready', user: name, headers }
  } catch (error) {
    if (!ConnectivityError.is(error, 'PRINCIPAL_NOT_ISSUED')) throw error
    return conclude(context, exchange, { kind: 'not-issued', user: name, problem: error.message }, false)
  } finally {
    timing.generateMs += clock.now() - validatedMs
  }
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
