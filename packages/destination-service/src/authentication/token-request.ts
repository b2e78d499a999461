import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { defaultTokenTimeoutSeconds, maxTokenConnectTimeoutSeconds, maxTokenReadTimeoutSeconds } from '../limits.ts'
import type { ClientProof } from './client-authentication.ts'
import type { OutgoingRequest, OutgoingRoute, OutgoingTls } from './outgoing-request.ts'
import { withPrefix } from './property-reading.ts'

/** What a token request is put together from. */
export interface TokenRequestParts {
  readonly url: URL
  readonly route: OutgoingRoute
  readonly tls: OutgoingTls
  /** `grant_type` and the fields of the flow. */
  readonly grant: Readonly<Record<string, string>>
  readonly proof: ClientProof
}

/**
 * Puts together the call that a destination describes. Everything that matters for the token is in the outcome.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` for an extra header that cannot be sent.
 */
export function tokenRequest(properties: DestinationRecord, parts: TokenRequestParts): OutgoingRequest {
  const { url, route, tls, grant, proof } = parts
  const queries = [url.search.slice(1), encodePairs(withPrefix(properties, 'tokenServiceURL.queries.'))].filter((query) => query !== '')
  const fields = new Map(Object.entries({ ...grant, ...proof.fields }))
  if (properties['scope']) fields.set('scope', properties['scope'])
  for (const [name, value] of withPrefix(properties, 'tokenService.body.')) fields.set(name, value)
  // Nothing may turn this into another grant.
  if (grant['grant_type'] !== undefined) fields.set('grant_type', grant['grant_type'])
  return {
    method: 'POST',
    origin: url.origin,
    path: url.pathname + (queries.length === 0 ? '' : `?${queries.join('&')}`),
    headers: requestHeaders(properties, proof),
    body: new URLSearchParams([...fields]).toString(),
    route,
    tls,
    connectTimeoutMs: 1_000 * seconds(properties['tokenServiceURL.ConnectionTimeoutInSeconds'], maxTokenConnectTimeoutSeconds),
    readTimeoutMs: 1_000 * seconds(properties['tokenServiceURL.SocketReadTimeoutInSeconds'], maxTokenReadTimeoutSeconds),
  }
}

function requestHeaders(properties: DestinationRecord, { authorization }: ClientProof): Readonly<Record<string, string>> {
  const headers = new Map([
    ['content-type', 'application/x-www-form-urlencoded'],
    ['accept', 'application/json'],
  ])
  for (const [name, value] of withPrefix(properties, 'tokenServiceURL.headers.')) {
    if (!headerName.test(name) || !headerValue.test(value))
      throw new ConnectivityError('DESTINATION_INVALID', 'A tokenServiceURL.headers property is not a valid header')
    if (framingHeaders.has(name.toLowerCase()))
      throw new ConnectivityError('DESTINATION_INVALID', `The property tokenServiceURL.headers.${name} cannot be set`)
    headers.set(name.toLowerCase(), value)
  }
  if (authorization !== undefined) headers.set('authorization', authorization)
  return Object.fromEntries(headers)
}

/** `undefined` and everything outside 0..max count as the default. 0, "no limit" to the original, is the largest limit here: nothing waits for ever. */
function seconds(text: string | undefined, max: number): number {
  if (text === undefined || !/^\d{1,9}$/.test(text.trim()) || Number(text) > max) return defaultTokenTimeoutSeconds
  return Number(text) === 0 ? max : Number(text)
}

function encodePairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** These belong to the connection, to the framing of the message, or to the proxies on the way. */
const framingHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'sap-connectivity-authentication',
  'sap-connectivity-scc-location_id',
  'sap-connectivity-technical-authentication',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
