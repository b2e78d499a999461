/**
 * Tunnels: connections that a connector dials out and that carry streams back to it. A transport makes the connections
 * (`@sallyport/tunnel/tls`, `@sallyport/tunnel/memory`), the client and the server keep them, `relay` joins their streams to sockets.
 *
 * @example
 * // cloud side
 * const server = createTunnelServer({ transport, endpoint, authorize, trust, clock, audit })
 * await server.listen()
 * relay(socket, (handlers) => tunnel.openStream(formatMessage(opening), handlers)) // tunnel = server.find(subaccount, locationId)
 *
 * // on-premise side
 * const client = createTunnelClient({ transport, endpoint, hello, clock, random, onStream: (incoming) => {
 *   relay(connect(backend), (handlers) => incoming.accept(handlers))
 * } })
 *
 * @packageDocumentation
 */
export type { AuthorizeConnector } from './admit-connector.ts'
export { awaitSocket, discard } from './await-socket.ts'
export type { BeginStream } from './begin-stream.ts'
export type { RenewedCertificate } from './control-session.ts'
export { type HeldStream, type HeldStreamOptions, holdStream } from './held-stream.ts'
export type { TunnelClientLimits, TunnelServerLimits } from './limits.ts'
export {
  channelMessageVersion,
  type ChannelOpening,
  type ControlFromConnector,
  type ControlFromServer,
  type ControlOpening,
  type ControlRefusalCode,
  type ExposedSystem,
  formatMessage,
  type HttpOpening,
  messageVersion,
  oldestMessageVersion,
  type PrincipalMessage,
  type ServiceType,
  type StreamOpening,
  type TcpAnswer,
  type TcpOpening,
  type TrustedIssuer,
  type WirePrincipal,
} from './messages.ts'
export { tryParsePrincipalMessage, tryParseStreamOpening, tryParseTcpAnswer } from './parse-messages.ts'
export { relay, type RelayOptions } from './relay.ts'
export type { RenewConnectorCertificate, ServeChannel, Tunnel, TunnelStatus } from './served-connector.ts'
export { createSharedReading, type SharedReading } from './shared-reading.ts'
export { type DuplexOptions, toDuplex } from './to-duplex.ts'
export { createTunnelClient, type TunnelClient, type TunnelClientOptions } from './tunnel-client.ts'
export { formatTunnelId } from './tunnel-id.ts'
export { createTunnelServer, type TunnelServer, type TunnelServerOptions } from './tunnel-server.ts'
export type { TunnelClientState } from './tunnel-state.ts'
