import { ConnectivityError } from '@sallyport/core'
import type { TypedToken } from '../find/find-headers.ts'
import type { AuthenticationRequest } from './authentication-request.ts'
import { isCommon } from './token-url.ts'

/** Gets the token of a destination whose tokens are client assertions. */
export type AssertionSource = (provider: AuthenticationRequest) => Promise<string>

/** RFC 7521 §4.2, with the two profiles of RFC 7523 and RFC 7522. */
const assertionTypes: ReadonlySet<string> = new Set([
  'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
  'urn:ietf:params:oauth:client-assertion-type:saml2-bearer',
])

/**
 * What the client says instead of its secret: what the caller sent, else the token of the destination that a header or a property names.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when that destination cannot make assertions; otherwise what getting its token throws.
 */
export async function assertionFor(request: AuthenticationRequest, source: AssertionSource): Promise<TypedToken | undefined> {
  const { headers, configuration, references } = request
  if (headers.assertion !== undefined) return headers.assertion
  const name = headers.assertionProvider ?? configuration['clientAssertion.destinationName']
  if (!name) return undefined
  const provider = await references.destination(name)
  const refuse = (why: string): never => {
    throw new ConnectivityError('DESTINATION_INVALID', `The destination "${name}" cannot provide client assertions: ${why}`)
  }
  if (provider === undefined) return refuse('it was not found on the level of the destination that uses it')
  const type = provider.configuration['clientAssertion.type'] ?? ''
  if (provider.configuration['Authentication'] !== 'OAuth2ClientCredentials')
    return refuse('its Authentication is not OAuth2ClientCredentials')
  if (!assertionTypes.has(type)) return refuse(`its property clientAssertion.type must be one of ${[...assertionTypes].join(', ')}`)
  if (provider.configuration['clientAssertion.destinationName']) return refuse('it uses an assertion provider itself')
  const value = await source({
    ...request,
    ...provider,
    // A tenant is of use to it only where it shares its token service with others.
    headers: { ...headers, assertionProvider: undefined, tenant: isCommon(provider.configuration) ? headers.tenant : undefined },
  })
  return { value, type }
}
