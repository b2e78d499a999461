import { type Clock, ConnectivityError, type Credentials, type HttpDestination, type Principal } from '@sallyport/core'

/** Header names that only this package writes: they say who is asking, or where a request goes. */
const ownNames = /^(?:host|proxy-.*|sap-connectivity-.*|sap-cp-connectivity-.*)$/

/** Headers that the properties of a destination stand for, besides `URL.headers.<name>`. */
const propertyHeaders = ['sap-client', 'sap-language']

/**
 * The headers of a request: its own, then those of the destination and of the credentials that it does not have itself.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for a header that is not the caller's to set or cannot be written, and
 * `TOKEN_INVALID` when the token of the credentials has expired. No message shows a value.
 */
export function buildHeaders({
  destination,
  credentials,
  own,
  clock,
}: {
  readonly destination: HttpDestination
  readonly credentials: Credentials
  readonly own: Iterable<readonly [string, string]>
  readonly clock: Clock
}): Record<string, string> {
  // Not an object: every object has a `constructor` and a `__proto__`, and a header may be called so.
  const headers = new Map<string, string>()
  for (const [name, value] of own) {
    const lower = name.toLowerCase()
    if (ownNames.test(lower)) throw new ConnectivityError('MESSAGE_INVALID', `the header "${lower}" is set by the adapter`)
    if (credentials.kind === 'principal' && lower === 'authorization') {
      throw new ConnectivityError('MESSAGE_INVALID', 'the header "authorization" must be absent when a principal is propagated')
    }
    const before = headers.get(lower)
    headers.set(lower, before === undefined ? value : `${before}${lower === 'cookie' ? '; ' : ', '}${value}`)
  }
  const add = (name: string, value: string): void => {
    const lower = name.toLowerCase()
    if (!headers.has(lower)) headers.set(lower, value)
  }
  for (const [name, value] of Object.entries(destination.headers)) {
    if (ownNames.test(name.toLowerCase()))
      throw new ConnectivityError('DESTINATION_INVALID', `destination "${destination.name}": URL.headers.${name} is set by the adapter`)
    add(name, value)
  }
  for (const name of propertyHeaders) {
    const value = destination.properties[name]
    if (value !== undefined && value !== '') add(name, value)
  }
  if (credentials.kind === 'basic') {
    add('authorization', `Basic ${Buffer.from(`${credentials.user}:${credentials.password.reveal()}`, 'utf8').toString('base64')}`)
  }
  if (credentials.kind === 'header') {
    if (credentials.expiresAtMs !== undefined && clock.now() >= credentials.expiresAtMs) {
      throw new ConnectivityError('TOKEN_INVALID', `the token of destination "${destination.name}" has expired; find the destination again`)
    }
    add(credentials.name, credentials.value.reveal())
  }
  for (const [name, value] of headers) {
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new ConnectivityError('MESSAGE_INVALID', `the header ${JSON.stringify(name.slice(0, 100))} cannot be written`)
    }
  }
  return Object.fromEntries(headers)
}

/** Headers that tell a connectivity proxy who asks, for which connector, on whose behalf. */
export function buildProxyHeaders({
  host,
  token,
  locationId,
  principal,
}: {
  readonly host: string
  readonly token: string
  readonly locationId: string
  readonly principal: Principal | undefined
}): Record<string, string> {
  const principalHeader = principal?.kind === 'technical' ? 'sap-connectivity-technical-authentication' : 'sap-connectivity-authentication'
  return {
    host,
    'proxy-authorization': `Bearer ${token}`,
    // Left out and not sent empty: that is how the connector without a location ID is named.
    ...(locationId === '' ? {} : { 'sap-connectivity-scc-location_id': locationId }),
    ...(principal === undefined ? {} : { [principalHeader]: `Bearer ${principal.token.reveal()}` }),
  }
}
