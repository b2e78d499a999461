import type { KerberosSettings } from '@sallyport/admin-api'
import type { Secret } from '@sallyport/core'

/** Tickets of one realm, asked for by one service user on behalf of others. */
export interface KerberosTickets {
  readonly realm: string
  /**
   * A new SPNEGO token (RFC 4559) that logs a user on to the HTTP service of a host, once. Nothing is kept of it.
   *
   * @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`, with a message that names neither the user nor the host; the reason of the signal, and the programs that ran
   * for this ticket are ended then.
   */
  ticketFor(user: string, host: string, signal: AbortSignal): Promise<Buffer>
  /** Why a user of this name gets no ticket, as far as that can be told without asking the KDC. */
  explain(user: string): string | undefined
  /** Logs the service user on, and looks whether everything is installed: what is wrong, or `undefined`. @throws the reason of the signal, and nothing else. */
  check(signal: AbortSignal): Promise<string | undefined>
  /** What the last attempt that failed for every user alike has shown; `undefined` again as soon as one has not. */
  readonly problem: string | undefined
}

/** Whose key is used where. */
export interface KerberosLogon {
  readonly settings: KerberosSettings
  /** Content of the keytab in base64. */
  readonly keytab: Secret
}
