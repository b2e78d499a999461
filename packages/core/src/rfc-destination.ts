import { createJcoProperties, type JcoProperties } from './jco-properties.ts'
import { maxMilliseconds } from './property-values.ts'
import { parseRfcPoolSettings, type RfcPoolSettings } from './rfc-pool-settings.ts'
import { parseRfcServer, type RfcServer } from './rfc-server.ts'
import { createSecret, type Secret } from './secret.ts'

/** How calls are executed: see `@sallyport/rfc`. */
export const rfcBindingNames = ['node-rfc', 'classic', 'soap'] as const
/** One of {@link rfcBindingNames}. */
export type RfcBindingName = (typeof rfcBindingNames)[number]

/** What is particular to a destination of type RFC. Sources: protocols.md 9.1. */
export interface RfcTarget {
  readonly server: RfcServer
  readonly authentication: 'CONFIGURED_USER' | 'PrincipalPropagation' | 'TechnicalUserPropagation'
  readonly logon: RfcUser
  /** Present exactly with TechnicalUserPropagation. */
  readonly technicalUser: RfcTechnicalUser | undefined
  readonly pool: RfcPoolSettings
  /** `undefined` leaves the choice to the adapter. */
  readonly binding: RfcBindingName | undefined
  /** Name of the HTTP destination that carries SOAP. */
  readonly soapDestination: string | undefined
  /** Longest time of a call; 0 is no limit. */
  readonly callTimeoutMs: number
  readonly repository: RfcRepository
  readonly secureNetwork: RfcSecureNetwork | undefined
  readonly columnBased: boolean
  readonly delta: boolean
  readonly network: 'LAN' | 'WAN'
  readonly codePage: string
  readonly trace: boolean
  readonly trustAll: boolean
  /** `/H/host/S/service…`, for connections that no connector makes. */
  readonly saprouter: string | undefined
  /** Another gateway than that of the server. */
  readonly gateway: { readonly host: string | undefined; readonly service: string | undefined } | undefined
}

/** Who logs on, and where. The password is part of the credentials. */
export interface RfcUser {
  /** Three digits; `undefined` only for a WebSocket connection. */
  readonly client: string | undefined
  /** Upper case. */
  readonly user: string | undefined
  readonly aliasUser: string | undefined
  /** ISO code of two characters or SAP's code of one. */
  readonly language: string | undefined
  readonly ticket: Secret | undefined
  readonly certificate: string | undefined
  readonly externalId: { readonly type: string; readonly data: string } | undefined
  /** The TLS client certificate logs on; WebSocket only. */
  readonly byTlsCertificate: boolean
}

/** An application that gets a token for itself (RFC 6749 §4.4), which stands for it at the system. */
export interface RfcTechnicalUser {
  readonly clientId: string
  readonly clientSecret: Secret
  /** The token endpoint; where the property names none it is `/oauth/token`. */
  readonly tokenUrl: URL
}

/** Where the descriptions of function modules come from. */
export interface RfcRepository {
  /** Name of another destination of type RFC. */
  readonly destination: string | undefined
  readonly user: string | undefined
  readonly password: Secret | undefined
  /** How often descriptions are looked up again; 0 is never. */
  readonly checkIntervalMinutes: number
}

/** Secure Network Communication: cryptography of SAP's library, between its ends only. */
export interface RfcSecureNetwork {
  readonly partnerName: string
  readonly myName: string | undefined
  readonly qualityOfProtection: string | undefined
  readonly library: string | undefined
  readonly singleSignOn: boolean
}

/** 35 000 years of minutes would overflow a timer; a year is more than anybody waits. */
const maxMinutes = 525_600

/**
 * Reads the `jco.*` properties. `invalid` makes the error for a property that is missing or malformed. Properties that begin with
 * `jco.client.` or `jco.destination.` and are not known here stay in the destination's record and have no effect.
 */
export function parseRfcTarget(
  properties: Readonly<Record<string, string>>,
  proxyType: string,
  invalid: (what: string) => Error,
): RfcTarget {
  const jco = createJcoProperties(properties, invalid)
  const server = parseRfcServer(jco, invalid)
  const authentication = parseAuthentication(jco, proxyType, invalid)
  return {
    server,
    authentication,
    technicalUser: authentication === 'TechnicalUserPropagation' ? parseTechnicalUser(jco, invalid) : undefined,
    logon: parseUser(jco, server, invalid),
    pool: parseRfcPoolSettings(jco),
    binding: parseBinding(jco, server, invalid),
    soapDestination: jco.text('jco.destination.x.soap_destination'),
    callTimeoutMs: jco.whole('jco.destination.x.call_timeout', 0, maxMilliseconds),
    repository: parseRepository(jco, invalid),
    secureNetwork: parseSecureNetwork(jco, invalid),
    columnBased: jco.oneOf('jco.client.serialization_format', ['rowBased', 'columnBased']) === 'columnBased',
    delta: jco.flag('jco.client.delta', true),
    network: jco.oneOf('jco.client.network', ['LAN', 'WAN']),
    codePage: jco.text('jco.client.codepage', /^\d{4}$/, 'four digits') ?? '1100',
    trace: jco.flag('jco.client.trace', false),
    trustAll: jco.flag('jco.client.tls_trust_all', false),
    saprouter: jco.text('jco.client.saprouter', /^\/H\/[^\s]{1,1000}$/i, 'a route such as /H/router.example.org/S/3299'),
    gateway: parseGateway(jco),
  }
}

