import { type Address, ConnectivityError, type HttpDestination, type Secret } from '@sallyport/core'

/** The HTTP port of a connectivity proxy and who asks there. */
export interface ConnectivityProxyRoute {
  readonly address: Address
  /** The subaccount that the tokens belong to. Connections of different tenants are never shared. */
  readonly tenant: string
  /** Asked for each request; caching and renewal are its own. */
  readonly token: (signal: AbortSignal) => Promise<Secret>
  /** Told about a token that the proxy did not accept (407), so that the next request gets another one. */
  readonly forget?: (token: Secret) => void
}

/** How the requests of one client travel. */
export type Route =
  /** Over a stream that leads to the target: requests in origin form, TLS where the URL says https. */
  | { readonly kind: 'stream'; readonly target: Address; readonly secure: boolean }
  /** Over a connection to the proxy: requests in absolute form, always http, the connector adds TLS. */
  | { readonly kind: 'proxy'; readonly proxy: ConnectivityProxyRoute }

/** Decides once per client. @throws ConnectivityError `DESTINATION_INVALID` for an https URL that the proxy would refuse. */
export function chooseRoute({ name, url, proxyType }: HttpDestination, proxy: ConnectivityProxyRoute | undefined): Route {
  const secure = url.protocol === 'https:'
  if (proxyType === 'OnPremise' && proxy !== undefined) {
    if (secure) {
      throw new ConnectivityError(
        'DESTINATION_INVALID',
        `destination "${name}": on-premise URLs begin with http://; the cloud connector adds TLS`,
      )
    }
    return { kind: 'proxy', proxy }
  }
  const host = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname
  return { kind: 'stream', target: { host, port: url.port === '' ? (secure ? 443 : 80) : Number(url.port) }, secure }
}
