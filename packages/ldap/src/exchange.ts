import { abortedError, type Clock, ConnectivityError } from '@sallyport/core'
import { resultError, timeoutError, unsendableError, violationError } from './ldap-errors.ts'
import type { LdapAnswer, LdapLink } from './ldap-link.ts'

/** How one request is made. */
export interface ExchangeOptions {
  /** For errors: what is done, and at which destination. */
  readonly attempt: string
  readonly signal: AbortSignal
  readonly clock: Clock
  readonly timeoutMs: number
  /** Result codes besides 0 that are answers and no errors; `any` leaves that to the caller. */
  readonly accept?: readonly number[] | 'any'
  /** Cut out of what the server says. */
  readonly secret?: string
  /** The library's own words quote nothing that is confidential. */
  readonly tellCause?: boolean
}

/**
 * Makes one request on a connection and waits for its whole answer. When it is aborted or takes too long the connection is
 * ended, because an answer that comes later would be taken for the next one.
 *
 * @throws ConnectivityError
 */
export async function exchange(link: LdapLink, options: ExchangeOptions, call: () => Promise<unknown>): Promise<LdapAnswer> {
  const { attempt, signal, clock, timeoutMs, accept = [], secret } = options
  if (signal.aborted) throw abortedError(signal, attempt)
  if (link.failure !== undefined) throw link.failure
  const sentBefore = link.requests
  const onAbort = (): void => link.fail(abortedError(signal, attempt))
  signal.addEventListener('abort', onAbort, { once: true })
  const cancelTimer = clock.after(timeoutMs, () => link.fail(timeoutError(attempt, timeoutMs)))
  let refusal: { readonly cause: unknown } | undefined
  try {
    await Promise.race([
      // Why it broke, and whether that matters, is looked at below.
      link.broken.catch(() => {}),
      // Libraries throw what they will not send.
      (async () => call())().catch((cause: unknown) => {
        refusal = { cause }
      }),
    ])
  } finally {
    cancelTimer()
    signal.removeEventListener('abort', onAbort)
  }
  const { answer } = link
  const isAnswered = link.requests > sentBefore && answer !== undefined
  // The library may have heard of the end of the connection first. Behind a whole answer it is the next request's affair.
  if (link.failure !== undefined && !(isAnswered && link.hasEnded)) throw link.failure
  if (link.requests === sentBefore || answer === undefined) {
    if (refusal === undefined || link.requests > sentBefore) {
      const violation = violationError(attempt, 'the library did not wait for the answer')
      link.fail(violation)
      throw violation
    }
    if (ConnectivityError.is(refusal.cause)) throw refusal.cause
    throw unsendableError(attempt, options.tellCause === true ? refusal.cause : undefined)
  }
  if (answer.resultCode !== 0 && accept !== 'any' && !accept.includes(answer.resultCode)) throw resultError(attempt, answer, secret)
  return answer
}
