import type { IncomingHttpHeaders } from 'node:http'
import { malformed } from '../http/answer.ts'

/** What a caller of find and consume says in headers, beside the token. An empty header is an absent one. */
export interface FindHeaders {
  /** Tenant subdomain for a token service that several tenants share. */
  readonly tenant: string | undefined
  readonly userToken: string | undefined
  readonly assertion: ClientAssertion | undefined
  /** A destination that makes the assertion. */
  readonly assertionProvider: string | undefined
  readonly fragments: readonly string[]
  /** A single fragment that is missing is then no error. */
  readonly fragmentOptional: boolean
}

/** A signed statement of the client that stands in for its secret. */
export interface ClientAssertion {
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
  if (read('x-chain-name') !== undefined) throw malformed('Destination chains are not supported by this version')
  const optional = read('x-fragment-optional')?.toLowerCase() ?? 'false'
  if (optional !== 'true' && optional !== 'false') throw malformed('The header X-fragment-optional must be true or false')
  const [value, type] = [read('x-client-assertion'), read('x-client-assertion-type')]
  const assertionProvider = read('x-client-assertion-destination-name')
  if (assertionProvider !== undefined && (value !== undefined || type !== undefined)) {
    throw malformed(
      "Cannot mix header 'x-client-assertion-destination-name' with headers 'x-client-assertion' and 'x-client-assertion-type'",
    )
  }
  if ((value === undefined) !== (type === undefined)) {
    throw malformed("The headers 'x-client-assertion' and 'x-client-assertion-type' must be sent together")
  }
  return {
    tenant,
    userToken: read('x-user-token'),
    assertion: value === undefined || type === undefined ? undefined : { value, type },
    assertionProvider,
    fragments: (read('x-fragment-name') ?? '').split(',').flatMap((name) => (name.trim() === '' ? [] : [name.trim()])),
    fragmentOptional: optional === 'true',
  }
}
