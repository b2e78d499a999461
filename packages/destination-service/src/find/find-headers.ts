import type { IncomingHttpHeaders } from 'node:http'
import { malformed } from '../http/answer.ts'

/** What a caller of find and consume says in headers, beside the token. An empty header is an absent one. */
export interface FindHeaders {
  /** Tenant subdomain for a token service that several tenants share. */
  readonly tenant: string | undefined
  readonly userToken: string | undefined
  /** A signed statement of the client that stands in for its secret. */
  readonly assertion: TypedToken | undefined
  /** A destination that makes the assertion. */
  readonly assertionProvider: string | undefined
  readonly samlAssertion: string | undefined
  readonly refreshToken: string | undefined
  readonly code: string | undefined
  /** Decoded. */
  readonly redirectUri: string | undefined
  readonly codeVerifier: string | undefined
  readonly subjectToken: TypedToken | undefined
  readonly actorToken: TypedToken | undefined
  readonly fragments: readonly string[]
  /** A single fragment that is missing is then no error. */
  readonly fragmentOptional: boolean
}

/** What a caller says who sends none of the headers. */
export const noFindHeaders: FindHeaders = {
  tenant: undefined,
  userToken: undefined,
  assertion: undefined,
  assertionProvider: undefined,
  samlAssertion: undefined,
  refreshToken: undefined,
  code: undefined,
  redirectUri: undefined,
  codeVerifier: undefined,
  subjectToken: undefined,
  actorToken: undefined,
  fragments: [],
  fragmentOptional: false,
}

/** A token and what kind it is, RFC 8693 §3. */
export interface TypedToken {
  readonly value: string
  readonly type: string
}

/** Headers that may come once; a second one would leave open which of the two was meant. */
export const singleHeaders: readonly string[] = [
  'authorization',
  'x-user-token',
  'x-tenant',
  'x-fragment-name',
  'x-fragment-optional',
  'x-chain-name',
  'x-client-assertion',
  'x-client-assertion-type',
  'x-client-assertion-destination-name',
  'x-samlassertion',
  'x-refresh-token',
  'x-code',
  'x-redirect-uri',
  'x-code-verifier',
  'x-subject-token',
  'x-subject-token-type',
  'x-actor-token',
  'x-actor-token-type',
]

const subdomain = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i

/** Whether a text can be one label of a host name; anything else in a URL would lead elsewhere. */
export function isSubdomain(text: string): boolean {
  return subdomain.test(text)
}

/**
 * Reads the headers and refuses those that contradict each other.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` with the sentence for the caller.
 */
export function parseFindHeaders(headers: IncomingHttpHeaders): FindHeaders {
  const read = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value !== 'string' || value.trim() === '' ? undefined : value.trim()
  }
  const tenant = read('x-tenant')
  if (tenant !== undefined && !isSubdomain(tenant)) throw malformed('The header X-tenant must be a tenant subdomain')
  const optional = read('x-fragment-optional')?.toLowerCase() ?? 'false'
  if (optional !== 'true' && optional !== 'false') throw malformed('The header X-fragment-optional must be true or false')
  const pair = (name: string): TypedToken | undefined => {
    const [value, type] = [read(name), read(`${name}-type`)]
    if (value !== undefined && type !== undefined) return { value, type }
    if (value === undefined && type === undefined) return undefined
    throw malformed(`The headers '${name}' and '${name}-type' must be sent together`)
  }
  const assertionProvider = read('x-client-assertion-destination-name')
  if (assertionProvider !== undefined && (read('x-client-assertion') ?? read('x-client-assertion-type')) !== undefined) {
    throw malformed(
      "Cannot mix header 'x-client-assertion-destination-name' with headers 'x-client-assertion' and 'x-client-assertion-type'",
    )
  }
  return {
    tenant,
    userToken: read('x-user-token'),
    assertion: pair('x-client-assertion'),
    assertionProvider,
    samlAssertion: read('x-samlassertion'),
    refreshToken: read('x-refresh-token'),
    code: read('x-code'),
    redirectUri: decodeRedirectUri(read('x-redirect-uri')),
    codeVerifier: read('x-code-verifier'),
    subjectToken: pair('x-subject-token'),
    actorToken: pair('x-actor-token'),
    fragments: (read('x-fragment-name') ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])),
    fragmentOptional: optional === 'true',
  }
}

/** The header has it URL-encoded, so that it survives as one. */
function decodeRedirectUri(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text)
  } catch {
    throw malformed('The header X-redirect-uri is not URL-encoded properly')
  }
}
