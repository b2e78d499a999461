/**
 * The protocol adapter for RFC destinations: calls function modules of ABAP systems through one of several bindings.
 *
 * @example
 * await call('BAPI_USER_GET_DETAIL', { USERNAME: 'JANE' }).catch((error: unknown) => {
 *   if (rfcErrorGroup(error) !== 'ABAP_EXCEPTION') throw error
 * })
 *
 * @packageDocumentation
 */
export type { FunctionDescription, FunctionParameter } from './function-description.ts'
export type {
  RfcAvailability,
  RfcBinding,
  RfcCapabilities,
  RfcClientContext,
  RfcConnection,
  RfcConnectionCall,
  RfcConnections,
} from './rfc-binding.ts'
export { type AbapMessage, keepsConnection, rfcError, type RfcErrorGroup, rfcErrorGroup, type RfcFailure } from './rfc-errors.ts'
export { type RfcStructure, type RfcValue, upperCaseNames } from './rfc-value.ts'
export { serverAddress, type ServerAddress, servicePort, type ServiceNumbers } from './server-address.ts'
