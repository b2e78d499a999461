/**
 * The protocol adapter for RFC destinations: calls function modules of ABAP systems through one of several bindings.
 *
 * @example
 * await using client = await createRfcAdapter({ clock: systemClock, bindings }).connect(destination, { dial, credentials, signal, log })
 * const { ECHOTEXT } = await client.call('STFC_CONNECTION', { REQUTEXT: 'hello' })
 *
 * @packageDocumentation
 */
export { type ClassicBindingOptions, createClassicBinding, type RepositoryTarget } from './classic/classic-binding.ts'
export type { ClientIdentity } from './classic/conversation.ts'
export { connect, type RfcConnectOptions } from './connect.ts'
export type { FunctionDescription, FunctionParameter } from './function-description.ts'
export { createNodeRfcBinding, type NodeRfcBindingOptions } from './node-rfc/node-rfc-binding.ts'
export { createRfcAdapter, type RfcAdapterOptions } from './rfc-adapter.ts'
export type {
  RfcAvailability,
  RfcBinding,
  RfcCapabilities,
  RfcClientContext,
  RfcConnection,
  RfcConnectionCall,
  RfcConnections,
} from './rfc-binding.ts'
export type { RfcClient, RfcClientInfo } from './rfc-client.ts'
export { type AbapMessage, keepsConnection, rfcError, type RfcErrorGroup, rfcErrorGroup, type RfcFailure } from './rfc-errors.ts'
export type { RfcCallOptions, RfcSession } from './rfc-session.ts'
export { type RfcStructure, type RfcValue, upperCaseNames } from './rfc-value.ts'
export type { RfcSkipped } from './select-binding.ts'
export { createSoapBinding, type SoapBindingOptions } from './soap/soap-binding.ts'
export type { ConnectSoapCarrier, SoapCarrier } from './soap/soap-carrier.ts'
export type { PrincipalSource } from './soap/soap-carriers.ts'
export { serverAddress, type ServerAddress, servicePort, type ServiceNumbers } from './server-address.ts'
