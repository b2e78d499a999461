/**
 * Vocabulary and contracts of Sallyport. No I/O and no dependencies: everything else is built from these.
 *
 * @example
 * const destination = parseDestination({ Name: 'ECHO', Type: 'TCP', Address: 'echo.demo:7', ProxyType: 'OnPremise' })
 * if (destination.type === 'TCP') formatAddress(destination.address) // 'echo.demo:7'
 *
 * @packageDocumentation
 */
export { type Address, formatAddress, parseAddress, tryParseAddress } from './address.ts'
export type { AuditEntry, AuditSink } from './audit.ts'
export { type Clock, systemClock } from './clock.ts'
export { type CustomerKey, type CustomerKeyDescription, type KeyManagementSystem, maxWrappedKeyLength } from './customer-key.ts'
export { abortedError, underSignal, withDeadline } from './deadline.ts'
export {
  type Credentials,
  credentialsOf,
  type Destination,
  type DestinationOf,
  type DestinationType,
  destinationTypes,
  type HttpDestination,
  type LdapDestination,
  type MailDestination,
  parseDestination,
  type ProxyType,
  type RfcDestination,
  type TcpDestination,
} from './destination.ts'
export type { Dial, DialOptions } from './dial.ts'
export { ConnectivityError, type ErrorCode, errorTable, type ErrorTraits } from './errors.ts'
export { type ConnectivityEvent, type EventSink, noEvents } from './events.ts'
export { foreignText } from './foreign-text.ts'
export type { LdapTarget } from './ldap-destination.ts'
export { type LogFields, type Logger, silentLogger } from './logger.ts'
export type { MailNotices, MailTarget } from './mail-destination.ts'
export { formatXoauth2, type MailLogon, mailLogonOf } from './mail-logon.ts'
export { createMailLogons, type MailLogonOptions, type MailLogons } from './mail-logon-renewal.ts'
export { type MailProtocol, requireMailProtocol } from './mail-protocol.ts'
export { type MailTlsMode, strictTlsRules, type TlsRules, type TlsVersion } from './mail-tls.ts'
export { type OpenSockets, trackSockets } from './open-sockets.ts'
export { pause } from './pause.ts'
export type { Principal } from './principal.ts'
export type { ConnectContext, ProtocolAdapter, ProtocolClient } from './protocol-adapter.ts'
export { resetSocket } from './reset-socket.ts'
export type { RfcPoolSettings } from './rfc-pool-settings.ts'
export {
  type RfcBindingName,
  rfcBindingNames,
  type RfcRepository,
  type RfcSecureNetwork,
  type RfcTarget,
  type RfcTechnicalUser,
  type RfcUser,
} from './rfc-destination.ts'
export type { RfcServer } from './rfc-server.ts'
export type { Sealer, SubaccountSealers } from './sealer.ts'
export { createSecret, type Secret } from './secret.ts'
export type { SealedColumn, StoredRow, StoredTable } from './stored-table.ts'
export {
  type CloseReason,
  type IncomingTunnelStream,
  maxStreamMessageBytes,
  type StreamCloseReason,
  type StreamResetCode,
  streamResetCodes,
  type TunnelConnection,
  type TunnelListener,
  type TunnelStream,
  type TunnelStreamHandlers,
  type TunnelTransport,
} from './tunnel-transport.ts'
export { createTurnQueue, type TurnQueue } from './turn-queue.ts'
