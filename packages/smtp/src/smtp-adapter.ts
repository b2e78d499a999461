import { abortedError, type Clock, createMailLogons, type ProtocolAdapter, requireMailProtocol } from '@sallyport/core'
import { createConnectionPool, type TlsOptions } from '@sallyport/stream'
import { idleConnectionMs, maxConnections as defaultMaxConnections } from './limits.ts'
import { loadNodemailer } from './load-nodemailer.ts'
import { openLink } from './open-link.ts'
import { createSmtpClient, type SmtpClient } from './smtp-client.ts'

/** What is the same for every destination of an adapter. */
export interface SmtpAdapterOptions {
  readonly clock: Clock
  /** TLS for smtps and STARTTLS; the default trusts Node's authorities and presents no certificate. */
  readonly tls?: TlsOptions
  /** Connections of a client at a time; the default is 5. */
  readonly maxConnections?: number
  /** Whether a message may name files of this machine as its content (`path`); the default is no. */
  readonly fileAccess?: boolean
  /** Whether a message may name URLs as its content (`href`), which this machine then fetches, past every dial; the default is no. */
  readonly urlAccess?: boolean
}

/** Makes the adapter for MAIL destinations that send. It opens no connection before the first message. */
export function createSmtpAdapter({
  clock,
  tls = {},
  maxConnections = defaultMaxConnections,
  fileAccess = false,
  urlAccess = false,
}: SmtpAdapterOptions): ProtocolAdapter<'MAIL', SmtpClient> {
  return {
    protocol: 'smtp',
    destinationType: 'MAIL',
    async connect(destination, { dial, credentials, renewCredentials: renew, signal, log }) {
      const { name, proxyType } = destination
      const attempt = `connect to destination "${name}"`
      if (signal.aborted) throw abortedError(signal, attempt)
      requireMailProtocol(destination, 'smtp')
      const library = await loadNodemailer(attempt)
      const logons = createMailLogons({ destination, credentials, renew, clock })
      const deps = { destination, dial, tls, clock, log, library }
      let warned = false
      const pool = createConnectionPool({
        open: (abort) =>
          logons.connect(async (logon) => {
            const link = await openLink(deps, logon, abort)
            if (logon.kind !== 'none' && !link.secure && proxyType !== 'OnPremise' && !warned) {
              warned = true
              log.warn({ destination: name }, 'the log-on went over the network in the clear, use smtps or mail.smtp.starttls.required')
            }
            return link
          }, abort),
        maxConnections,
        idleMs: idleConnectionMs,
        clock,
        waiting: `wait for a connection to destination "${name}"`,
      })
      return createSmtpClient({ destination, pool, closed: new AbortController(), fileAccess, urlAccess, library })
    },
  }
}
