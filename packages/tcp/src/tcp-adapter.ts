import { abortedError, type Clock, ConnectivityError, type ProtocolAdapter } from '@sallyport/core'
import { parseSocketOptions } from './socket-options.ts'
import { createTcpClient, type TcpClient } from './tcp-client.ts'

/** What is the same for every destination of an adapter. */
export interface TcpAdapterOptions {
  readonly clock: Clock
}

/** Makes the adapter for TCP destinations. It opens no connection before the client is asked for one. */
export function createTcpAdapter({ clock }: TcpAdapterOptions): ProtocolAdapter<'TCP', TcpClient> {
  return {
    protocol: 'tcp',
    destinationType: 'TCP',
    async connect(destination, context) {
      const { name } = destination
      const { credentials, principal, signal, log } = context
      const attempt = `connect to destination "${name}"`
      if (signal.aborted) throw abortedError(signal, attempt)
      if (credentials.kind === 'basic' || credentials.kind === 'header') {
        throw new ConnectivityError('DESTINATION_INVALID', `${attempt}: TCP carries no credentials; the protocol above it does`)
      }
      if (credentials.kind === 'principal' && principal === undefined) {
        throw new ConnectivityError('DESTINATION_INVALID', `${attempt}: it propagates a principal, and none is at hand`)
      }
      const options = parseSocketOptions(destination)
      if (options.ignored.length > 0) {
        log.warn({ destination: name, options: options.ignored }, 'socket options of the destination are ignored, Node cannot set them')
      }
      return createTcpClient({ destination, options, principal: credentials.kind === 'principal' ? principal : undefined, context, clock })
    },
  }
}
