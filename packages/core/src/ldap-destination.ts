import { type Address, tryParseAddress } from './address.ts'
import { type InvalidProperty, type Properties, readBoolean, readMilliseconds } from './property-values.ts'

/** What is particular to a destination of type LDAP. */
export interface LdapTarget {
  readonly address: Address
  /** `implicit` is `ldaps:`; `startTls` begins in plain and secures the connection before anything else is said. */
  readonly tls: 'none' | 'implicit' | 'startTls'
  readonly authentication: 'NoAuthentication' | 'BasicAuthentication'
  /** Where searches begin that name no base; `''` is the root of the directory. */
  readonly baseDn: string
  /** Longest wait for an answer. */
  readonly timeoutMs: number | undefined
  /** Longest time for a connection: dial, TLS and bind together. */
  readonly connectTimeoutMs: number | undefined
}

const defaultPorts: Readonly<Record<string, number>> = { ldap: 389, ldaps: 636 }

/** Reads the `ldap.*` properties. `invalid` makes the error for a property that is missing or malformed. */
export function parseLdapTarget(properties: Properties, invalid: InvalidProperty): LdapTarget {
  const { scheme, address, path } = parseLdapUrl(properties['ldap.url'] ?? '', invalid)
  const startTls = readBoolean(properties, 'ldap.startTls', invalid) ?? false
  if (startTls && scheme === 'ldaps') throw invalid('ldap.startTls is for ldap URLs; ldaps is secured from its first byte')
  const authentication = properties['ldap.authentication'] ?? 'NoAuthentication'
  if (authentication !== 'NoAuthentication' && authentication !== 'BasicAuthentication') {
    throw invalid(`ldap.authentication "${authentication}" is not one of NoAuthentication, BasicAuthentication`)
  }
  if (authentication === 'BasicAuthentication' && (properties['ldap.user'] ?? '') === '') {
    throw invalid('ldap.user is missing; BasicAuthentication binds with it')
  }
  return {
    address,
    tls: scheme === 'ldaps' ? 'implicit' : startTls ? 'startTls' : 'none',
    authentication,
    baseDn: properties['ldap.baseDN'] ?? path,
    timeoutMs: readMilliseconds(properties, 'ldap.timeout', invalid),
    connectTimeoutMs: readMilliseconds(properties, 'ldap.connectTimeout', invalid),
  }
}

/** RFC 4516 §2 as far as a connection needs it: scheme, host, port, and a DN that serves as base. The case of the host is kept. */
function parseLdapUrl(url: string, invalid: InvalidProperty): { scheme: string; address: Address; path: string } {
  const malformed = (): Error => invalid('ldap.url is not ldap://host:port or ldaps://host:port')
  const match = /^(ldaps?):\/\/([^/?#]+)(?:\/([^?#]*))?$/i.exec(url)
  const scheme = match?.[1]?.toLowerCase() ?? ''
  const address = tryParseAddress(match?.[2] ?? '', defaultPorts[scheme])
  if (address === undefined) throw malformed()
  try {
    return { scheme, address, path: decodeURIComponent(match?.[3] ?? '') }
  } catch {
    throw malformed()
  }
}
