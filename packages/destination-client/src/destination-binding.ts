import { type OAuthClient, parseOAuthClient, propertyReader } from './oauth-client.ts'
import type { ServiceBinding } from './service-binding.ts'

/** What a binding of the destination service says. */
export interface DestinationBinding {
  readonly client: OAuthClient
  /** Base of the REST API, without `/destination-configuration`. */
  readonly uri: URL
}

/** Reads a binding of the service `destination`. @throws ConnectivityError `BINDING_INVALID`. */
export function parseDestinationBinding(binding: ServiceBinding): DestinationBinding {
  const read = propertyReader(binding)
  return { client: parseOAuthClient(binding), uri: read.url(read.required('uri'), 'uri') }
}
