import { type Clock, ConnectivityError, type Logger, silentLogger, type TunnelConnection, type TunnelTransport } from '@sallyport/core'
import type { MultiplexerLimits } from '../limits.ts'
import { multiplex } from '../multiplexer/multiplexer.ts'
import { createMemoryLinks } from './memory-link.ts'

/** How connections in memory are made. */
export interface MemoryTransportOptions {
  readonly clock: Clock
  /** Byte links per connection; default 2, as the TLS transport has. */
  readonly lanes?: number
  readonly log?: Logger
  readonly multiplexer?: Partial<MultiplexerLimits>
}

/**
 * Tunnel connections inside one process, to endpoints such as `memory://demo`, through the same multiplexer as every
 * other transport. There is no peer identity: whoever uses it decides without a certificate. Each transport has its own name space.
 */
export function createMemoryTransport(options: MemoryTransportOptions): TunnelTransport {
  const { clock, lanes = 2, log = silentLogger } = options
  const listeners = new Map<string, (connection: TunnelConnection) => void>()
  return {
    name: 'memory',
    async connect(endpoint, { signal }) {
      if (signal.aborted) throw new ConnectivityError('ABORTED', `connecting to ${endpoint.href}: aborted by the caller`)
      const onConnection = listeners.get(endpoint.host)
      if (onConnection === undefined) throw new ConnectivityError('PEER_UNREACHABLE', `nobody listens on ${endpoint.href}`)
      const pairs = Array.from({ length: lanes }, () => createMemoryLinks())
      const shared = { peerCertificate: undefined, clock, log, limits: options.multiplexer }
      const near = multiplex({ ...shared, side: 'dialler', links: pairs.map(([link]) => link) })
      onConnection(multiplex({ ...shared, side: 'listener', links: pairs.map(([, link]) => link) }))
      return near
    },
    async listen(endpoint, { onConnection }) {
      const name = endpoint.host
      if (listeners.has(name)) throw new ConnectivityError('PORT_IN_USE', `somebody listens on ${endpoint.href} already`)
      listeners.set(name, onConnection)
      const close = async (): Promise<void> => {
        if (listeners.get(name) === onConnection) listeners.delete(name)
      }
      return { endpoint, close, [Symbol.asyncDispose]: close }
    },
  }
}
