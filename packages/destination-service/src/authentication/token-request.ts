import type { DestinationRecord } from '@sallyport/admin-api'
import type { TypedToken } from '../find/find-headers.ts'
import { defaultTokenTimeoutSeconds, maxTokenConnectTimeoutSeconds, maxTokenReadTimeoutSeconds } from '../limits.ts'
import type { OutgoingRequest } from './outgoing.ts'
import { resolveTokenUrl } from './token-url.ts'

/** A call to a token service, or why it cannot be made. */
export type TokenRequest = { readonly request: OutgoingRequest } | { readonly problem: string }

const unsupported = (what: string): TokenRequest => ({ problem: `${what} is not supported by this version` })

/** Puts together the call that a client-credentials destination describes. Everything that matters for the token is in the outcome. */
export function clientCredentialsRequest(
  properties: DestinationRecord,
  caller: { readonly subdomain: string | undefined; readonly assertion: TypedToken | undefined; readonly alwaysInternet: boolean },
): TokenRequest {
  const route = caller.alwaysInternet ? 'Internet' : properties['tokenServiceURL.ProxyType'] || properties['ProxyType'] || 'Internet'
  if (route !== 'Internet') return unsupported(`A token service with the ProxyType ${route}`)
  if (properties['tokenService.KeyStoreLocation']) return unsupported('Client authentication with tokenService.KeyStoreLocation')
  if (!properties['clientId']) return { problem: 'The property clientId is missing' }
  const common = properties['tokenServiceURLType']?.toLowerCase() === 'common'
  const resolved = resolveTokenUrl(properties['tokenServiceURL'] ?? '', { common, subdomain: caller.subdomain })
  if ('problem' in resolved) return resolved
  const { url } = resolved
  const trustAll = properties['TrustAll']?.toLowerCase() === 'true'
  if (url.protocol === 'https:' && !trustAll && properties['TrustStoreLocation']) return unsupported('TrustStoreLocation')

  const headers = requestHeaders(properties, caller.assertion)
  if ('problem' in headers) return headers
  const queries = [url.search.slice(1), encodePairs(withPrefix(properties, 'tokenServiceURL.queries.'))].filter((query) => query !== '')
  return {
    request: {
      origin: url.origin,
      path: url.pathname + (queries.length === 0 ? '' : `?${queries.join('&')}`),
      headers: headers.headers,
      body: new URLSearchParams([...formFields(properties, caller.assertion)]).toString(),
      trustAll,
      connectTimeoutMs: 1_000 * seconds(properties['tokenServiceURL.ConnectionTimeoutInSeconds'], maxTokenConnectTimeoutSeconds),
      readTimeoutMs: 1_000 * seconds(properties['tokenServiceURL.SocketReadTimeoutInSeconds'], maxTokenReadTimeoutSeconds),
    },
  }
}

/** How the client proves who it is: an assertion, else a technical user, else the client's own secret in the header or in the form. */
function requestHeaders(
  properties: DestinationRecord,
  assertion: TypedToken | undefined,
): { readonly headers: Readonly<Record<string, string>> } | { readonly problem: string } {
  const headers = new Map([
    ['content-type', 'application/x-www-form-urlencoded'],
    ['accept', 'application/json'],
  ])
  for (const [name, value] of withPrefix(properties, 'tokenServiceURL.headers.')) {
    if (!headerName.test(name) || !headerValue.test(value)) return { problem: 'A tokenServiceURL.headers property is not a valid header' }
    if (framingHeaders.has(name.toLowerCase())) return { problem: `The property tokenServiceURL.headers.${name} cannot be set` }
    headers.set(name.toLowerCase(), value)
  }
  const basic = assertion === undefined ? basicCredentials(properties) : undefined
  if (basic !== undefined)
    headers.set('authorization', `Basic ${Buffer.from(`${basic.user}:${basic.password}`, 'utf8').toString('base64')}`)
  return { headers: Object.fromEntries(headers) }
}

function basicCredentials(properties: DestinationRecord): { readonly user: string; readonly password: string } | undefined {
  if (properties['tokenServiceUser']) return { user: properties['tokenServiceUser'], password: properties['tokenServicePassword'] ?? '' }
  if (!credentialsInForm(properties)) return { user: properties['clientId'] ?? '', password: properties['clientSecret'] ?? '' }
  return undefined
}

function credentialsInForm(properties: DestinationRecord): boolean {
  return properties['tokenService.addClientCredentialsInBody']?.toLowerCase() !== 'false'
}

function formFields(properties: DestinationRecord, assertion: TypedToken | undefined): Map<string, string> {
  const fields = new Map<string, string>()
  if (assertion !== undefined) {
    fields.set('client_id', properties['clientId'] ?? '')
    fields.set('client_assertion_type', assertion.type)
    fields.set('client_assertion', assertion.value)
  } else if (credentialsInForm(properties)) {
    fields.set('client_id', properties['clientId'] ?? '')
    // A public client has none.
    if (properties['clientSecret']) fields.set('client_secret', properties['clientSecret'])
  }
  if (properties['scope']) fields.set('scope', properties['scope'])
  for (const [name, value] of withPrefix(properties, 'tokenService.body.')) fields.set(name, value)
  // Nothing may turn this into another grant.
  fields.set('grant_type', 'client_credentials')
  return fields
}

/** `undefined` and everything outside 0..max count as the default. 0, "no limit" to the original, is the largest limit here: nothing waits for ever. */
function seconds(text: string | undefined, max: number): number {
  if (text === undefined || !/^\d{1,9}$/.test(text.trim()) || Number(text) > max) return defaultTokenTimeoutSeconds
  return Number(text) === 0 ? max : Number(text)
}

function withPrefix(properties: DestinationRecord, prefix: string): [string, string][] {
  return Object.entries(properties).flatMap(([key, value]): [string, string][] =>
    key.startsWith(prefix) && key.length > prefix.length ? [[key.slice(prefix.length), value]] : [],
  )
}

function encodePairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')
}

const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
const headerValue = /^[\t\x20-\x7e\x80-\xff]*$/

/** These belong to the connection and to the framing of the message. */
const framingHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])
