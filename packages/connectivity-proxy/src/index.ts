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
export { parseProxyConfiguration, type ProxyConfiguration } from './configuration.ts'
export type { ListenerCounters, ProxyCounters } from './counters.ts'
export { defaultProxyLimits, type ProxyLimits } from './limits.ts'
export type { ProxyTunnel, Tunnels } from './tunnels.ts'
export { type ConnectorAuthority, openConnectorAuthority, type ServerMaterial } from './connectivity-service/connector-authority.ts'
export {
  type ConnectivityService,
  type ConnectivityServiceOptions,
  createConnectivityService,
} from './connectivity-service/connectivity-service.ts'
export { connectivityMigrations } from './connectivity-service/migrations.ts'
export type { ConnectivityRepository } from './connectivity-service/repository.ts'
export type { ConnectivitySchema } from './connectivity-service/schema.ts'
export { createSqlConnectivityRepository } from './connectivity-service/sql-repository.ts'
export { formatTunnelAuditLine } from './connectivity-service/tunnel-audit.ts'
