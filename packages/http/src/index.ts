/**
 * The protocol adapter for HTTP destinations, on undici: over any dial, or through the HTTP port of a connectivity proxy.
 *
 * @example
 * const adapter = createHttpAdapter({ clock: systemClock, proxy: { address: httpProxy, tenant: 'acme', token: (signal) => tokens.get({ signal }) } })
 * await using client = await adapter.connect(destination, { dial: createDirectDial(), credentials, principal, signal, log })
 * const response = await client.request('/sap/opu/odata/orders?$top=5')
 *
 * @packageDocumentation
 */
export { connect } from './connect.ts'
export { createHttpAdapter, type HttpAdapterOptions } from './http-adapter.ts'
export type { HttpClient, HttpRequestOptions } from './http-client.ts'
export type { ConnectivityProxyRoute } from './route.ts'
export type { TlsOptions } from '@sallyport/stream'
