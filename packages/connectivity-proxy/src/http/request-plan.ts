import { isUtf8 } from 'node:buffer'
import { parseAuthority, parseRequestTarget, type RequestHead } from '@sallyport/http-head'
import { maxLocationIdBytes } from '../limits.ts'
import type { Refusal } from '../refusal.ts'
import * as refusals from '../refusals.ts'
import { isVirtualHost } from '../virtual-host.ts'
import { removedByName, removedByPrefix } from './removed-headers.ts'

/** What the proxy reads from a request head, and the head that goes on. */
export interface RequestPlan {
  /** Lower case. */
  readonly host: string
  readonly port: number
  /** Origin form of the target, byte for byte. */
  readonly target: string
  /** Header lines for the connector. */
  readonly lines: string[]
  /** Whether the request asks for another protocol that may be granted. */
  readonly upgrade: boolean
  readonly controls: ControlHeaders
}

/** Raw values of the headers that are for the proxy; `undefined` where there is none. */
export interface ControlHeaders {
  readonly proxyAuthorization: string | undefined
  readonly userAuthentication: string | undefined
  readonly technicalAuthentication: string | undefined
  readonly serviceToken: string | undefined
  /** `''` without the header: the connector without location ID. */
  readonly locationId: string
}

/**
 * Takes a request head apart: where it goes to, what is for the proxy, what goes on. Pure.
 *
 * Everything that is not hop-by-hop, not for the proxy and not a certificate header keeps its spelling, order and count. `Host` becomes the authority of an
 * absolute target, because a proxy must not believe a differing one (RFC 9112 §3.2.2).
 */
export function planRequest(head: RequestHead): RequestPlan | Refusal {
  const target = parseRequestTarget(head.target)
  if (target?.form === 'authority' || head.method === 'CONNECT') return refusals.httpsUnsupported
  if (target === undefined) return refusals.targetUnusable
  const hostAt = head.names.indexOf('host')
  let host: string
  let port: number
  let path: string
  if (target.form === 'absolute') {
    if (target.scheme !== 'http') return target.scheme === 'https' ? refusals.httpsUnsupported : refusals.targetUnusable
    ;({ host, port, path } = target)
    // RFC 9112 §3.2.4: an OPTIONS request for the whole server has lost its asterisk on the way through a proxy.
    if (head.method === 'OPTIONS' && path === '/' && !head.target.endsWith('/')) path = '*'
  } else {
    const authority = hostAt < 0 ? undefined : parseAuthority(head.values[hostAt] ?? '', 80)
    if (authority === undefined) return refusals.targetUnusable
    ;({ host, port } = authority)
    path = target.form === 'asterisk' ? '*' : target.path
  }
  if (!isVirtualHost(host)) return refusals.targetUnusable

  const { names, values, lines, connectionOptions } = head
  const upgrade = head.upgrade !== undefined && !/\bh2c\b/.test(head.upgrade)
  const kept: string[] = []
  if (target.form === 'absolute' && hostAt < 0) kept.push(`Host: ${authorityText(head.target)}`)
  let proxyAuthorization: string | undefined
  let userAuthentication: string | undefined
  let technicalAuthentication: string | undefined
  let serviceToken: string | undefined
  let location: string | undefined
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at] ?? ''
    const value = values[at] ?? ''
    switch (name) {
      case 'host':
        kept.push(target.form === 'absolute' ? hostLine(lines[at] ?? '', value, authorityText(head.target)) : (lines[at] ?? ''))
        continue
      case 'proxy-authorization':
        if (proxyAuthorization !== undefined) return refusals.repeatedHeader('Proxy-Authorization')
        proxyAuthorization = value
        continue
      case 'sap-connectivity-authentication':
        if (userAuthentication !== undefined) return refusals.repeatedHeader('SAP-Connectivity-Authentication')
        userAuthentication = value
        continue
      case 'sap-connectivity-technical-authentication':
        if (technicalAuthentication !== undefined) return refusals.repeatedHeader('SAP-Connectivity-Technical-Authentication')
        technicalAuthentication = value
        continue
      case 'sap-connectivity-scc-location_id':
        if (location !== undefined) return refusals.repeatedHeader('SAP-Connectivity-SCC-Location_ID')
        location = value
        continue
      case 'sap-cp-connectivity-service-token':
        if (serviceToken !== undefined) return refusals.repeatedHeader('SAP-CP-Connectivity-Service-Token')
        serviceToken = value
        continue
      default:
        if (removedByName.has(name) || removedByPrefix(name)) continue
        if (connectionOptions.length > 0 && connectionOptions.includes(name)) continue
        kept.push(lines[at] ?? '')
    }
  }
  if (upgrade) kept.push(`Upgrade: ${head.upgrade ?? ''}`)
  if (upgrade || !head.keepAlive || head.minorVersion === 0) kept.push(upgrade ? 'Connection: Upgrade' : 'Connection: close')
  const locationId = readLocation(location ?? '')
  if (locationId === undefined) return refusals.locationTooLong
  const controls = { proxyAuthorization, userAuthentication, technicalAuthentication, serviceToken, locationId }
  return { host, port, target: path, lines: kept, upgrade, controls }
}

/** Authority of an absolute target as it was written. */
function authorityText(target: string): string {
  const from = 'http://'.length
  for (let at = from; at < target.length; at += 1) {
    const code = target.charCodeAt(at)
    if (code === 0x2f || code === 0x3f) return target.slice(from, at)
  }
  return target.slice(from)
}

function hostLine(line: string, value: string, authority: string): string {
  return value === authority ? line : `Host: ${authority}`
}

/** Header bytes that are UTF-8 are read as such, since the connector registers text; anything else is Latin-1. `undefined`: no location ID can be like that. */
function readLocation(value: string): string | undefined {
  if (value === '') return value
  if (/^[\x20-\x7e]*$/.test(value)) return value.length <= maxLocationIdBytes ? value : undefined
  const bytes = Buffer.from(value, 'latin1')
  const text = isUtf8(bytes) ? bytes.toString('utf8') : value
  return Buffer.byteLength(text) <= maxLocationIdBytes && !/\p{Cc}/u.test(text) ? text : undefined
}
