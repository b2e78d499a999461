import { once } from 'node:events'
import { connect } from 'node:net'
import type { IncomingTunnelStream } from '@sallyport/core'
import { createOpenStreams } from '@sallyport/test-fixtures'
import { formatMessage, holdStream, relay, type StreamOpening, type TcpAnswer } from '@sallyport/tunnel'

/** As much of a connector as a dial needs: one mapping, from a virtual host to the same port of a host. */
export interface ConnectorEnd {
  /** Takes a stream of the tunnel. */
  take(incoming: IncomingTunnelStream, opening: StreamOpening): void
  /** Settles when no connection to a backend is open. */
  idle(): Promise<void>
}

/** Makes the end of a tunnel that dials the backends and joins streams to them. */
export function createConnectorEnd(mapping: { readonly virtualHost: string; readonly backendHost: string }): ConnectorEnd {
  const sockets = createOpenStreams()
  return {
    take(incoming, opening) {
      if (opening.kind !== 'tcp') return incoming.refuse()
      const held = holdStream((handlers) => incoming.accept(handlers))
      const answer = (message: TcpAnswer): void => void held.stream.sendMessage(formatMessage(message))
      const refuse = (code: 'ACCESS_DENIED' | 'BACKEND_UNREACHABLE'): void => {
        answer({ kind: 'refused', code, message: 'refused by the connector of the test' })
        held.stream.end()
      }
      if (opening.virtualHost !== mapping.virtualHost) return refuse('ACCESS_DENIED')
      const socket = connect({ host: mapping.backendHost, port: opening.virtualPort, allowHalfOpen: true })
      sockets.add(socket)
      once(socket, 'connect').then(
        () => {
          answer({ kind: 'connected' })
          relay(socket, held.take)
        },
        () => refuse('BACKEND_UNREACHABLE'),
      )
    },
    idle: sockets.idle,
  }
}
