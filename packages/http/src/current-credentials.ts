import { type Clock, type ConnectContext, type Credentials, underSignal, withDeadline } from '@sallyport/core'
import { renewalMarginMs, renewalTimeoutMs } from './limits.ts'

/** What a client presents at the target, kept usable for as long as the client lives. */
export interface CurrentCredentials {
  /** Fetched anew where they are a token that expires at once and there is a way to. */
  get(signal: AbortSignal): Promise<Credentials>
  /** Told that the target did not accept them. True when others are at hand now. */
  renew(refused: Credentials, signal: AbortSignal): Promise<boolean>
}

/** Requests that need new credentials at the same time share one look-up. */
export function createCurrentCredentials(
  { credentials, renewCredentials }: Pick<ConnectContext, 'credentials' | 'renewCredentials'>,
  clock: Clock,
): CurrentCredentials {
  let current = credentials
  let renewal: Promise<Credentials> | undefined

  /** One caller's signal ends its own wait, not the look-up that others wait for. */
  const fetchNew = (signal: AbortSignal): Promise<Credentials> | undefined => {
    if (current.kind !== 'header' || renewCredentials === undefined) return undefined
    renewal ??= renewCredentials(withDeadline(renewalTimeoutMs))
      .then((fresh) => (current = fresh))
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
      return (await fetchNew(signal)) !== undefined
    },
  }
}
