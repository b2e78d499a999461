import type { Clock } from './clock.ts'
import type { Credentials, MailDestination } from './destination.ts'
import { ConnectivityError } from './errors.ts'
import { type MailLogon, mailLogonOf } from './mail-logon.ts'

/** The logon of one mail client, for all of its connections. */
export interface MailLogons {
  /**
   * Runs `connect` with the logon at hand. Where that is a token which has expired, a new one is fetched first; where the server
   * refuses the token (`LOGON_REFUSED`), a new one is fetched and `connect` runs once more, on a connection of its own.
   */
  connect<T>(connect: (logon: MailLogon) => Promise<T>, signal: AbortSignal): Promise<T>
}

/** What the logon comes from. */
export interface MailLogonOptions {
  readonly destination: MailDestination
  readonly credentials: Credentials
  /** Fetches new credentials; without it a token that is refused or too old is the end. */
  readonly renew: ((signal: AbortSignal) => Promise<Credentials>) | undefined
  readonly clock: Clock
}

/** @throws ConnectivityError `DESTINATION_INVALID`, see {@link mailLogonOf}. */
export function createMailLogons({ destination, credentials, renew, clock }: MailLogonOptions): MailLogons {
  let current = mailLogonOf(destination, credentials)
  let renewing: Promise<MailLogon> | undefined

  /** Connections that are refused at the same time share one new token. */
  const renewed = (stale: MailLogon, fetchNew: (signal: AbortSignal) => Promise<Credentials>, signal: AbortSignal): Promise<MailLogon> => {
    if (current !== stale) return Promise.resolve(current)
    renewing ??= fetchNew(signal)
      .then((fresh) => (current = mailLogonOf(destination, fresh)))
      .finally(() => (renewing = undefined))
    return renewing
  }

  return {
    async connect(connect, signal) {
      const logon = current
      if (logon.kind !== 'token' || renew === undefined) return connect(logon)
      // A token that has just been fetched is not fetched again.
      if (logon.expiresAtMs !== undefined && logon.expiresAtMs <= clock.now()) return connect(await renewed(logon, renew, signal))
      try {
        return await connect(logon)
      } catch (error) {
        if (!ConnectivityError.is(error, 'LOGON_REFUSED')) throw error
        return connect(await renewed(logon, renew, signal))
      }
    },
  }
}
