import type { Address } from '@sallyport/core'
import { type OAuthClient, parseOAuthClient, propertyReader } from './oauth-client.ts'
import type { ServiceBinding } from './service-binding.ts'

/** What a binding of the connectivity service says: who asks for proxy tokens, and where the proxy listens. */
export interface ConnectivityBinding {
  readonly client: OAuthClient
  readonly httpProxy: Address
  /** `undefined` in bindings of proxies without that port. */
  readonly socks5Proxy: Address | undefined
}

/** Reads a binding of the service `connectivity`. @throws ConnectivityError `BINDING_INVALID`. */
export function parseConnectivityBinding(binding: ServiceBinding): ConnectivityBinding {
  const read = propertyReader(binding)
  const host = read.required('onpremise_proxy_host')
  const address = (property: string, text: string): Address => {
    const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
    if (port < 1 || port > 65_535) throw read.invalid(property, 'is not a port')
    return { host, port }
  }
  const httpPort = read.optional('onpremise_proxy_http_port') ?? read.required('onpremise_proxy_port')
  const socks5Port = read.optional('onpremise_socks5_proxy_port')
  return {
    client: parseOAuthClient(binding),
    httpProxy: address('onpremise_proxy_http_port', httpPort),
    socks5Proxy: socks5Port === undefined ? undefined : address('onpremise_socks5_proxy_port', socks5Port),
  }
}
