import type { Clock, ConnectContext, Credentials } from '@sallyport/core'
import { renewalMarginMs } from './limits.ts'

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

  const fetchNew = (signal: AbortSignal): Promise<Credentials> | undefined => {
    if (current.kind !== 'header' || renewCredentials === undefined) return undefined
    renewal ??= renewCredentials(signal)
      .then((fresh) => (current = fresh))
      .finally(() => (renewal = undefined))
    return renewal
  }
  return {
    async get(signal) {
      const old = current.kind === 'header' && current.expiresAtMs !== undefined && clock.now() + renewalMarginMs >= current.expiresAtMs
      return (old ? await fetchNew(signal) : undefined) ?? current
    },
    async renew(refused, signal) {
      if (current !== refused) return true
      return (await fetchNew(signal)) !== undefined
    },
  }
}
