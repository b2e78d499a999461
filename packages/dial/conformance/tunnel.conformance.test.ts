import { once } from 'node:events'
import { connect } from 'node:net'
import { describeDial } from '@sallyport/conformance'
import { type IncomingTunnelStream, systemClock } from '@sallyport/core'
import { createOpenStreams, createSocketNetwork } from '@sallyport/test-fixtures'
import { formatMessage, holdStream, relay, type TcpAnswer, type TcpOpening } from '@sallyport/tunnel'
import { createMemoryTransport } from '@sallyport/tunnel/memory'
import { createTunnelDial } from '../src/tunnel-dial.ts'

const refused: Readonly<Record<string, Extract<TcpAnswer, { kind: 'refused' }>['code']>> = {
  'denied.virtual': 'ACCESS_DENIED',
  'down.virtual': 'BACKEND_UNREACHABLE',
  'untrusted.virtual': 'BACKEND_UNTRUSTED',
  'slow.virtual': 'BACKEND_TIMEOUT',
  'strange.virtual': 'PROTOCOL_VIOLATION',
}

/** The smallest connector: virtual hosts are refused by name or lead to the peer on loopback with the same port. */
function answer(incoming: IncomingTunnelStream, seen: TcpOpening[], sockets: ReturnType<typeof createOpenStreams>): void {
  const opening = JSON.parse(incoming.opening.toString('utf8')) as TcpOpening
  seen.push(opening)
  const held = holdStream((handlers) => incoming.accept(handlers))
  const send = (message: TcpAnswer): unknown => held.stream.sendMessage(formatMessage(message))
  const code = refused[opening.virtualHost]
  if (opening.virtualHost === 'silent.virtual') return
  if (code !== undefined) {
    send({ kind: 'refused', code, message: `refused as ${code}` })
    held.stream.end()
    return
  }
  const socket = connect({ host: '127.0.0.1', port: opening.virtualPort, allowHalfOpen: true })
  sockets.add(socket)
  once(socket, 'connect').then(
    () => {
      send({ kind: 'connected' })
      relay(socket, held.take)
    },
    () => {
      send({ kind: 'refused', code: 'BACKEND_UNREACHABLE', message: 'connection refused' })
      held.stream.end()
    },
  )
}

describeDial('tunnel', {
  async open() {
    const network = createSocketNetwork()
    const transport = createMemoryTransport({ clock: systemClock })
    const seen: TcpOpening[] = []
    const sockets = createOpenStreams()
    const endpoint = new URL('memory://connector')
    await transport.listen(endpoint, {
      onConnection: (connection) => void (connection.onStream = (incoming) => answer(incoming, seen, sockets)),
    })
    const connection = await transport.connect(endpoint, { signal: AbortSignal.timeout(5000) })
    return {
      dial: createTunnelDial({ subaccount: 'demo', connection: (locationId) => (locationId === 'nobody' ? undefined : connection) }),
      serve: async (handler) => ({ ...(await network.serve(handler)), host: 'Peer.Virtual' }),
      unused: async () => ({ ...(await network.unused()), host: 'peer.virtual' }),
      async idle() {
        await Promise.all([network.idle(), sockets.idle()])
      },
      silent: async () => ({ host: 'silent.virtual', port: 1 }),
      lastLocationId: () => seen.at(-1)?.locationId,
      refusals: async () => Object.entries(refused).map(([host, code]) => ({ what: host, address: { host, port: 1 }, code })),
      async [Symbol.asyncDispose]() {
        connection.abort(new Error('the test is over'))
        await network[Symbol.asyncDispose]()
        await sockets.idle()
      },
    }
  },
  features: { silence: true, locations: true, refusals: true },
})
