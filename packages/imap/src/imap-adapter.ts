import { abortedError, type Clock, createMailLogons, type ProtocolAdapter, requireMailProtocol } from '@sallyport/core'
import { loadLibrary, type TlsOptions } from '@sallyport/stream'
import { createImapClient, type ImapClient } from './imap-client.ts'
import type { ImapFlowClass } from './library-way.ts'
import { tokenMarginMs } from './limits.ts'

/** What is the same for every destination of an adapter. */
export interface ImapAdapterOptions {
  readonly clock: Clock
  /** TLS for imap4s and STARTTLS; the default trusts Node's authorities and presents no certificate. */
  readonly tls?: TlsOptions
  /** Another copy of the library than the one that is installed beside this package, 2.1.2 or newer. */
  readonly library?: ImapFlowClass
}

/** Makes the adapter for MAIL destinations of IMAP. It opens no connection before the client is used. */
export function createImapAdapter({ clock, tls = {}, library: chosen }: ImapAdapterOptions): ProtocolAdapter<'MAIL', ImapClient> {
  return {
    protocol: 'imap',
    destinationType: 'MAIL',
    async connect(destination, { dial, credentials, renewCredentials, signal, log }) {
      const { name } = destination
      const attempt = `connect to destination "${name}"`
      if (signal.aborted) throw abortedError(signal, attempt)
      requireMailProtocol(destination, 'imap')
      const library =
        chosen ?? (await loadLibrary({ name: 'imapflow', beside: '@sallyport/imap', attempt }, () => import('imapflow'))).ImapFlow
      // Tokens count as expired a little before they do.
      const ahead: Clock = { ...clock, now: () => clock.now() + tokenMarginMs }
      const logons = createMailLogons({ destination, credentials, renew: renewCredentials, clock: ahead })
      return createImapClient({ destination, dial, tls, library, clock, log, logons })
    },
  }
}
