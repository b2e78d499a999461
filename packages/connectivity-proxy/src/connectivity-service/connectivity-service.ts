import type { AddressInfo } from 'node:net'
import {
  type AuditSink,
  type Clock,
  ConnectivityError,
  type EventSink,
  type Logger,
  noEvents,
  silentLogger,
  trackSockets,
  type TunnelTransport,
} from '@sallyport/core'
import type { TokenVerifier } from '@sallyport/token-verifier'
import { createTunnelServer, type TrustedIssuer, type TunnelServer, type TunnelServerLimits } from '@sallyport/tunnel'
import { maxChannelStreams } from '../limits.ts'
import { createChannelHost } from '../service-channels/channel-host.ts'
import { createServiceMappings, mappingChanges, type ServiceMapping } from '../service-channels/service-mapping.ts'
import { createConnectivityApi } from './api.ts'
import { createCertificateRenewal, createConnectorAuthorization } from './authorize-connector.ts'
import type { ConnectorAuthority } from './connector-authority.ts'
import { createConnectorRegistry } from './connector-registry.ts'
import { createPairing, type Pairing, type VerifyCloudUser } from './pairing.ts'
import type { ConnectivityRepository } from './repository.ts'
import { createTunnelAudit } from './tunnel-audit.ts'

/** Where service channels lead. */
export interface ServiceChannelOptions {
  readonly mappings: readonly ServiceMapping[]
  /** Names of this server that channels to a Kubernetes cluster may say, `host` or `host:port`. */
  readonly clusterHosts: readonly string[]
}

/** What the connectivity service needs; it opens its two listeners itself. */
export interface ConnectivityServiceOptions {
  readonly authority: ConnectorAuthority
  readonly repository: ConnectivityRepository
  /** Carries the tunnels; its listening side demands a client certificate of the authority. */
  readonly transport: TunnelTransport
  readonly tunnel: {
    /** Where to listen, such as `tls://0.0.0.0:8042`; port 0 lets the system choose. */
    readonly endpoint: URL
    /** Where connectors find it from outside; the default is where we listen. */
    readonly publicEndpoint?: URL
    readonly limits?: Partial<TunnelServerLimits>
  }
  /** The REST interface, always over TLS; PEM. */
  readonly api: { readonly host: string; readonly port: number; readonly tls: { readonly key: string; readonly certificate: string } }
  readonly verifier: TokenVerifier
  /** Clients with plan `api_access`. */
  readonly apiClients: { has(clientId: string): boolean }
  /** Decides about connectors that come with user and password; without it they need a pairing code. */
  readonly verifyCloudUser?: VerifyCloudUser
  /** What people call a subaccount, told to its connectors. */
  readonly nameOf?: (subaccount: string) => string
  /** The token issuers that a subaccount trusts; connectors get them and validate users by them. */
  readonly trust: (subaccount: string) => Promise<readonly TrustedIssuer[]>
  /** Where service channels of connectors lead; without it nowhere. */
  readonly serviceChannels?: ServiceChannelOptions
  readonly clock: Clock
  readonly audit: AuditSink
  readonly log?: Logger
  readonly events?: EventSink
}

/** Lets connectors in and holds their tunnels. Whoever created it closes it. */
export interface ConnectivityService extends AsyncDisposable {
  /** Opens both listeners or none. @throws ConnectivityError `PORT_IN_USE`, `CONFIGURATION_INVALID`. */
  listen(): Promise<void>
  /** Where they are; `undefined` while not open. */
  readonly addresses: { readonly api: URL | undefined; readonly tunnel: URL | undefined }
  /** The tunnels, for the entry points of the proxy, and what administrators do with them. */
  readonly tunnels: Pick<TunnelServer, 'find' | 'waitFor' | 'list' | 'trustChanged'>
  /** What connectors reach here: services that may be asked for, and connections that are open. */
  readonly serviceChannels: { readonly services: number; readonly openConnections: number }
  /**
   * Takes other service mappings over, as a whole, and audits what has changed; connections that they do not allow are cut.
   *
   * @throws ConnectivityError `CONFIGURATION_INVALID`, and those of before stay.
   */
  replaceServiceChannels(next: ServiceChannelOptions, changedBy: string): void
  readonly createPairingCode: Pairing['createCode']
  /** Revokes the certificates of a connector and closes its tunnels; only a new pairing lets it in again. `false`: there was nothing to revoke. */
  revokeConnector(revocation: { readonly subaccount: string; readonly connectorId: string; readonly revokedBy: string }): Promise<boolean>
  /** For the transport: a client without a certificate of the authority was turned away in the handshake. */
  onTlsRefused(refusal: { readonly remoteAddress: string; readonly code: string }): void
  /** Lets streams finish for `graceMs`, then closes. Works more than once, and after a failed start. */
  close(options: { readonly graceMs: number }): Promise<void>
}

