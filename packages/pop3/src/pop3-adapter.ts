import { abortedError, type Clock, createMailLogons, type ProtocolAdapter, requireMailProtocol } from '@sallyport/core'
import type { TlsOptions } from '@sallyport/stream'
import { maxMessageBytes as defaultMaxMessageBytes } from './limits.ts'
import { createPop3Client, type Pop3Client } from './pop3-client.ts'

/** What is the same for every destination of an adapter. */
export interface Pop3AdapterOptions {
  readonly clock: Clock
  /** TLS for pop3s and STLS; the default trusts Node's authorities and presents no certificate. */
  readonly tls?: TlsOptions
  /** Largest message that is read; the default is 4 GiB. */
  readonly maxMessageBytes?: number
}

/** Makes the adapter for MAIL destinations of POP3. It opens no connection before the client is used. */
export function createPop3Adapter({
  clock,
  tls = {},
  maxMessageBytes = defaultMaxMessageBytes,
}: Pop3AdapterOptions): ProtocolAdapter<'MAIL', Pop3Client> {
  return {
    protocol: 'pop3',
    destinationType: 'MAIL',
    async connect(destination, { dial, credentials, renewCredentials, signal, log }) {
      const { name } = destination
      if (signal.aborted) throw abortedError(signal, `connect to destination "${name}"`)
      requireMailProtocol(destination, 'pop3')
      const logons = createMailLogons({ destination, credentials, renew: renewCredentials, clock })
      return createPop3Client({ destination, dial, tls, clock, log, logons, maxMessageBytes })
    },
  }
}
