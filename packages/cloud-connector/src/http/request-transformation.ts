import type { RequestHead } from '@sallyport/http-head'
import type { VirtualAddress } from '../access-control/access-decision.ts'
import { formatHostPort } from '../access-control/host-port.ts'
import { internalPortOf, type SystemMapping } from '../access-control/system-mapping.ts'
import type { Exchange } from './exchange.ts'

/** What a request carries to the backend beside the application's own headers. */
export interface AddedHeaders {
  /** `SSL_CLIENT_CERT` lines, ready to send; empty when the backend shall see none. */
  readonly userCertificate: readonly string[]
  /** Value of `Authorization`, in place of the application's; `undefined` leaves that alone. */
  readonly authorization?: string
}

const nothingAdded: readonly string[] = []

/** No header about the user's certificate. */
export const noUserCertificate: AddedHeaders = { userCertificate: nothingAdded }

/** Tells the backend not to use the TLS client certificate for logging on. */
export const emptyUserCertificate: AddedHeaders = { userCertificate: ['SSL_CLIENT_CERT:'] }

/**
 * Whether a header, by its lower-case name, claims to be the connector's own word about the user's certificate. Backends fold everything that is
 * not a letter or digit into `_`, so every such spelling counts.
 */
function isCertificateHeader(name: string): boolean {
  return name.startsWith('ssl') && /^ssl[^a-z0-9]client[^a-z0-9]cert/.test(name)
}

/** Whether a header, by its lower-case name, is meant for the cloud side and must not reach a backend. */
function isConnectivityHeader(name: string): boolean {
  const first = name.charCodeAt(0)
  if (first !== 0x73 && first !== 0x70) return false
  const folded = name.includes('_') ? name.replaceAll('_', '-') : name
  return (
    folded.startsWith('sap-connectivity-') ||
    folded === 'sap-cp-connectivity-service-token' ||
    folded === 'proxy-authorization' ||
    folded === 'proxy-connection'
  )
}

/** Names the user. `value` comes from the certificate issuer. */
export function certificateHeaders(value: string): AddedHeaders {
  return { userCertificate: [`SSL_CLIENT_CERT: ${value}`] }
}

/** Logs the user on with a ticket (RFC 4559). */
export function ticketHeaders(ticket: Buffer): AddedHeaders {
  return { userCertificate: nothingAdded, authorization: `Negotiate ${ticket.toString('base64')}` }
}

/** Whether a user's certificate would travel. */
export function carriesCertificate(added: AddedHeaders): boolean {
  return added.userCertificate.length > 0 && added !== emptyUserCertificate
}

/** Headers, and trailers alike, that an application's request never carries to a backend. `name` is in lower case. */
export function isReservedHeader(name: string): boolean {
  return isCertificateHeader(name) || isConnectivityHeader(name)
}

/**
 * Why a request may not go on at all, whoever sends it: no path to decide about, or a `Connection` option that would make the next hop remove what the connector adds, such as the empty
 * certificate header that keeps the system user from being logged on.
 */
export function explainRequest(head: RequestHead): string | undefined {
  if (head.method === 'CONNECT') return 'CONNECT is not served'
  if (head.target.charCodeAt(0) !== 47 && head.target !== '*') return 'the target is not a path'
  if (head.connectionOptions.length === 0) return undefined
  const named = head.connectionOptions.find(
    (option) => isCertificateHeader(option) || option === 'x-forwarded-host' || option === 'authorization',
  )
  return named === undefined ? undefined : `Connection must not name ${named.slice(0, 50)}`
}

/**
 * The header lines for the backend, or `undefined` when the head can go on byte for byte.
 *
 * `Host` becomes the internal host, or stays the virtual one: an application that writes another name into it would otherwise choose among the
 * backend's virtual hosts without being asked by access control.
 */
export function transformRequestLines({
  added,
  address,
  head,
  route,
}: Pick<Exchange, 'added' | 'address' | 'head' | 'route'>): readonly string[] | undefined {
  const { mapping } = route as NonNullable<typeof route>
  const internal = mapping.hostInHeader === 'INTERNAL'
  const { lines, names, values } = head
  const { authorization } = added
  const adds = added.userCertificate.length > 0 || authorization !== undefined
  if (!adds && !internal && isUntouched(head, address)) return undefined
  const virtualText = formatHostPort(address.host, address.port, 80)
  let changed = adds || internal
  let hosts = 0
  const kept: string[] = []
  for (let at = 0; at < names.length; at++) {
    const name = names[at] as string
    if (name === 'host') {
      hosts++
      if (!internal && namesVirtualHost(values[at] as string, address)) kept.push(lines[at] as string)
      else {
        changed = true
        kept.push(`Host: ${internal ? internalText(mapping, address) : virtualText}`)
      }
    } else if (isReservedHeader(name) || (internal && name === 'x-forwarded-host')) changed = true
    else if (authorization !== undefined && name === 'authorization') changed = true
    else kept.push(lines[at] as string)
  }
  if (hosts === 0) {
    changed = true
    kept.unshift(`Host: ${internal ? internalText(mapping, address) : virtualText}`)
  }
  if (!changed) return undefined
  if (internal) kept.push(`X-Forwarded-Host: ${virtualText}`)
  for (const line of added.userCertificate) kept.push(line)
  if (authorization !== undefined) kept.push(`Authorization: ${authorization}`)
  return kept
}

/** Whether a head that stays as it is names the virtual host once, and nothing that is reserved. */
function isUntouched({ names, values }: RequestHead, address: VirtualAddress): boolean {
  let hosts = 0
  for (let at = 0; at < names.length; at++) {
    const name = names[at] as string
    if (name !== 'host') {
      if (isReservedHeader(name)) return false
    } else if (hosts++ > 0 || !namesVirtualHost(values[at] as string, address)) return false
  }
  return hosts === 1
}

function namesVirtualHost(value: string, { host, port }: VirtualAddress): boolean {
  if (!value.startsWith(host) && !value.toLowerCase().startsWith(host)) return false
  return value.length === host.length || value.slice(host.length) === `:${port}`
}

function internalText(mapping: SystemMapping, address: VirtualAddress): string {
  const port = internalPortOf(mapping, address.port)
  return formatHostPort(mapping.internalHost, port, mapping.protocol === 'HTTPS' ? 443 : 80)
}
