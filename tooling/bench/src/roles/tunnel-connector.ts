import { connect } from 'node:net'
import { systemClock } from '@sallyport/core'
import { relay } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { beginRole, type RoleSettings, tell } from './role.ts'

export interface DiallingSettings extends RoleSettings {
  /** Port of the tunnel's listening end, or of the link in front of it. */
  readonly tunnel: number
  /** Port of the back end. */
  readonly target: number
}

// The dialling end of the bare tunnel: every stream becomes a connection to the target.
const { authority, identity, tunnel, target } = beginRole() as DiallingSettings
const transport = createTlsTransport({ clock: systemClock, client: { ...identity, ca: authority, servername: 'localhost' } })
const connection = await transport.connect(new URL(`tls://127.0.0.1:${tunnel}`), { signal: AbortSignal.timeout(10_000) })
connection.onStream = (incoming) => {
  const socket = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  relay(socket, (handlers) => incoming.accept(handlers))
}
tell({ ready: true })
