import { connectorEntrySchema } from '@sallyport/admin-api'
import { type Clock, ConnectivityError, createTurnQueue, type EventSink, type Logger, noEvents, silentLogger } from '@sallyport/core'
import { createLeafKey, type LeafKey, type TrustChanges } from '@sallyport/principal-propagation'
import { checkReachability, type Reachability } from './backend/reachability.ts'
import type { ConfigurationSource } from './configuration/configuration-source.ts'
import {
  acceptConnectors,
  type Configuration,
  type ConnectorConfiguration,
  parseConfiguration,
} from './configuration/connector-configuration.ts'
import { type LoadedState, loadState } from './configuration/load-state.ts'
import { type BackendStatus, backendsOf, type ConnectorStatus, linkStatusOf } from './connector-status.ts'
import { createDeadlines } from './deadlines.ts'
import type { RenewalPolicy } from './identity/certificate-renewal.ts'
import type { ConnectorIdentity } from './identity/connector-identity.ts'
import type { MaterialStore } from './identity/material-store.ts'
import type { KerberosLogon } from './kerberos/kerberos-tickets.ts'
import { createKerberosRealms } from './kerberos/kerberos-realms.ts'
import { defaultDrainMs } from './limits.ts'
import type { OwnedCertificate } from './monitoring/certificate-status.ts'
import { certificatesOf } from './monitoring/owned-certificates.ts'
import type { RequestRecord } from './monitoring/request-record.ts'
import { restoreTrust, type TrustSynchronisation } from './principal/trust-synchronisation.ts'
import { type Simulation, simulationOf } from './simulation/simulation.ts'
import type { ConnectorTraces } from './trace/connector-traces.ts'
import { noTraces } from './trace/no-traces.ts'
import { trafficControlOf, type TrafficControl, trafficOf, type TrafficStatus } from './traffic-status.ts'
import { type ConnectorAudit, type CreateTransport, openTunnelLink, type TunnelLink } from './tunnel-link.ts'

/** The on-premise side of tunnels: dials out, decides access, propagates principals. */
export interface CloudConnector extends AsyncDisposable {
  /**
   * Reads the configuration, opens the tunnels and watches for changes. A connector that was stopped does not start again: make a new one.
   *
   * @throws ConnectivityError `CONFIGURATION_INVALID`, and nothing is open then; `SERVICE_UNAVAILABLE` after `stop`.
   */
  start(): Promise<void>
  /**
   * Reads the configuration again and takes it over as a whole, or not at all. `user` is who asked, for the audit log.
   *
   * @throws ConnectivityError `CONFIGURATION_INVALID` with every problem; what was configured before goes on deciding.
   */
  reload(user?: string): Promise<void>
  /** Whether it has been started and not stopped. */
  readonly running: boolean
  /** Opens the tunnel of a new identity, after a pairing at run time; takes the place of an older one for the same subaccount and location. */
  add(identity: ConnectorIdentity): Promise<void>
  /** Closes the tunnel of an identity for good and forgets it; nothing when there is none. What is kept of it goes with `removeIdentity`. */
  remove(holder: LinkName): Promise<void>
  /** Opens the tunnel again after `disconnect`, or after all attempts have failed. @throws ConnectivityError `NOT_FOUND`. */
  connect(holder: LinkName): Promise<void>
  /**
   * Cuts the tunnel with everything that goes over it; what is configured stays. Clients of service channels may finish for `channelGraceMs` (0 unless it is given), as
   * after a change of roles; nobody waits for them. @throws ConnectivityError `NOT_FOUND`.
   */
  disconnect(holder: LinkName, options?: { readonly channelGraceMs?: number }): Promise<void>
  /** Looks whether the backend of a mapping can be reached; `virtual` is its `host:port`. @throws ConnectivityError `NOT_FOUND`; the reason of the signal. */
  checkBackend(holder: LinkName, virtual: string, signal: AbortSignal): Promise<Reachability>
  /** Looks whether tickets can be had with settings, those in force or others: what is wrong, or `undefined`. @throws the reason of the signal, and nothing else. */
  readonly checkKerberos: (logon: KerberosLogon, signal: AbortSignal) => Promise<string | undefined>
  /** Settles when every tunnel is open that is meant to be, or only the one that is named. */
  whenConnected(signal: AbortSignal, holder?: LinkName): Promise<void>
  /** Asks the cloud side through a tunnel, and settles when it has answered: so long nobody else has taken its place. @throws ConnectivityError. */
  reachCloud(holder: LinkName, signal: AbortSignal): Promise<void>
  readonly status: ConnectorStatus
  readonly backends: readonly BackendStatus[]
  /** What the connector owns and has to renew or replace in time. */
  readonly certificates: readonly OwnedCertificate[]
  /** Recent calls and usage of every tunnel. */
  readonly traffic: readonly TrafficStatus[]
  /** @throws ConnectivityError `NOT_FOUND` for a subaccount and location without tunnel. */
  trafficControl(holder: LinkName): TrafficControl
  /** Explains decisions without anything being sent or issued. @throws ConnectivityError `NOT_FOUND` for a subaccount and location without tunnel. */
  simulation(holder: LinkName): Simulation
  /** Stands in every user certificate of this process, and so in samples of them. */
  readonly leafKey: LeafKey
  /** Takes the trust list of the cloud side over. @throws ConnectivityError `NOT_FOUND` for a subaccount and location without tunnel. */
  synchroniseTrust(holder: LinkName, user: string, signal?: AbortSignal): Promise<TrustChanges>
  /** Renews the subaccount certificate now. */
  renewCertificate(holder: LinkName): Promise<void>
  /**
   * Settles when the port of a service channel is open and a connection of ours has reached its service, where it ends at once.
   *
   * @throws ConnectivityError that says why not; `NOT_FOUND` for a channel that is not enabled.
   */
  whenChannelServed(holder: LinkName, id: number, signal: AbortSignal): Promise<void>
  /**
   * Lets requests that are under way finish for so long, then closes everything. Idempotent; works after a failed start. Ports of service channels close at once, and
   * their clients may finish for `channelGraceMs`, which is as long unless it is given.
   */
  stop(options?: { readonly graceMs?: number; readonly channelGraceMs?: number }): Promise<void>
}

