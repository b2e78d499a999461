import { parseAddress, type Address } from './address.ts'
import { ConnectivityError } from './errors.ts'
import { type LdapTarget, parseLdapTarget } from './ldap-destination.ts'
import { type MailTarget, parseMailTarget } from './mail-destination.ts'
import { parseRfcTarget, type RfcTarget } from './rfc-destination.ts'
import { createSecret, type Secret } from './secret.ts'

/** The types a destination may have on the wire; adapters exist for some of them. */
export const destinationTypes = ['HTTP', 'RFC', 'LDAP', 'MAIL', 'TCP'] as const
/** One of {@link destinationTypes}. */
export type DestinationType = (typeof destinationTypes)[number]

/** How the target is reached. */
export type ProxyType = 'Internet' | 'OnPremise' | 'PrivateLink'

/** What the caller presents at the target, parsed once. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly user: string; readonly password: Secret }
  /** A header ready to send, as the destination service's `authTokens[0].http_header` has it. */
  | { readonly kind: 'header'; readonly name: string; readonly value: Secret; readonly expiresAtMs?: number }
  | { readonly kind: 'principal' }

interface DestinationBase {
  readonly name: string
  readonly proxyType: ProxyType
  /** `''` is the connector without a location ID. */
  readonly locationId: string
  /** Every property as the service returned it, for what clients interpret themselves. */
  readonly properties: Readonly<Record<string, string>>
}

/** Target reached over HTTP or HTTPS. */
export interface HttpDestination extends DestinationBase {
  readonly type: 'HTTP'
  readonly url: URL
  readonly authentication: string
  /** `URL.headers.<name>` properties: headers that the client adds to every request. */
  readonly headers: Readonly<Record<string, string>>
  /** `URL.queries.<name>` properties: query parameters that the client adds to every request. */
  readonly queries: Readonly<Record<string, string>>
}

/** Target that is a byte stream. */
export interface TcpDestination extends DestinationBase {
  readonly type: 'TCP'
  readonly address: Address
}

/** Target that is a directory. */
export interface LdapDestination extends DestinationBase, LdapTarget {
  readonly type: 'LDAP'
}

/** Target that is a mail server: one that takes mail, or one that keeps it. */
export interface MailDestination extends DestinationBase, MailTarget {
  readonly type: 'MAIL'
}

/** Target that is an ABAP system, whose function modules are called. */
export interface RfcDestination extends DestinationBase, RfcTarget {
  readonly type: 'RFC'
}

/** One variant per type, parsed once at the edge. */
export type Destination = HttpDestination | LdapDestination | MailDestination | RfcDestination | TcpDestination
/** The variant of one type. */
export type DestinationOf<T extends Destination['type']> = Extract<Destination, { readonly type: T }>

const proxyTypes: readonly string[] = ['Internet', 'OnPremise', 'PrivateLink'] satisfies ProxyType[]

/**
 * Turns the flat property record of the destination service into a {@link Destination}.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` naming the property that is missing or malformed.
 */
export function parseDestination(properties: Readonly<Record<string, string>>): Destination {
  const name = properties['Name'] ?? ''
  const invalid = (what: string): ConnectivityError =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${what}`, { details: { destination: name } })
  const proxyType = ownProxyType(properties) ?? properties['ProxyType'] ?? 'Internet'
  if (!proxyTypes.includes(proxyType)) throw invalid(`ProxyType "${proxyType}" is not one of ${proxyTypes.join(', ')}`)
  const base = {
    name,
    proxyType: proxyType as ProxyType,
    locationId:
      (properties['Type'] === 'RFC' ? properties['jco.client.cloud_connector_location_id'] : undefined) ??
      properties['CloudConnectorLocationId'] ??
      '',
    properties,
  }
  switch (properties['Type']) {
    case 'HTTP': {
      const url = URL.parse(properties['URL'] ?? '')
      if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) throw invalid('URL is not an absolute http or https URL')
      if (url.username !== '' || url.password !== '')
        throw invalid('URL carries a user or password; use Authentication BasicAuthentication with the properties User and Password')
      return {
        ...base,
        type: 'HTTP',
        url,
        authentication: properties['Authentication'] ?? 'NoAuthentication',
        headers: withPrefix(properties, 'URL.headers.'),
        queries: withPrefix(properties, 'URL.queries.'),
      }
    }
    case 'LDAP':
      return { ...base, type: 'LDAP', ...parseLdapTarget(properties, invalid) }
    case 'MAIL':
      return { ...base, type: 'MAIL', ...parseMailTarget(properties, invalid) }
    case 'RFC':
      return { ...base, type: 'RFC', ...parseRfcTarget(properties, proxyType, invalid) }
    case 'TCP': {
      const address = (properties['Address'] ?? '').replace(/^tcp:\/\//, '')
      try {
        return { ...base, type: 'TCP', address: parseAddress(address) }
      } catch (cause) {
        throw new ConnectivityError('DESTINATION_INVALID', `destination "${name}": Address is not host:port`, {
          cause,
          details: { destination: name },
        })
      }
    }
    default:
      throw invalid(`Type "${properties['Type'] ?? ''}" has no adapter; HTTP, LDAP, MAIL, RFC and TCP have`)
  }
}

/** The credentials that a destination's own properties name; tokens come from the service's `authTokens` instead. */
export function credentialsOf(properties: Readonly<Record<string, string>>): Credentials {
  if (properties['Type'] === 'LDAP') {
    return properties['ldap.authentication'] === 'BasicAuthentication'
      ? { kind: 'basic', user: properties['ldap.user'] ?? '', password: createSecret(properties['ldap.password'] ?? '') }
      : { kind: 'none' }
  }
  if (properties['Type'] === 'RFC') return rfcCredentials(properties)
  // Who keeps User and Password for MAIL has them count too.
  const own = (name: string): string | undefined => (properties['Type'] === 'MAIL' ? properties[`mail.${name.toLowerCase()}`] : undefined)
  switch (properties['Authentication']) {
    case 'BasicAuthentication':
      return {
        kind: 'basic',
        user: own('User') ?? properties['User'] ?? '',
        password: createSecret(own('Password') ?? properties['Password'] ?? ''),
      }
    case 'PrincipalPropagation':
      return { kind: 'principal' }
    default:
      return { kind: 'none' }
  }
}

function rfcCredentials(properties: Readonly<Record<string, string>>): Credentials {
  const authentication = properties['jco.destination.auth_type'] ?? ''
  if (authentication !== '' && authentication !== 'CONFIGURED_USER') return { kind: 'principal' }
  const user = properties['jco.client.user']?.toUpperCase() || properties['jco.client.alias_user']
  return user ? { kind: 'basic', user, password: createSecret(properties['jco.client.passwd'] ?? '') } : { kind: 'none' }
}

/** Types that have a property of their own for it. JCo says `Local` for a system that is reached without any proxy. */
function ownProxyType(properties: Readonly<Record<string, string>>): string | undefined {
  if (properties['Type'] === 'LDAP') return properties['ldap.proxyType']
  if (properties['Type'] !== 'RFC') return undefined
  const proxyType = properties['jco.destination.proxy_type']
  return proxyType === 'Local' ? 'Internet' : proxyType
}

function withPrefix(properties: Readonly<Record<string, string>>, prefix: string): Record<string, string> {
  const found = Object.entries(properties).filter(([key]) => key.startsWith(prefix) && key.length > prefix.length)
  return Object.fromEntries(found.map(([key, value]) => [key.slice(prefix.length), value]))
}
