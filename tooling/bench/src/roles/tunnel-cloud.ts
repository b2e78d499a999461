import { type AddressInfo, createServer } from 'node:net'
import { systemClock, type TunnelConnection } from '@sallyport/core'
import { relay } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { beginRole, type RoleSettings, tell } from './role.ts'

// The listening end of the bare tunnel: every connection to the front becomes a stream.
const { authority, identity } = beginRole() as RoleSettings
const transport = createTlsTransport({ clock: systemClock, server: { ...identity, ca: authority } })
const opening = Buffer.from('{"kind":"tcp"}')
let connection: TunnelConnection | undefined

const listener = await transport.listen(new URL('tls://127.0.0.1:0'), {
  onConnection(connected) {
    connection = connected
    tell({ connected: true })
  },
})
const front = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
  socket.on('error', () => {})
  if (connection === undefined) socket.destroy()
  else relay(socket, (handlers) => connection!.openStream(opening, handlers))
})
front.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  tell({ front: (front.address() as AddressInfo).port, tunnel: Number(listener.endpoint.port) }),
)
