import { createHash } from 'node:crypto'
import { type AuditSink, type Clock, ConnectivityError, type EventSink, type Logger, type TunnelTransport } from '@sallyport/core'
import type { TrustEntry } from '@sallyport/principal-propagation'
import { createTunnelClient, type ExposedSystem, type TunnelClientState } from '@sallyport/tunnel'
import { lanesFor } from './channels/channel-lanes.ts'
import { createServiceChannels, type ServiceChannels } from './channels/service-channels.ts'
import { configurationChanges, formatChange } from './configuration/configuration-changes.ts'
import type { LoadedState } from './configuration/load-state.ts'
import type { Deadlines } from './deadlines.ts'
import { type CertificateRenewal, createCertificateRenewal, type RenewalPolicy } from './identity/certificate-renewal.ts'
import { type ConnectorIdentity, saveIdentity } from './identity/connector-identity.ts'
import type { MaterialStore } from './identity/material-store.ts'
import { type BackendMonitor, createBackendMonitor } from './monitoring/backend-monitor.ts'
import type { RequestRecord } from './monitoring/request-record.ts'
import { createUsageKeeper, restoreUsage, type UsageKeeper } from './monitoring/usage-keeper.ts'
import { createTrustSynchronisation, type TrustSynchronisation } from './principal/trust-synchronisation.ts'
import { type ApplicationStreams, createStreamHost } from './stream-host.ts'
import type { ConnectorTraces } from './trace/connector-traces.ts'
import { createSwitchedTunnel, type SwitchedTunnel } from './switched-tunnel.ts'

/**
 * Makes the transport of a tunnel. The identity is asked for at every connection, so that a renewed certificate is used; so are the physical connections
 * ("lanes") that the tunnel should consist of.
 */
export type CreateTransport = (identity: () => ConnectorIdentity, lanes: () => number) => TunnelTransport

/** What links share and are given by the connector. */
export interface LinkSurroundings {
  readonly createTransport: CreateTransport
  readonly material: MaterialStore
  readonly audit: ConnectorAudit
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly events: EventSink
  readonly log: Logger
  readonly random: () => number
  readonly traces: Pick<ConnectorTraces, 'of'>
  readonly agentVersion: string
  /** See `CloudConnectorOptions`. */
  readonly maxReconnectAttempts: (() => number) | undefined
}

/** An audit sink that may know how long to keep what it stores. */
export interface ConnectorAudit extends AuditSink {
  retain?(subaccount: string, days: number): void
}

/** The tunnel of one subaccount and location, with everything that is served over it. */
export interface TunnelLink {
  readonly identity: ConnectorIdentity
  readonly synchronisation: TrustSynchronisation
  readonly renewal: CertificateRenewal
  readonly monitor: BackendMonitor
  readonly usageKeeper: UsageKeeper
  readonly tunnel: TunnelClientState
  readonly roundTripMs: number | undefined
  readonly openStreams: number
  readonly applications: readonly ApplicationStreams[]
  readonly channels: ServiceChannels
  /** What decides now. */
  readonly loaded: LoadedState
  /** Swaps the state for the next request of every stream. */
  apply(next: LoadedState, user: string): void
  whenConnected(signal: AbortSignal): Promise<void>
  /** Settles when the cloud side has answered through the tunnel. @throws ConnectivityError. */
  reachCloud(signal: AbortSignal): Promise<void>
  /** Whether the tunnel is meant to be open. */
  readonly on: boolean
  connect(): void
  /** Cuts everything that goes over the tunnel, at once, and closes the ports of service channels; their clients may finish for `channelGraceMs`, and nobody waits for them. */
  disconnect(channelGraceMs: number): Promise<void>
  /** Clients of service channels may finish for `channelGraceMs`, as long as everything else unless it is given. */
  close(graceMs: number, channelGraceMs?: number): Promise<void>
}

