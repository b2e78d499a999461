/**
 * The cloud side of a tunnel: the entry points for applications (an HTTP proxy and a SOCKS5 proxy that demand the token of a connectivity client), and the
 * service that lets cloud connectors in (pairing, their certificates, their tunnels). Which systems are reachable is decided by the connector, not here.
 *
 * @example
 * const authority = await openConnectorAuthority({ repository, sealer, clock, log })
 * const transport = createTlsTransport({ clock, server: () => authority.serverMaterial(['proxy.example.org']) })
 * const service = createConnectivityService({
 *   authority, repository, transport, verifier, trust, clock, audit,
 *   tunnel: { endpoint: new URL('tls://0.0.0.0:8042') },
 *   api: { host: '0.0.0.0', port: 8041, tls },
 *   apiClients: new Set(['sb-api']),
 * })
 * const proxy = createConnectivityProxy({
 *   tunnels: service.tunnels, verifier, clock, audit,
 *   tenancy: { mode: 'shared' },
 *   allowedClients: new Set(['sb-connectivity']),
 *   rebinding: 'refuse',
 *   listeners: { http: { host: '127.0.0.1', port: 20003, authorization: true, allowRemoteConnections: false } },
 * })
 * await service.listen()
 * await proxy.listen()
 *
 * @packageDocumentation
 */
export type { Tenancy } from './admission.ts'
export { parseProxyConfiguration, type ProxyConfiguration } from './configuration.ts'
export {
  type ConnectivityProxy,
  type ConnectivityProxyOptions,
  createConnectivityProxy,
  type ListenerOptions,
} from './connectivity-proxy.ts'
export { type ConnectorAuthority, openConnectorAuthority, type ServerMaterial } from './connectivity-service/connector-authority.ts'
export {
  type ConnectivityService,
  type ConnectivityServiceOptions,
  createConnectivityService,
  type ServiceChannelOptions,
} from './connectivity-service/connectivity-service.ts'
export { connectivityMigrations, connectivityStoredTables } from './connectivity-service/migrations.ts'
export type { ConnectivityRepository } from './connectivity-service/repository.ts'
export type { ConnectivitySchema } from './connectivity-service/schema.ts'
export type { VerifyCloudUser } from './connectivity-service/pairing.ts'
export { createSqlConnectivityRepository } from './connectivity-service/sql-repository.ts'
export { formatTunnelAuditLine } from './connectivity-service/tunnel-audit.ts'
export type { ListenerCounters, ProxyCounters } from './counters.ts'
export type { IdentityServices } from './identity-services.ts'
export { defaultProxyLimits, type ProxyLimits } from './limits.ts'
export type { ProxyTunnel, Tunnels } from './tunnels.ts'
export type { ServiceMapping } from './service-channels/service-mapping.ts'
