/**
 * Opens byte streams: directly, or through a proxy (HTTP CONNECT, or SOCKS5 of a connectivity proxy). The dial over a tunnel without a proxy is
 * `createTunnelDial` of `@sallyport/dial/tunnel`.
 *
 * @example
 * const dial = createProxyDial({ kind: 'socks5', proxy: { host: 'proxy', port: 20004 }, token: (signal) => tokens.get({ signal }) })
 * const stream = await dial({ host: 'mail.virtual', port: 25 }, { signal: AbortSignal.timeout(10_000), locationId: '' })
 *
 * @packageDocumentation
 */
export { createDirectDial, type DirectDialOptions } from './direct-dial.ts'
export { createProxyDial, type HttpProxyDialOptions, type ProxyDialOptions, type SocksProxyDialOptions } from './proxy-dial.ts'