/** Which tunnel is meant. */
export type LinkName = Pick<ConnectorIdentity, 'subaccount' | 'locationId'>

/** What a connector is made of. */
export interface CloudConnectorOptions {
  readonly configuration: ConfigurationSource
  /** Top-level keys of the configuration that belong to others. */
  readonly otherKeys?: readonly string[]
  /** What pairings left behind, see `loadIdentities`. */
  readonly identities: readonly ConnectorIdentity[]
  readonly createTransport: CreateTransport
  /** Keeps renewed identities, generated keys and trust lists. */
  readonly material: MaterialStore
  readonly audit: ConnectorAudit
  readonly clock: Clock
  readonly log?: Logger
  readonly events?: EventSink
  /** Between 0 and 1, for the jitter of reconnects. */
  readonly random?: () => number
  /** Told about every call of an application that has ended. Must return at once. */
  readonly onRequest?: (holder: LinkName, record: RequestRecord) => void
  /** Nothing is traced when left out. */
  readonly traces?: Pick<ConnectorTraces, 'of'>
  /** Version of the product, told to the cloud side. */
  readonly agentVersion: string
  /** Whether the tunnel of an identity is meant to be open when it is added; always without it. */
  readonly isWanted?: (holder: LinkName) => boolean
  /** Attempts in a row to reopen a tunnel that has been open in this process; one that has not gets a single attempt. Without it there is no end of attempts. */
  readonly maxReconnectAttempts?: () => number
  /** When the certificate of an identity is renewed without being asked; in time and without end unless it is given. */
  readonly renewal?: (holder: LinkName) => RenewalPolicy
  /** A folder for keytabs and tickets that is the connector's alone and is emptied, and where programs of MIT Kerberos are looked for, in the form of `PATH`. */
  readonly kerberos?: { readonly folder: string; readonly searchPath: string }
}

/** Where systems keep programs. */
const defaultSearchPath = '/usr/local/bin:/usr/bin:/bin'

const emptyEntry = connectorEntrySchema.parse({})

