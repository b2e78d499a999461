import { connect } from 'node:net'
import { systemClock } from '@sallyport/core'
import { relay } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { beginRole, tell } from './role.ts'

// The dialling end of the bare tunnel: every stream becomes a connection to the target.
const { authority, identity, tunnel, target } = beginRole()
const transport = createTlsTransport({ clock: systemClock, client: { ...identity, ca: authority, servername: 'localhost' } })
const connection = await transport.connect(new URL(`tls://127.0.0.1:${tunnel}`), { signal: AbortSignal.timeout(10_000) })
connection.onStream = (incoming) => {
  const socket = connect({ port: target ?? 0, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  relay(socket, (handlers) => incoming.accept(handlers))
}
tell({ ready: true })
