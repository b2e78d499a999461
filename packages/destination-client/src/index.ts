/**
 * Finds destinations over the REST API of the destination service and caches them; gets tokens for the connectivity proxy.
 *
 * @example
 * const bindings = await readBindings({ environment: process.env, files: systemBindingFiles })
 * await using client = createDestinationClient({ bindings, clock: systemClock })
 * const { destination, credentials } = await client.find('ERP')
 *
 * @packageDocumentation
 */
export { type BindingFiles, systemBindingFiles } from './binding-files.ts'
export { type ConnectivityBinding, parseConnectivityBinding } from './connectivity-binding.ts'
export { type DestinationBinding, parseDestinationBinding } from './destination-binding.ts'
export { createDestinationClient, type DestinationClient, type DestinationClientOptions, type FindOptions } from './destination-client.ts'
export type { FlowInput } from './flow-input.ts'
export type { DestinationCertificate, FoundDestination } from './found-destination.ts'
export { type OAuthClient, parseOAuthClient } from './oauth-client.ts'
export { readBindings } from './read-bindings.ts'
export { selectBinding, type ServiceBinding } from './service-binding.ts'
export { createTokenSource, type TokenSource, type TokenSourceOptions } from './token-source.ts'
