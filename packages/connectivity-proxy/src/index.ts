/**
 * The cloud side of a tunnel: the HTTP and SOCKS5 entry points for applications, and the service that lets connectors in.
 *
 * @packageDocumentation
 */
export type { Tenancy } from './admission.ts'
export {
  type ConnectivityProxy,
  type ConnectivityProxyOptions,
  createConnectivityProxy,
  type ListenerOptions,
} from './connectivity-proxy.ts'
export type { ListenerCounters, ProxyCounters } from './counters.ts'
export { defaultProxyLimits, type ProxyLimits } from './limits.ts'
export { formatTunnelId, type ProxyTunnel, type Tunnels } from './tunnels.ts'
