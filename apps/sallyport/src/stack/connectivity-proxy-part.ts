import { createAuditLog } from '@sallyport/cloud-connector'
import {
  connectivityMigrations,
  connectivityStoredTables,
  type ConnectivitySchema,
  type ConnectivityService,
  createConnectivityProxy,
  createConnectivityService,
  createSqlConnectivityRepository,
  openConnectorAuthority,
  type ServiceChannelOptions,
} from '@sallyport/connectivity-proxy'
import { ConnectivityError } from '@sallyport/core'
import { createSealer } from '@sallyport/store'
import { createRemoteKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import type { Configuration } from '../configuration/configuration.ts'
import { type CloudDatabase, openCloudDatabase } from './cloud-database.ts'
import { cloudSettings, createKeyFetcher, partLog, subaccountsOf } from './cloud-settings.ts'
import { auditFolders } from './audited-parts.ts'
import { auditKeyOf } from './connector-material.ts'
import { openCockpitClient } from './cockpit-client.ts'
import { admitsApplication } from './identity-services.ts'
import { openInstances } from './instances.ts'
import { localNames } from './local-authority.ts'
import { masterKeys } from './master-keys.ts'
import type { PartContext, RunningPart } from './part.ts'
import { requireFreePorts } from './ports.ts'
import { createRequester } from './request.ts'
import { watchServiceChannels } from './watch-service-channels.ts'
import { createSubaccountTrust } from './subaccount-trust.ts'
import { createCloudUserCheck } from './verify-cloud-user.ts'
import { keyRefresh, serviceTokenBounds } from './token-verification.ts'

/** The running proxy; in the local stack its connectors get their pairing codes from here. */
export interface ConnectivityProxyPart extends RunningPart {
  readonly apiUrl: string
  readonly tunnelEndpoint: string
  createPairingCode(subaccount: string): Promise<string>
}

/** What the connectivity service keeps. */
export const connectivityDatabase: CloudDatabase = {
  name: 'connectivity-service',
  parts: [{ name: 'connectivity-service', migrations: connectivityMigrations, tables: connectivityStoredTables }],
}

/** Starts the connectivity service (pairing, tunnels) and the two entry points for applications. */
export async function startConnectivityProxyPart(context: PartContext): Promise<ConnectivityProxyPart> {
  const { configuration, folder, clock, events } = context
  const log = partLog(context.log, 'connectivity-proxy')
  const settings = cloudSettings(context)
  const { host, ports } = settings
  await requireFreePorts(host, [ports.connectivityApi, ports.tunnel, ports.proxyHttp, ports.proxySocks5])
  const { connectivity } = openInstances(folder)
  const clients = new Set([connectivity.clientId])
  const db = await openCloudDatabase<ConnectivitySchema>(context, connectivityDatabase)
  const repository = createSqlConnectivityRepository(db)
  const authority = await openConnectorAuthority({ repository, sealer: createSealer(masterKeys(context)), clock, log })
  const audit = createAuditLog({
    folder: folder.file(...auditFolders['connectivity-proxy']),
    key: auditKeyOf(folder, 'connectivity-proxy'),
    clock,
    log,
  })
  const fetcher = createKeyFetcher(settings)
  const cloudRequest = createRequester({ authorities: settings.authorities })
  const keys = createRemoteKeySource({
    issuers: settings.tokenService.issuers.map((issuer) => ({ issuer, url: settings.tokenService.keysUrl })),
    fetchKeys: fetcher.fetchKeys,
    clock,
    ...keyRefresh,
    log,
  })
  const verifier = createTokenVerifier({ keys, clock, ...serviceTokenBounds })
  // The entry points take tokens of applications of identity services as well; the REST interface does not.
  const { identityServices } = configuration
  const entryKeys = createRemoteKeySource({
    issuers: [
      ...settings.tokenService.issuers.map((issuer) => ({ issuer, url: settings.tokenService.keysUrl })),
      ...identityServices.map(({ issuer, keysUrl }) => ({ issuer, url: new URL(keysUrl) })),
    ],
    fetchKeys: fetcher.fetchKeys,
    clock,
    ...keyRefresh,
    log,
  })
  const names = [...new Set([settings.publicHost, ...localNames()])]
  // The transport reports to the service and the service listens on the transport.
  const late: { service?: ConnectivityService } = {}
  const transport = createTlsTransport({
    clock,
    log,
    server: () => authority.serverMaterial(names),
    onRefused: (refusal) => late.service?.onTlsRefused(refusal),
  })
  const trust = createSubaccountTrust({
    settings,
    configuration,
    fetchKeys: fetcher.fetchKeys,
    clock,
    log,
    onChange: () => {
      for (const subaccount of new Set(service.tunnels.list().map((tunnel) => tunnel.subaccount))) service.tunnels.trustChanged(subaccount)
    },
  })
  const serviceChannelsOf = ({ server }: Configuration): ServiceChannelOptions => ({
    mappings: server.serviceChannels.mappings,
    clusterHosts: [...names, ...server.serviceChannels.clusterHosts],
  })
  const publicEndpoint = new URL(`tls://${settings.publicHost}:${ports.tunnel}`)
  const service = createConnectivityService({
    authority,
    repository,
    transport,
    tunnel: {
      endpoint: new URL(`tls://${urlHost(host)}:${ports.tunnel}`),
      publicEndpoint,
    },
    api: { host, port: ports.connectivityApi, tls: settings.tls },
    verifier,
    // No instance with plan api_access is made yet, and clients of plan lite may not read who is connected.
    apiClients: new Set<string>(),
    serviceChannels: serviceChannelsOf(configuration),
    verifyCloudUser: createCloudUserCheck({
      request: cloudRequest,
      tokenServiceUrl: settings.tokenService.url,
      cockpit: openCockpitClient(folder),
      subaccounts: subaccountsOf(configuration).map(({ id }) => id),
    }),
    nameOf: (subaccount) => subaccountsOf(configuration).find(({ id }) => id === subaccount)?.subdomain ?? subaccount,
    trust: (subaccount) => trust.issuers(subaccount),
    clock,
    audit,
    log,
    events,
  })
  late.service = service
  const remote = !isLoopback(host)
  const proxy = createConnectivityProxy({
    tunnels: service.tunnels,
    verifier: createTokenVerifier({ keys: entryKeys, clock, ...serviceTokenBounds }),
    tenancy: { mode: 'shared' },
    allowedClients: clients,
    identityServices: {
      issuers: new Set(identityServices.map(({ issuer }) => issuer)),
      admits: (application) => admitsApplication(configuration, connectivity, application),
    },
    rebinding: configuration.strict ? 'refuse' : 'reopen',
    listeners: {
      http: { host, port: ports.proxyHttp, authorization: true, allowRemoteConnections: remote },
      socks5: { host, port: ports.proxySocks5, authorization: true, allowRemoteConnections: remote },
    },
    clock,
    log,
    events,
    audit,
  })
  const stopWatching = watchServiceChannels({
    file: configuration.path,
    clock,
    log,
    onChange: (next) => service.replaceServiceChannels(serviceChannelsOf(next), 'configuration file'),
  })
  const close = async (graceMs: number): Promise<void> => {
    stopWatching()
    trust[Symbol.dispose]()
    await proxy.close({ graceMs })
    await service.close({ graceMs })
    keys[Symbol.dispose]()
    entryKeys[Symbol.dispose]()
    await fetcher[Symbol.asyncDispose]()
    await cloudRequest[Symbol.asyncDispose]()
    await audit.close()
    await db.destroy()
  }
  const apiUrl = `https://${settings.publicHost}:${ports.connectivityApi}`
  const subaccounts = subaccountsOf(configuration).map((subaccount) => subaccount.id)
  const createCode = (subaccount: string, createdBy: string): ReturnType<ConnectivityService['createPairingCode']> => {
    if (!subaccounts.includes(subaccount))
      throw new ConnectivityError('NOT_FOUND', `there is no subaccount "${subaccount}"; there are ${subaccounts.join(', ')}`)
    return service.createPairingCode({ subaccount, createdBy })
  }
  try {
    await service.listen()
    await proxy.listen()
  } catch (error) {
    await close(0)
    throw error
  }
  return {
    role: 'connectivity-proxy',
    apiUrl,
    tunnelEndpoint: publicEndpoint.href,
    createPairingCode: async (subaccount) => (await createCode(subaccount, 'local stack')).code,
    status: async () => [
      {
        part: 'connectivity proxy',
        ready: proxy.addresses.http !== undefined && proxy.addresses.socks5 !== undefined,
        addresses: [`:${ports.proxyHttp} http`, `:${ports.proxySocks5} socks5`],
        detail: configuration.strict
          ? 'strict: one tenant, location, host and principal per connection'
          : 'lenient: mixed connections are split',
      },
      {
        part: 'connectivity service',
        ready: service.addresses.tunnel !== undefined,
        addresses: [apiUrl, `:${ports.tunnel} tunnel`],
        detail: `${describeTunnels(service)}${describeChannels(service)}`,
      },
    ],
    controls: {
      'pairing-code': async ({ subaccount }) => {
        const chosen = typeof subaccount === 'string' ? subaccount : (subaccounts[0] ?? '')
        const displayName = subaccountsOf(configuration).find(({ id }) => id === chosen)?.subdomain ?? chosen
        return {
          ...(await createCode(chosen, 'command line')),
          subaccount: chosen,
          server: apiUrl,
          regionHost: settings.publicHost,
          displayName,
          authorities: settings.authorities.join(''),
        }
      },
      connectors: async () => ({ connectors: service.tunnels.list() }),
    },
    close,
  }
}

function describeTunnels(service: ConnectivityService): string {
  const tunnels = service.tunnels.list()
  return tunnels.length === 0 ? 'no connector is connected' : `connected: ${tunnels.map((tunnel) => tunnel.tunnelId).join(', ')}`
}

function describeChannels({ serviceChannels: { openConnections, services } }: ConnectivityService): string {
  return services === 0 ? '' : `; ${services} services for service channels, ${openConnections} connections`
}

function isLoopback(host: string): boolean {
  return host === '::1' || host === 'localhost' || host.startsWith('127.')
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
