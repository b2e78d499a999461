import { abortedError, type Clock, ConnectivityError, formatAddress, type Principal, type ProtocolAdapter } from '@sallyport/core'
import { loadLibrary, type TlsOptions } from '@sallyport/stream'
import { createConnector } from './connector.ts'
import { createHttpClient, type HttpClient } from './http-client.ts'
import { connectTimeoutMs } from './limits.ts'
import { createPools } from './pools.ts'
import { chooseRoute, type ConnectivityProxyRoute } from './route.ts'

/** What is the same for every destination of an adapter. */
export interface HttpAdapterOptions {
  readonly clock: Clock
  /**
   * The HTTP port of a connectivity proxy, for on-premise destinations. With it the context's dial has to reach the **proxy**
   * (usually a direct dial); without it the dial has to reach the virtual host (SOCKS5, tunnel).
   */
  readonly proxy?: ConnectivityProxyRoute
  /** TLS for https URLs; the default trusts Node's authorities and presents no certificate. */
  readonly tls?: TlsOptions
  /** Limit for opening a connection, TLS included; the default is 30 seconds. */
  readonly connectTimeoutMs?: number
  /**
   * Whether requests that write bring an `x-csrf-token`, fetched with `HEAD` and kept with its session; the default is not. A request
   * may say otherwise.
   */
  readonly csrf?: boolean
}

/** Makes the adapter for HTTP destinations. It opens no connection before the first request. */
export function createHttpAdapter({
  clock,
  proxy,
  tls = {},
  connectTimeoutMs: timeoutMs = connectTimeoutMs,
  csrf = false,
}: HttpAdapterOptions): ProtocolAdapter<'HTTP', HttpClient> {
  return {
    protocol: 'http',
    destinationType: 'HTTP',
    async connect(destination, context) {
      const { log } = context
      const attempt = `connect to destination "${destination.name}"`
      if (context.signal.aborted) throw abortedError(context.signal, attempt)
      const route = chooseRoute(destination, proxy)
      if (/[^\t\x20-\x7e\x80-\xff]/.test(destination.locationId)) {
        throw new ConnectivityError(
          'DESTINATION_INVALID',
          `destination "${destination.name}": CloudConnectorLocationId cannot be written as a header`,
        )
      }
      const secure = route.kind === 'stream' && route.secure
      const trustAll = secure && destination.properties['TrustAll']?.toLowerCase() === 'true'
      if (trustAll) log.warn({ destination: destination.name }, 'TrustAll is set, the certificate of the target is not verified')

      const closed = new AbortController()
      const connectorOf = (principal: Principal | undefined): ReturnType<typeof createConnector> =>
        createConnector({
          dial: context.dial,
          target: route.kind === 'stream' ? route.target : route.proxy.address,
          // The proxy learns location and principal from headers.
          locationId: route.kind === 'stream' ? destination.locationId : '',
          principal: route.kind === 'stream' ? principal : undefined,
          tls: secure ? { options: tls, trustAll } : undefined,
          timeoutMs,
          closed: closed.signal,
        })
      const origin = `http://${formatAddress(route.kind === 'stream' ? route.target : route.proxy.address)}`
      const close = (): void => closed.abort(new ConnectivityError('ABORTED', `the client of destination "${destination.name}" is closed`))
      const { Pool: PoolClass } = await loadLibrary({ name: 'undici', beside: '@sallyport/http', attempt }, () => import('undici'))
      const pools = createPools({ origin, connectorOf, PoolClass })
      return createHttpClient({ destination, route, context, clock, csrf, pools, closed: closed.signal, close })
    },
  }
}