/** Makes a connector; nothing happens before `start`. */
export function createCloudConnector(options: CloudConnectorOptions): CloudConnector {
  const {
    audit,
    clock,
    configuration: source,
    events = noEvents,
    log = silentLogger,
    material,
    random = Math.random,
    traces = noTraces,
  } = options
  const { onRequest, renewal } = options
  const deadlines = createDeadlines(clock)
  const leafKey = createLeafKey()
  const kerberos = createKerberosRealms({
    folder: options.kerberos?.folder,
    searchPath: options.kerberos?.searchPath ?? defaultSearchPath,
    clock,
    log,
  })
  let links: readonly TunnelLink[] = []
  let configuration: Configuration | undefined
  let problem: string | undefined
  let stopWatching: (() => void) | undefined
  let stopping: Promise<void> | undefined
  /** Changes of links and configuration happen one after the other. */
  const { inTurn } = createTurnQueue()

  /** The entry for an identity: one that names its subaccount, else the one of its location when no other identity has that location. */
  const configurationFor = (from: Configuration, identity: LinkName, all: readonly LinkName[]): ConnectorConfiguration => {
    const ofLocation = from.connectors.filter(({ entry }) => entry.locationId === identity.locationId)
    const exact = ofLocation.find(({ entry }) => entry.subaccount === identity.subaccount)
    const alone = all.filter((other) => other.locationId === identity.locationId).length === 1
    const general = alone ? ofLocation.find(({ entry }) => entry.subaccount === undefined) : undefined
    return exact ?? general ?? { entry: { ...emptyEntry, locationId: identity.locationId }, mappings: [], warnings: [], path: [] }
  }

  const load = async (
    from: Configuration,
    identity: ConnectorIdentity,
    all: readonly LinkName[],
    previous: LoadedState | undefined,
    synchronisation: TrustSynchronisation,
  ): Promise<LoadedState> => {
    const result = await loadState(configurationFor(from, identity, all), previous, {
      identity,
      readFile: (file, encoding) => source.readFile(file, encoding),
      material,
      trust: synchronisation.trust,
      leafKey,
      kerberos,
      clock,
    })
    if ('problems' in result) throw from.fail(result.problems)
    return result
  }

  const open = async (from: Configuration, identity: ConnectorIdentity, all: readonly LinkName[]): Promise<TunnelLink> =>
    openTunnelLink({
      identity,
      trustEntries: await restoreTrust(material, identity),
      on: options.isWanted?.(identity) ?? true,
      maxReconnectAttempts: options.maxReconnectAttempts,
      renewal: renewal === undefined ? undefined : () => renewal(identity),
      load: (synchronisation) => load(from, identity, all, undefined, synchronisation),
      createTransport: options.createTransport,
      material,
      audit,
      clock,
      deadlines,
      events,
      log,
      random,
      traces,
      onRequest: onRequest && ((record) => onRequest(identity, record)),
      agentVersion: options.agentVersion,
    })

  /** What no tunnel needs any more goes, also what a configuration has asked for that was not taken over. */
  const tidyKerberos = (): void => kerberos.keep(links.map((link) => link.loaded.state.kerberos))

  const read = async (): Promise<Configuration> => {
    const content = await source.read()
    return typeof content === 'string'
      ? parseConfiguration({ text: content, fileName: source.name, otherKeys: options.otherKeys ?? [] })
      : acceptConnectors(content, source.name)
  }

  const warn = (from: Configuration): void => {
    for (const { entry, warnings } of from.connectors) {
      for (const warning of warnings) log.warn({ locationId: entry.locationId, warning }, 'the configuration has a weakness')
    }
  }

  const tellConfiguration = (): void => {
    if (events.wanted) events.emit({ type: 'configuration-read', atMs: clock.now(), source: source.name, problem })
  }

  const reload = (user: string): Promise<void> =>
    inTurn(async () => {
      if (configuration === undefined || stopping !== undefined)
        throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the connector is not running')
      try {
        const next = await read()
        const all = links.map((link) => link.identity)
        const states = await Promise.all(links.map((link) => load(next, link.identity, all, link.loaded, link.synchronisation)))
        // From here on nothing can fail: all links change together.
        configuration = next
        for (const [at, link] of links.entries()) link.apply(states[at] as LoadedState, user)
        problem = undefined
        warn(next)
        log.info({}, 'configuration taken over')
        tellConfiguration()
      } catch (error) {
        problem = error instanceof Error ? error.message : 'unknown'
        log.error({ code: 'CONFIGURATION_INVALID', problem }, 'the changed configuration is not usable; the old one stays')
        tellConfiguration()
        throw error
      } finally {
        tidyKerberos()
      }
    })

  const linkOf = (holder: LinkName): TunnelLink => {
    const link = links.find(({ identity }) => identity.subaccount === holder.subaccount && identity.locationId === holder.locationId)
    if (link === undefined)
      throw new ConnectivityError('NOT_FOUND', `no tunnel for subaccount "${holder.subaccount}" and location "${holder.locationId}"`)
    return link
  }

  const connector: CloudConnector = {
    start: () =>
      inTurn(async () => {
        // Whoever stops closes the links of then; nobody would close later ones.
        if (stopping !== undefined) throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the connector has been stopped; make a new one')
        if (configuration !== undefined) return
        const next = await read()
        // Also when there is nothing about Kerberos in the configuration any more.
        await kerberos
          .tidyUp()
          .catch((error: unknown) => log.error({ reason: error instanceof Error ? error.message : 'unknown' }, 'tickets cannot be removed'))
        const opened: TunnelLink[] = []
        try {
          for (const identity of options.identities) opened.push(await open(next, identity, options.identities))
        } catch (error) {
          await Promise.all(opened.map((link) => link.close(0)))
          throw error
        }
        configuration = next
        links = opened
        audit.write({
          type: 'service-started',
          subaccount: '',
          user: '',
          message: `Cloud connector is started with ${links.length} tunnels`,
        })
        warn(next)
        stopWatching = source.watch(() => {
          reload('configuration file').catch(() => {
            // Logged and shown in the status.
          })
        })
      }),
    reload: (user = 'administrator') => reload(user),
    get running() {
      return configuration !== undefined && stopping === undefined
    },
    add: (identity) =>
      inTurn(async () => {
        if (configuration === undefined || stopping !== undefined)
          throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the connector is not running')
        const others = links.filter(
          (link) => link.identity.subaccount !== identity.subaccount || link.identity.locationId !== identity.locationId,
        )
        const added = await open(configuration, identity, [...others.map((link) => link.identity), identity])
        const replaced = links.filter((link) => !others.includes(link))
        links = [...others, added]
        await Promise.all(replaced.map((link) => link.close(defaultDrainMs)))
      }),
    remove: (holder) =>
      inTurn(async () => {
        const gone = links.filter(({ identity }) => identity.subaccount === holder.subaccount && identity.locationId === holder.locationId)
        links = links.filter((link) => !gone.includes(link))
        tidyKerberos()
        await Promise.all(gone.map((link) => link.close(0)))
      }),
    async checkBackend(holder, virtual, signal) {
      const { state } = linkOf(holder).loaded
      const mapping = state.table.mappings.find(({ virtualText }) => virtualText.toLowerCase() === virtual.toLowerCase())
      if (mapping === undefined) throw new ConnectivityError('NOT_FOUND', `no mapping for ${virtual}`)
      return await checkReachability(mapping, state, clock, signal)
    },
    async checkKerberos(logon, signal) {
      try {
        return await kerberos.of(logon).check(signal)
      } finally {
        // In turn: a configuration that is being read may have asked for tickets that no tunnel has yet.
        void inTurn(async () => tidyKerberos())
      }
    },
    connect: (holder) => inTurn(async () => linkOf(holder).connect()),
    disconnect: (holder, { channelGraceMs = 0 } = {}) => inTurn(() => linkOf(holder).disconnect(channelGraceMs)),
    async whenConnected(signal, holder) {
      const meant = holder === undefined ? links.filter(({ on }) => on) : [linkOf(holder)]
      await Promise.all(meant.map((link) => link.whenConnected(signal)))
    },
    async reachCloud(holder, signal) {
      await linkOf(holder).reachCloud(signal)
    },
    get status() {
      const revision = Math.max(0, ...links.map((link) => link.loaded.state.revision))
      const warnings = configuration?.connectors.flatMap((each) => each.warnings) ?? []
      return { configuration: { name: source.name, revision, problem, warnings }, links: links.map(linkStatusOf) }
    },
    get backends() {
      return links.map((link) => backendsOf(link, clock.now()))
    },
    get traffic() {
      return links.map((link) => trafficOf(link, clock.now()))
    },
    get certificates() {
      return certificatesOf(links)
    },
    trafficControl: (holder) => trafficControlOf(linkOf(holder), clock.now),
    simulation: (holder) => simulationOf(linkOf(holder), audit),
    leafKey,
    synchroniseTrust: async (holder, user, signal) => await linkOf(holder).synchronisation.synchronise(user, signal),
    renewCertificate: async (holder) => await linkOf(holder).renewal.renew(),
    whenChannelServed: async (holder, id, signal) => await linkOf(holder).channels.whenServed(id, signal),
    stop({ graceMs = defaultDrainMs, channelGraceMs = graceMs } = {}) {
      stopping ??= inTurn(async () => {
        stopWatching?.()
        await Promise.all(links.map((link) => link.close(graceMs, channelGraceMs)))
        await kerberos.close()
        deadlines.stop()
        if (configuration === undefined) return
        audit.write({ type: 'service-stopped', subaccount: '', user: '', message: 'Cloud connector is stopped' })
        await audit.flushed()
      })
      return stopping
    },
    [Symbol.asyncDispose]: () => connector.stop(),
  }
  return connector
}
