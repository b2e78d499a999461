import { type Clock, type ConnectContext, ConnectivityError, type Credentials, underSignal, withDeadline } from '@sallyport/core'
import { renewalMarginMs, renewalTimeoutMs } from './limits.ts'

/** What a client presents at the target, kept usable for as long as the client lives. */
export interface CurrentCredentials {
  /** Fetched anew where they are a token that expires at once and there is a way to. */
  get(signal: AbortSignal): Promise<Credentials>
  /**
   * Told that the target did not accept them. True when others are at hand now; false also when there were none to be had, so
   * that the caller gets the refusal, which says more about its request than a token service that is down.
   */
  renew(refused: Credentials, signal: AbortSignal): Promise<boolean>
}

/** Requests that need new credentials at the same time share one look-up; one that fails is a warning, whatever becomes of the requests. */
export function createCurrentCredentials(
  { credentials, renewCredentials, log }: Pick<ConnectContext, 'credentials' | 'renewCredentials' | 'log'>,
  clock: Clock,
  destination: string,
): CurrentCredentials {
  let current = credentials
  let renewal: Promise<Credentials> | undefined

  /** One caller's signal ends its own wait, not the look-up that others wait for. */
  const fetchNew = (signal: AbortSignal): Promise<Credentials> | undefined => {
    if (current.kind !== 'header' || renewCredentials === undefined) return undefined
    renewal ??= renewCredentials(withDeadline(renewalTimeoutMs))
      .then((fresh) => (current = fresh))
      .catch((error: unknown) => {
        // What is not ours may quote what it was asked with.
        const known = ConnectivityError.is(error) ? { code: error.code, reason: error.message } : { reason: 'unknown' }
        log.warn({ destination, ...known }, 'no new token could be had for the destination')
        throw error
      })
      .finally(() => (renewal = undefined))
    return underSignal(renewal, signal, 'fetch a new token')
  }
  return {
    async get(signal) {
      const expiresAtMs = current.kind === 'header' ? (current.expiresAtMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
      if (clock.now() + renewalMarginMs < expiresAtMs) return current
      try {
        return (await fetchNew(signal)) ?? current
      } catch (error) {
        if (signal.aborted || clock.now() >= expiresAtMs) throw error
        return current
      }
    },
    async renew(refused, signal) {
      if (current !== refused) return true
      try {
        return (await fetchNew(signal)) !== undefined
      } catch {
        // The look-up has told the log; a caller who waits no longer has nothing to be told.
        return false
      }
    },
  }
}
