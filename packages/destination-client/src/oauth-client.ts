import { ConnectivityError, createSecret, type Secret } from '@sallyport/core'
import type { ServiceBinding } from './service-binding.ts'

/** Who asks for tokens, and where. */
export interface OAuthClient {
  readonly clientId: string
  readonly proof:
    | { readonly kind: 'secret'; readonly secret: Secret }
    /** PEM; presented in the TLS handshake. */
    | { readonly kind: 'certificate'; readonly certificate: string; readonly key: Secret }
  /** The token endpoint of the client's own tenant. */
  readonly tokenUrl: URL
  /** `uaadomain`: host, with port if need be, that gives tokens for other tenants; `undefined` where `tokenUrl` does. */
  readonly domain: string | undefined
}

/** Reads the client of a binding. @throws ConnectivityError `BINDING_INVALID` naming the property. */
export function parseOAuthClient(binding: ServiceBinding): OAuthClient {
  const read = propertyReader(binding)
  const certificate = read.optional('certificate')
  const secret = read.optional('clientsecret')
  const proof: OAuthClient['proof'] =
    secret !== undefined || certificate === undefined
      ? { kind: 'secret', secret: createSecret(secret ?? read.required('clientsecret')) }
      : { kind: 'certificate', certificate, key: createSecret(read.required('key')) }
  const base =
    (proof.kind === 'certificate' ? read.optional('certurl') : undefined) ?? read.optional('token_service_url') ?? read.required('url')
  const url = read.url(base, proof.kind === 'certificate' ? 'certurl' : 'url')
  const domain = read.optional('uaadomain')
  if (domain !== undefined && !/^[A-Za-z0-9._-]+(?::\d{1,5})?$/.test(domain)) throw read.invalid('uaadomain', 'is not a host name')
  // Clients use the host of the URL and a path of their own.
  return { clientId: read.required('clientid'), proof, tokenUrl: new URL('/oauth/token', url), domain }
}

/** Reads text properties of one binding; every error names the binding and the property. */
export interface PropertyReader {
  optional(property: string): string | undefined
  required(property: string): string
  url(text: string, property: string): URL
  invalid(property: string, what: string): ConnectivityError
}

/** Reads text properties of a binding; errors name the property and never show a value. */
export function propertyReader({ credentials, name, source }: ServiceBinding): PropertyReader {
  const properties = credentials.reveal()
  const invalid = (property: string, what: string): ConnectivityError =>
    new ConnectivityError('BINDING_INVALID', `${source}: "${property}" of the binding "${name}" ${what}`)
  const optional = (property: string): string | undefined => {
    const value = properties[property]
    if (value === undefined || value === null || value === '') return undefined
    if (typeof value !== 'string') throw invalid(property, 'is not text')
    return value
  }
  return {
    optional,
    required(property) {
      const value = optional(property)
      if (value === undefined) throw invalid(property, 'is missing')
      return value
    },
    url(text, property) {
      const url = URL.parse(text)
      if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.username !== '' || url.password !== '') {
        throw invalid(property, 'is not an http or https URL')
      }
      return url
    },
    invalid,
  }
}
