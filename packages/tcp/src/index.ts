/**
 * The protocol adapter for TCP destinations: connections, a factory of sockets for other libraries, and local ports that
 * lead to the destination.
 *
 * @example
 * await using client = await createTcpAdapter({ clock: systemClock }).connect(destination, { dial, credentials, signal, log })
 * const forward = await client.listen({ port: 15432 })
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts'
export type { PortForward, PortForwardOptions } from './port-forward.ts'
export { createTcpAdapter, type TcpAdapterOptions } from './tcp-adapter.ts'
export type { TcpClient } from './tcp-client.ts'
export type { SocketLike } from '@sallyport/stream'