/**
 * Puts authority, pairing, tunnel server and REST interface together. Nothing is open before `listen`.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for service mappings that contradict each other.
 */
export function createConnectivityService(options: ConnectivityServiceOptions): ConnectivityService {
  const { authority, repository, clock, audit } = options
  const log = options.log ?? silentLogger
  const tunnelAudit = createTunnelAudit({ audit, clock, log })
  let serviceChannels: ServiceChannelOptions = options.serviceChannels ?? { clusterHosts: [], mappings: [] }
  const services = createServiceMappings(serviceChannels.mappings, serviceChannels.clusterHosts)
  const channels = createChannelHost({ mappings: services, maxStreams: maxChannelStreams, audit, clock, log })
  let tunnelEndpoint: URL | undefined
  let apiAddress: URL | undefined

  const pairing = createPairing({
    authority,
    repository,
    clock,
    audit,
    verifyCloudUser: options.verifyCloudUser,
    nameOf: options.nameOf,
    tunnelEndpoint: () => (options.tunnel.publicEndpoint ?? tunnelEndpoint ?? options.tunnel.endpoint).href,
  })
  const server = createTunnelServer({
    transport: options.transport,
    endpoint: options.tunnel.endpoint,
    authorize: createConnectorAuthorization({ authority, repository }),
    renewCertificate: createCertificateRenewal({ pairing, repository }),
    trust: options.trust,
    onChannel: channels.serve,
    clock,
    audit: tunnelAudit,
    log,
    events: options.events ?? noEvents,
    ...(options.tunnel.limits === undefined ? {} : { limits: options.tunnel.limits }),
  })
  const api = createConnectivityApi({
    ...options,
    tls: options.api.tls,
    pairing,
    log,
    registry: createConnectorRegistry({ server, repository }),
  })
  const apiSockets = trackSockets(api.server, (error) =>
    log.error({ reason: error.message }, 'the connectivity service failed to accept a connection'),
  )
  const close = async (graceMs: number): Promise<void> => {
    const apiClosed = api.close()
    apiSockets.destroyAll()
    await Promise.all([apiClosed, server.close({ graceMs })])
    tunnelAudit.flushRefusals()
    channels.flushRefusals()
    tunnelEndpoint = undefined
    apiAddress = undefined
  }

  return {
    async listen() {
      try {
        tunnelEndpoint = await server.listen()
        await api.listen({ host: options.api.host, port: options.api.port })
        const { address, family, port } = api.server.address() as AddressInfo
        apiAddress = new URL(`https://${family === 'IPv6' ? `[${address}]` : address}:${port}`)
      } catch (error) {
        await close(0)
        throw listenError(error, options.api)
      }
      log.info({ api: apiAddress.href, tunnel: tunnelEndpoint.href }, 'the connectivity service listens')
    },
    get addresses() {
      return { api: apiAddress, tunnel: tunnelEndpoint }
    },
    tunnels: server,
    get serviceChannels() {
      return { services: serviceChannels.mappings.length, openConnections: channels.openStreams }
    },
    replaceServiceChannels(next, changedBy) {
      const table = createServiceMappings(next.mappings, next.clusterHosts)
      const changes = mappingChanges(serviceChannels.mappings, next.mappings)
      serviceChannels = next
      for (const { message, subaccount } of changes)
        audit.write({ type: 'configuration-changed', category: 'ServiceChannelConfiguration', subaccount, user: changedBy, message })
      channels.replaceMappings(table)
    },
    createPairingCode: (request) => pairing.createCode(request),
    async revokeConnector({ subaccount, connectorId, revokedBy }) {
      const revoked = await repository.revokeConnector(subaccount, connectorId, clock.now())
      server.disconnect(subaccount, connectorId)
      if (revoked === 0) return false
      const message = `certificates of connector ${connectorId} revoked`
      audit.write({ type: 'configuration-changed', category: 'Pairing', subaccount, user: revokedBy, message })
      return true
    },
    onTlsRefused({ remoteAddress, code }) {
      const message = `tunnel handshake failure: ${code} from ${remoteAddress}`
      tunnelAudit.write({ type: 'tunnel-refused', subaccount: '', user: '', message })
    },
    close: ({ graceMs }) => close(graceMs),
    [Symbol.asyncDispose]: () => close(0),
  }
}

function listenError(error: unknown, api: { readonly host: string; readonly port: number }): Error {
  if (ConnectivityError.is(error)) return error
  const cause = error as NodeJS.ErrnoException
  const where = `${api.host}:${api.port}`
  return cause.code === 'EADDRINUSE'
    ? new ConnectivityError('PORT_IN_USE', `the connectivity service cannot use ${where}: another process listens there`, { cause })
    : new ConnectivityError('CONFIGURATION_INVALID', `the connectivity service cannot use ${where}: ${cause.code ?? cause.message}`, {
        cause,
      })
}
