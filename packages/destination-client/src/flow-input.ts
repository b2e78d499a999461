import { createHash } from 'node:crypto'
import { ConnectivityError, type Secret } from '@sallyport/core'

/** What the authentication type of a destination asks its caller for, besides the user; and what is laid over the destination. */
export interface FlowInput {
  /** Subdomain of the tenant for which a `Common` token service is asked (`X-tenant`). */
  readonly tenant?: string
  /** For `OAuth2RefreshToken`. */
  readonly refreshToken?: Secret
  /** For `OAuth2AuthorizationCode`. */
  readonly code?: { readonly value: Secret; readonly redirectUri?: string; readonly verifier?: Secret }
  /** For `OAuth2SAMLBearerAssertion` with an assertion of the caller's, in Base64. */
  readonly samlAssertion?: Secret
  /** For `OAuth2TokenExchange` (RFC 8693); the types are those of its §3. */
  readonly subject?: { readonly token: Secret; readonly type: string }
  readonly actor?: { readonly token: Secret; readonly type: string }
  /** A fragment whose properties win over the destination's. A missing one is an error unless it is `optional`. */
  readonly fragment?: { readonly name: string; readonly optional?: boolean }
}

/** The headers that carry it. @throws ConnectivityError `MESSAGE_INVALID` for what no header can carry; the value is not quoted. */
export function flowHeaders(flow: FlowInput | undefined): Readonly<Record<string, string>> {
  if (flow === undefined) return {}
  const given: Readonly<Record<string, string | undefined>> = {
    'x-tenant': flow.tenant,
    'x-refresh-token': flow.refreshToken?.reveal(),
    'x-code': flow.code?.value.reveal(),
    'x-redirect-uri': flow.code?.redirectUri,
    'x-code-verifier': flow.code?.verifier?.reveal(),
    'x-samlassertion': flow.samlAssertion?.reveal(),
    'x-subject-token': flow.subject?.token.reveal(),
    'x-subject-token-type': flow.subject?.type,
    'x-actor-token': flow.actor?.token.reveal(),
    'x-actor-token-type': flow.actor?.type,
    'x-fragment-name': flow.fragment?.name,
    'x-fragment-optional': flow.fragment?.optional === true ? 'true' : undefined,
  }
  return Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => {
      if (value === undefined) return []
      if (!/^[\x20-\x7e]+$/.test(value)) throw new ConnectivityError('MESSAGE_INVALID', `find a destination: ${name} is no header value`)
      return [[name, value]]
    }),
  )
}

/** Tells one input from another without keeping its secrets. */
export function flowDigest(flow: FlowInput | undefined): string {
  const headers = flowHeaders(flow)
  return Object.keys(headers).length === 0 ? '' : createHash('sha256').update(JSON.stringify(headers)).digest('base64')
}