/** `ws` is node-rfc over a WebSocket: nothing else speaks it. */
function parseBinding(jco: JcoProperties, server: RfcServer, invalid: (what: string) => Error): RfcBindingName | undefined {
  const binding = jco.oneOf('jco.destination.x.binding', ['auto', ...rfcBindingNames, 'ws'])
  if (binding === 'ws' && server.kind !== 'websocket') throw invalid('jco.destination.x.binding ws is for jco.client.wshost alone')
  if (binding === 'ws') return 'node-rfc'
  return binding === 'auto' ? undefined : binding
}

function parseAuthentication(jco: JcoProperties, proxyType: string, invalid: (what: string) => Error): RfcTarget['authentication'] {
  const name = 'jco.destination.auth_type'
  const authentication = jco.oneOf(name, ['CONFIGURED_USER', 'PrincipalPropagation', 'TechnicalUserPropagation'])
  if (authentication !== 'CONFIGURED_USER' && proxyType !== 'OnPremise') {
    throw invalid(`${name} ${authentication} is for jco.destination.proxy_type OnPremise alone`)
  }
  return authentication
}

function parseTechnicalUser(jco: JcoProperties, invalid: (what: string) => Error): RfcTechnicalUser {
  const needed = (name: string): string => {
    const value = jco.text(name)
    if (value === undefined) throw invalid(`${name} is missing; TechnicalUserPropagation needs it`)
    return value
  }
  const clientId = needed('jco.client.tech_user_id')
  const clientSecret = createSecret(needed('jco.client.tech_user_secret'))
  const url = URL.parse(needed('jco.client.tech_user_service_url'))
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '') {
    throw invalid('jco.client.tech_user_service_url is not an http or https URL')
  }
  return { clientId, clientSecret, tokenUrl: url.pathname === '/' ? new URL('/oauth/token', url) : url }
}

function parseUser(jco: JcoProperties, server: RfcServer, invalid: (what: string) => Error): RfcUser {
  const client = jco.text('jco.client.client', /^\d{3}$/, 'three digits')
  if (client === undefined && server.kind !== 'websocket') throw invalid('jco.client.client is missing')
  const user = jco.text('jco.client.user', /^[^\p{Cc}]{1,12}$/u, 'a user name of at most 12 characters')?.toUpperCase()
  const aliasUser = jco.text('jco.client.alias_user', /^[^\p{Cc}]{1,40}$/u, 'a user alias of at most 40 characters')
  if (user !== undefined && aliasUser !== undefined) throw invalid('jco.client.user and jco.client.alias_user exclude each other')
  jco.text('jco.client.passwd', /^.{1,40}$/su, 'a password of at most 40 characters')
  const byTlsCertificate = jco.flag('jco.client.tls_client_certificate_logon', false)
  if (byTlsCertificate && server.kind !== 'websocket')
    throw invalid('jco.client.tls_client_certificate_logon is for jco.client.wshost alone')
  const language = jco.text('jco.client.lang', /^(?:[A-Za-z]{2}|[\x21-\x7e])$/, 'a language code of one or two characters')
  const ticket = jco.text('jco.client.mysapsso2')
  const type = jco.text('jco.client.extid_type')
  const data = jco.text('jco.client.extid_data')
  if ((type === undefined) !== (data === undefined)) throw invalid('jco.client.extid_type and jco.client.extid_data belong together')
  return {
    client,
    user,
    aliasUser,
    language: language?.length === 2 ? language.toUpperCase() : language,
    ticket: ticket === undefined ? undefined : createSecret(ticket),
    certificate: jco.text('jco.client.x509cert'),
    externalId: type === undefined || data === undefined ? undefined : { type, data },
    byTlsCertificate,
  }
}

function parseRepository(jco: JcoProperties, invalid: (what: string) => Error): RfcRepository {
  const user = jco.text('jco.destination.repository.user', /^[^\p{Cc}]{1,12}$/u, 'a user name of at most 12 characters')?.toUpperCase()
  const password = jco.text('jco.destination.repository.passwd', /^.{1,40}$/su, 'a password of at most 40 characters')
  if (user !== undefined && password === undefined)
    throw invalid('jco.destination.repository.passwd is missing; jco.destination.repository.user needs it')
  return {
    destination: jco.text('jco.destination.repository_destination'),
    user,
    password: password === undefined ? undefined : createSecret(password),
    checkIntervalMinutes: jco.whole('jco.destination.repository.check_interval', 0, maxMinutes),
  }
}

function parseSecureNetwork(jco: JcoProperties, invalid: (what: string) => Error): RfcSecureNetwork | undefined {
  const qualityOfProtection = jco.text('jco.client.snc_qop', /^[12389]$/, 'one of 1, 2, 3, 8, 9')
  const singleSignOn = jco.flag('jco.client.snc_sso', true)
  if (!jco.flag('jco.client.snc_mode', false)) return undefined
  const partnerName = jco.text('jco.client.snc_partnername')
  if (partnerName === undefined) throw invalid('jco.client.snc_partnername is missing; jco.client.snc_mode 1 needs it')
  return {
    partnerName,
    myName: jco.text('jco.client.snc_myname'),
    qualityOfProtection,
    library: jco.text('jco.client.snc_lib'),
    singleSignOn,
  }
}

function parseGateway(jco: JcoProperties): RfcTarget['gateway'] {
  const host = jco.text('jco.client.gwhost', /^[^\s/?#@]{1,255}$/, 'a host name or address')
  const service = jco.text('jco.client.gwserv', /^[A-Za-z0-9_-]{1,40}$/, 'a port or the name of a service')
  return host === undefined && service === undefined ? undefined : { host, service }
}