/** Opens the tunnel of an identity. `load` builds the first state; it is given the trust list that belongs to the link. */
export async function openTunnelLink(
  options: LinkSurroundings & {
    readonly identity: ConnectorIdentity
    /** Told about every call that has ended. */
    readonly onRequest: ((record: RequestRecord) => void) | undefined
    readonly trustEntries: readonly TrustEntry[]
    readonly renewal: (() => RenewalPolicy) | undefined
    /** Whether to connect now. */
    readonly on: boolean
    readonly load: (synchronisation: TrustSynchronisation) => Promise<LoadedState>
  },
): Promise<TunnelLink> {
  const { agentVersion, audit, clock, deadlines, events, log, material } = options
  let { identity } = options
  const { connectorId, locationId, subaccount } = identity
  const synchronisation = createTrustSynchronisation({
    holder: { subaccount, locationId },
    entries: options.trustEntries,
    getTrust: (signal) => client.getTrust(signal),
    material,
    audit,
    clock,
    log,
  })
  let loaded = await options.load(synchronisation)
  let draining = false
  const monitor = createBackendMonitor(
    clock.now(),
    await restoreUsage(material, { subaccount, locationId }, { nowMs: clock.now(), log }),
    options.onRequest,
  )
  const usageKeeper = createUsageKeeper({
    usage: monitor.usage,
    mappings: () => loaded.state.table.mappings,
    holder: { subaccount, locationId },
    material,
    clock,
    log,
  })
  const host = createStreamHost({
    subaccount,
    locationId,
    state: () => loaded.state,
    draining: () => draining,
    audit,
    clock,
    deadlines,
    events,
    log,
    monitor,
    traces: () => options.traces.of({ subaccount, locationId }),
  })
  let wasReady = false
  const { maxReconnectAttempts } = options
  const client: SwitchedTunnel = createSwitchedTunnel({
    on: options.on,
    create: () =>
      createTunnelClient({
        // Whoever was never connected is configured wrong rather than cut off, and waiting mends nothing.
        ...(maxReconnectAttempts === undefined ? {} : { maxAttempts: () => (wasReady ? maxReconnectAttempts() : 1) }),
        transport: options.createTransport(
          () => identity,
          () => lanesFor(loaded.state.entry.channels),
        ),
        endpoint: new URL(identity.tunnelEndpoint),
        hello: { locationId, connectorId, agentVersion, description: loaded.state.entry.description || identity.description },
        onStream: (incoming, opening) => host.accept(incoming, opening),
        onTrust: (issuers) => synchronisation.received(issuers),
        onState: (state) => {
          recordTunnel(state)
          channels.tunnelChanged()
        },
        clock,
        random: options.random,
        log,
        events,
      }),
  })
  const channels = createServiceChannels({
    subaccount,
    locationId,
    tunnel: {
      obstacle: () => obstacleOf(client, identity.tunnelEndpoint),
      openChannel: (opening, handlers) => client.openChannel(opening, handlers),
    },
    clock,
    deadlines,
    log,
  })
  const renewal = createCertificateRenewal({
    identity: () => identity,
    request: (request) => client.renewCertificate(request),
    async replace(renewed) {
      // Stored first: an identity that is used and lost would lock the connector out.
      await saveIdentity(material, renewed)
      identity = renewed
      client.reconnect()
    },
    policy: options.renewal,
    clock,
    log,
  })

  let connected = false
  function recordTunnel(state: TunnelClientState): void {
    if (state.kind === 'ready' && !connected) {
      audit.write({
        type: 'tunnel-opened',
        subaccount,
        user: connectorId,
        message: `Tunnel ${state.tunnelId} of location "${locationId}" is open`,
      })
    }
    connected = state.kind === 'ready'
    wasReady ||= connected
  }

  const settle = (): void => {
    const { entry, table } = loaded.state
    channels.apply(entry.channels)
    audit.retain?.(subaccount, entry.audit.retentionDays)
    synchronisation.configure(entry.trust)
    const systems = table.mappings.map((mapping): ExposedSystem => ({
      protocol: mapping.protocol,
      host: mapping.virtualText,
      type: mapping.backendType,
      description: mapping.description,
    }))
    client.expose(createHash('sha256').update(JSON.stringify(systems)).digest('hex'), systems)
  }
  settle()

  return {
    synchronisation,
    renewal,
    monitor,
    usageKeeper,
    channels,
    get identity() {
      return identity
    },
    get tunnel() {
      return client.state
    },
    get roundTripMs() {
      return client.roundTripMs
    },
    get openStreams() {
      return host.openStreams
    },
    get applications() {
      return host.applications
    },
    get loaded() {
      return loaded
    },
    apply(next, user) {
      const changes = configurationChanges(loaded.state.entry, next.state.entry)
      loaded = next
      for (const change of changes) {
        audit.write({
          type: 'configuration-changed',
          category: change.category,
          subaccount,
          user,
          message: `User ${user} changed ${formatChange(change)}`,
        })
      }
      settle()
    },
    get on() {
      return client.on
    },
    connect: () => client.connect(),
    async disconnect(channelGraceMs) {
      host.abort()
      const ended = client.disconnect({ graceMs: channelGraceMs })
      if (channelGraceMs === 0) await ended
    },
    whenConnected: (signal) => client.whenReady(signal),
    async reachCloud(signal) {
      await client.getTrust(signal)
    },
    async close(graceMs, channelGraceMs = graceMs) {
      draining = true
      synchronisation.stop()
      renewal.stop()
      if (graceMs > 0) void host.drain()
      else host.abort()
      void channels.close(channelGraceMs)
      const cancelAbort = clock.after(graceMs, () => host.abort())
      await client.close({ graceMs: Math.max(graceMs, channelGraceMs) })
      cancelAbort()
      host.abort()
      await usageKeeper.close()
    },
  }
}

function obstacleOf(client: SwitchedTunnel, endpoint: string): ConnectivityError | undefined {
  if (!client.on) return new ConnectivityError('TUNNEL_LOST', 'the subaccount is disconnected; connect it first')
  if (client.state.kind !== 'ready') return new ConnectivityError('TUNNEL_LOST', `the tunnel to ${endpoint} is not connected`)
  if (client.takesChannels) return undefined
  return new ConnectivityError('VERSION_UNSUPPORTED', `the cloud side at ${endpoint} is too old for service channels; update it`)
}
