/** What a service key or binding holds; services name things differently, so nothing is certain. */
export type ServiceKey = Readonly<Record<string, unknown>>

/** A destination out of a template, with the certificate that it needs if the key is of the X.509 kind. */
export interface TemplatedDestination {
  readonly destination: Readonly<Record<string, string>>
  readonly certificate?: { readonly Name: string; readonly Content: string }
}

/** A key that nothing can be made of, or what was made. */
export type TemplateOutcome = TemplatedDestination | { readonly problem: string }

/** What somebody says beside the key. Properties win over what the key says. */
export interface TemplateOptions {
  readonly name: string
  /** Address of the target where the key has none, or another one is meant. */
  readonly url?: string | undefined
  /** `OAuth2ClientCredentials` unless told; `NoAuthentication` takes the address only. */
  readonly authentication?: string | undefined
  /** Of a key whose owner keeps the private key himself; PEM. */
  readonly privateKey?: string | undefined
  readonly properties?: Readonly<Record<string, string>> | undefined
}

/**
 * Makes a destination that points to a service instance, out of one of its keys: its address, and the client with which tokens for it are had. Understands
 * keys with a member `uaa`, and keys that are the client's credentials themselves; secrets, and certificates as the key store of the token service.
 */
export function destinationFromServiceKey(key: ServiceKey, options: TemplateOptions): TemplateOutcome {
  const url = options.url ?? targetOf(key)
  if (url === undefined) return { problem: 'the service key names no address of a target; give one' }
  const target = { Name: options.name, Type: 'HTTP', URL: url, ProxyType: 'Internet' }
  const authentication = options.authentication ?? 'OAuth2ClientCredentials'
  if (authentication === 'NoAuthentication') return { destination: { ...target, Authentication: authentication, ...options.properties } }
  const tokens = tokenServiceFromKey(key, options)
  if ('problem' in tokens) return tokens
  const destination = { ...target, Authentication: authentication, ...tokens.destination, ...options.properties }
  return { destination, ...(tokens.certificate === undefined ? {} : { certificate: tokens.certificate }) }
}

/** A destination as a multi-target application describes it; it may leave address and credentials to keys of service instances. */
export interface DestinationDescriptor {
  readonly Name: string
  readonly ServiceInstanceName?: string
  readonly ServiceKeyName?: string
  readonly TokenServiceInstanceName?: string
  readonly TokenServiceKeyName?: string
  readonly ServiceCredentials?: { readonly PrivateKey?: string }
  readonly TokenServiceCredentials?: { readonly PrivateKey?: string }
  readonly [property: string]: unknown
}

/** Replaces what a descriptor says of service keys by what the keys hold; without such members it stays as it is. `keyOf` knows the keys. */
export function resolveDescriptor(
  descriptor: DestinationDescriptor,
  keyOf: (instance: string, key: string) => ServiceKey | undefined,
): TemplateOutcome {
  const { Name: name, ServiceInstanceName: service, ServiceKeyName: serviceKey } = descriptor
  const { TokenServiceInstanceName: tokenService, TokenServiceKeyName: tokenKey } = descriptor
  const properties: Record<string, string> = {}
  for (const [property, value] of Object.entries(descriptor)) {
    if (!descriptorMembers.has(property)) properties[property] = String(value)
  }
  const [instance, keyName] = service !== undefined || serviceKey !== undefined ? [service, serviceKey] : [tokenService, tokenKey]
  if (instance === undefined && keyName === undefined) return { destination: properties }
  if (instance === undefined || keyName === undefined)
    return { problem: 'the name of a service instance needs that of a key, and the other way round' }
  const key = keyOf(instance, keyName)
  if (key === undefined) return { problem: `there is no key "${keyName}" of the service instance "${instance}"` }
  const isTokenService = service === undefined
  const url = properties['URL']
  if (isTokenService && url === undefined) return { problem: 'a key that is for tokens only needs a URL beside it' }
  const privateKey = (isTokenService ? descriptor.TokenServiceCredentials : descriptor.ServiceCredentials)?.PrivateKey
  return destinationFromServiceKey(key, { name, url, authentication: properties['Authentication'], privateKey, properties })
}

const descriptorMembers: ReadonlySet<string> = new Set([
  'ServiceInstanceName',
  'ServiceKeyName',
  'TokenServiceInstanceName',
  'TokenServiceKeyName',
  'ServiceCredentials',
  'TokenServiceCredentials',
])

/** Where keys have the address of the target, the likeliest first. With a member `uaa`, `url` is the target's; without one it is the token service's. */
function targetOf(key: ServiceKey): string | undefined {
  const endpoints = objectOf(key['endpoints'])
  const candidates = [
    ...(objectOf(key['uaa']) === undefined ? [] : [key['url']]),
    key['uri'],
    key['api_url'],
    key['apiurl'],
    key['service_url'],
    key['baseurl'],
    endpoints?.['api'],
    ...Object.values(endpoints ?? {}),
    objectOf(key['serviceurls'])?.['AI_API_URL'],
  ]
  return candidates.find((value): value is string => typeof value === 'string' && /^https?:\/\//.test(value))
}

/** The properties that lead to the token service of a key. */
function tokenServiceFromKey(key: ServiceKey, { name, privateKey }: TemplateOptions): TemplateOutcome {
  const uaa = objectOf(key['uaa']) ?? key
  const clientId = textOf(uaa['clientid'])
  if (clientId === undefined) return { problem: 'the service key has no clientid' }
  const certificate = textOf(uaa['certificate'])
  const base = textOf((certificate === undefined ? undefined : uaa['certurl']) ?? uaa['url'])
  if (base === undefined) return { problem: 'the service key does not say where its token service is' }
  const tokenServiceURL = `${base.replace(/\/+$/, '')}/oauth/token`
  const client = { clientId, tokenServiceURL, tokenServiceURLType: 'Dedicated' }
  if (certificate === undefined) {
    const clientSecret = textOf(uaa['clientsecret'])
    return clientSecret === undefined
      ? { problem: 'the service key has neither a secret nor a certificate' }
      : { destination: { ...client, clientSecret } }
  }
  const keyText = textOf(uaa['key']) ?? privateKey
  if (keyText === undefined) return { problem: 'the service key has a certificate and no private key; give the key' }
  const file = `${name}.pem`
  const content = new TextEncoder().encode(`${certificate.trim()}\n${keyText.trim()}\n`)
  return {
    destination: { ...client, 'tokenService.KeyStoreLocation': file },
    certificate: { Name: file, Content: btoa(String.fromCharCode(...content)) },
  }
}

function objectOf(value: unknown): ServiceKey | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as ServiceKey) : undefined
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
