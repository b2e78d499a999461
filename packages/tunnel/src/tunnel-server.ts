import {
  type AuditSink,
  type Clock,
  type CloseReason,
  ConnectivityError,
  type EventSink,
  type Logger,
  noEvents,
  silentLogger,
  type TunnelConnection,
  type TunnelListener,
  type TunnelTransport,
} from '@sallyport/core'
import { type Admission, admitConnector, type AuthorizeConnector } from './admit-connector.ts'
import { atTime } from './at-time.ts'
import { createClosing } from './closing.ts'
import { defaultTunnelServerLimits, type TunnelServerLimits } from './limits.ts'
import { createLocationMap } from './location-map.ts'
import { type ControlRefusalCode, formatMessage, type TrustedIssuer } from './messages.ts'
import {
  type RenewConnectorCertificate,
  type ServeChannel,
  type ServedConnector,
  serveConnector,
  type Tunnel,
  type TunnelStatus,
} from './served-connector.ts'
import { formatTunnelId } from './tunnel-id.ts'
import { createWaitingRoom } from './waiting-room.ts'

/** What the cloud side brings to serve connectors. */
export interface TunnelServerOptions {
  readonly transport: TunnelTransport
  readonly endpoint: URL
  readonly authorize: AuthorizeConnector
  /** The token issuers that a subaccount trusts. */
  readonly trust: (subaccount: string) => Promise<readonly TrustedIssuer[]>
  /** Without it renewals are refused. */
  readonly renewCertificate?: RenewConnectorCertificate
  /** Without it connectors open no streams. */
  readonly onChannel?: ServeChannel
  readonly clock: Clock
  /** Gets one entry per tunnel that was opened or refused. While it is failing, every tunnel is refused. */
  readonly audit: AuditSink
  readonly log?: Logger
  readonly events?: EventSink
  readonly limits?: Partial<TunnelServerLimits>
}

/** A connection whose admission is under way. */
interface Arrival {
  /** Who it says it is; `undefined` until it has said so. */
  connectorId: string | undefined
  /** Subaccounts that have disconnected a connector of that ID meanwhile: which one this is of, only its authorisation tells. */
  readonly dismissedFrom: Set<string>
}

/** The cloud end of all tunnels of one listener. */
export interface TunnelServer extends AsyncDisposable {
  /** Begins to listen; returns the endpoint with the port that the system chose. @throws ConnectivityError `PORT_IN_USE`, … */
  listen(): Promise<URL>
  /** The tunnel of that subaccount and location, case-sensitive, `''` being the connector without location ID. Never one of another subaccount. */
  find(subaccount: string, locationId: string): Tunnel | undefined
  /**
   * The same, but waits for a connector that was connected until a moment ago and is dialling again.
   *
   * @throws ConnectivityError `CONNECTOR_NOT_CONNECTED` at once when none is expected, `TUNNEL_NOT_OPENED` when it does not come in time,
   * `ABORTED`, `SERVICE_UNAVAILABLE` when too many wait or the server stops.
   */
  waitFor(subaccount: string, locationId: string, signal: AbortSignal): Promise<Tunnel>
  list(): readonly TunnelStatus[]
  /** The issuers or keys that the subaccount trusts are others now: its connectors ask for them again. */
  trustChanged(subaccount: string): void
  /**
   * Lets go of a connector that may not stay, streams included, also those of connections that drain; its next connect is for `authorize` to refuse.
   * One that is being authorised at this moment is sent away to ask again, because its answer may be older than the reason for this. `false`: not connected.
   */
  disconnect(subaccount: string, connectorId: string): boolean
  /** Tells connectors to dial elsewhere, accepts and opens no more streams, lets open ones finish for so long, then closes. Idempotent. */
  close(options: { readonly graceMs: number }): Promise<void>
}

/**
 * The cloud end of tunnels: accepts connectors, keeps at most one per subaccount and location ID, and finds the one a
 * request is meant for. Nothing is opened or accepted on a connection until its control opening was authorised.
 */
export function createTunnelServer(options: TunnelServerOptions): TunnelServer {
  const { clock, audit, log = silentLogger, events = noEvents } = options
  const limits = { ...defaultTunnelServerLimits, ...options.limits }
  const tunnels = createLocationMap<ServedConnector>()
  const waitingRoom = createWaitingRoom<Tunnel>({ clock, limits })
  /** Connections that are open, admitted or not, in use or draining. */
  const connections = new Set<TunnelConnection>()
  /** Connectors that have been admitted and whose connection is open, in use or draining. */
  const served = new Set<ServedConnector>()
  const arrivals = new Set<Arrival>()
  const draining = new Set<Promise<void>>()
  let listener: TunnelListener | undefined
  let listening: Promise<TunnelListener> | undefined
  const closing = createClosing((graceMs) => shutDown(graceMs))

  const onConnection = (connection: TunnelConnection): void => {
    if (closing.hasBegun || arrivals.size >= limits.maxUnaccepted) {
      connection.abort(new ConnectivityError('SERVICE_UNAVAILABLE', 'the tunnel server takes no more connections'))
      return
    }
    connections.add(connection)
    void connection.closed.then(() => connections.delete(connection))
    const arrival: Arrival = { connectorId: undefined, dismissedFrom: new Set() }
    arrivals.add(arrival)
    void admitConnector({ connection, authorize: authorizeArrival(arrival), clock, timeoutMs: limits.controlMs }).then((admission) => {
      arrivals.delete(arrival)
      onAdmission(connection, admission, arrival)
    })
  }

  const authorizeArrival =
    (arrival: Arrival): AuthorizeConnector =>
    async (certificate, opening) => {
      arrival.connectorId = opening.connectorId
      try {
        return await options.authorize(certificate, opening)
      } catch (error) {
        const { connectorId, locationId } = opening
        log.error(
          { connectorId, locationId, reason: error instanceof Error ? error.message : String(error) },
          'connector could not be checked',
        )
        return { allowed: false, code: 'SERVICE_UNAVAILABLE', message: 'the connector could not be checked' }
      }
    }

  const onAdmission = (connection: TunnelConnection, admission: Admission, arrival: Arrival): void => {
    if (admission.kind === 'silent') {
      const { code, message } = admission.error
      log.warn({ code, reason: message }, 'tunnel connection without control opening')
      // Whoever just went away has tried nothing.
      if (code === 'PROTOCOL_VIOLATION')
        audit.write({ type: 'tunnel-refused', subaccount: '', user: '', message: `tunnel handshake failure: ${message}` })
      connection.abort(admission.error)
    } else if (!connections.has(connection)) {
      log.info({ connectorId: admission.opening.connectorId }, 'connector left before it was admitted')
    } else if (admission.kind === 'refused') refuse(connection, admission, admission.code, admission.message)
    else if (closing.hasBegun || audit.failing)
      refuse(connection, admission, 'SERVICE_UNAVAILABLE', 'the server takes no tunnels at the moment')
    else if (arrival.dismissedFrom.has(admission.subaccount))
      refuse(connection, admission, 'SERVICE_UNAVAILABLE', 'the connector was disconnected while it was being admitted')
    else admit(connection, admission)
  }

  const admit = (connection: TunnelConnection, admission: Extract<Admission, { readonly kind: 'admitted' }>): void => {
    const { opening, subaccount } = admission
    const { locationId, connectorId } = opening
    const before = tunnels.get(subaccount, locationId)
    if (before !== undefined && before.connectorId !== connectorId) {
      const text = `connector ${before.connectorId} is connected with the same location ID "${locationId}": give each connector its own`
      return refuse(connection, admission, 'LOCATION_TAKEN', text)
    }
    const tunnel: ServedConnector = serveConnector({
      connection,
      opening,
      subaccount,
      clock,
      log,
      limits,
      control: admission.control,
      version: admission.version,
      trust: options.trust,
      renewCertificate: options.renewCertificate,
      onChannel: options.onChannel,
      onLeaving: () => forget(tunnel, 'closing'),
    })
    if (before !== undefined) {
      forget(before, 'replaced', false)
      retire(before, 'replaced', limits.replacedDrainMs)
    }
    tunnels.set(subaccount, locationId, tunnel)
    served.add(tunnel)
    const { tunnelId } = tunnel
    audit.write({ type: 'tunnel-opened', subaccount, user: connectorId, message: `tunnel handshake success: ${tunnelId}` })
    log.info({ subaccount, locationId, tunnelId, connectorId }, 'tunnel opened')
    if (events.wanted) events.emit({ type: 'tunnel-connected', atMs: clock.now(), subaccount, locationId, tunnelId, connectorId })
    const stopExpiry = expireWithCertificate(tunnel)
    void connection.closed.then((reason) => {
      stopExpiry()
      served.delete(tunnel)
      forget(tunnel, describe(reason))
    })
    waitingRoom.arrived(subaccount, locationId, tunnel)
  }

  const refuse = (
    connection: TunnelConnection,
    admission: Exclude<Admission, { readonly kind: 'silent' }>,
    code: ControlRefusalCode,
    message: string,
  ): void => {
    const { control, opening, subaccount } = admission
    const { connectorId, locationId } = opening
    const tunnelId = formatTunnelId(subaccount, locationId)
    audit.write({
      type: 'tunnel-refused',
      subaccount,
      user: connectorId,
      message: `tunnel handshake failure: ${tunnelId}: ${code}: ${message}`,
    })
    log.warn({ subaccount, locationId, tunnelId, connectorId, code, reason: message }, 'tunnel refused')
    control.take({ onData: () => false, onEnd() {}, onDrain() {}, onClose() {} })
    control.stream.sendMessage(formatMessage({ kind: 'refused', code, message }))
    control.stream.end()
    void connection.close()
    clock.after(limits.controlMs, () => connection.abort(new ConnectivityError('ABORTED', 'a refused connector stayed')))
  }

  /** No new work for this tunnel. */
  const forget = (tunnel: ServedConnector, reason: string, isExpectedBack = true): void => {
    const { subaccount, locationId, tunnelId } = tunnel
    if (tunnels.get(subaccount, locationId) !== tunnel) return
    tunnels.delete(subaccount, locationId)
    if (isExpectedBack) waitingRoom.departed(subaccount, locationId)
    log.info({ subaccount, locationId, tunnelId, reason }, 'tunnel closed')
    if (events.wanted) events.emit({ type: 'tunnel-disconnected', atMs: clock.now(), subaccount, locationId, tunnelId, reason })
  }

  const retire = (tunnel: ServedConnector, farewell: 'drain' | 'replaced', graceMs: number): void => {
    const done = tunnel.retire(farewell, graceMs).then(() => {
      draining.delete(done)
    })
    draining.add(done)
  }

  /** A tunnel lives no longer than the certificate that opened it; a connector that has renewed it is back at once. */
  const expireWithCertificate = (tunnel: ServedConnector): (() => void) => {
    const certificate = tunnel.connection.peerCertificate
    if (certificate === undefined) return () => {}
    return atTime(clock, certificate.validToDate.getTime(), () => {
      log.warn({ tunnelId: tunnel.tunnelId }, 'the certificate of a connected connector has expired')
      retire(tunnel, 'drain', limits.drainMs)
    })
  }

  const shutDown = async (graceMs: number): Promise<void> => {
    // A listener that is still being opened is closed as soon as it is there.
    await listening?.catch(() => undefined)
    await listener?.close()
    waitingRoom.close()
    for (const tunnel of tunnels.values()) retire(tunnel, 'drain', graceMs)
    const cancel = clock.after(graceMs, () => {
      for (const connection of connections) connection.abort(new ConnectivityError('TUNNEL_LOST', 'the tunnel server has closed'))
    })
    await Promise.all([...draining, ...[...connections].map(async (connection) => connection.closed)])
    cancel()
  }

  return {
    async listen() {
      listening ??= options.transport.listen(options.endpoint, { onConnection })
      listener = await listening
      return listener.endpoint
    },
    find: (subaccount, locationId) => tunnels.get(subaccount, locationId),
    async waitFor(subaccount, locationId, signal) {
      return tunnels.get(subaccount, locationId) ?? (await waitingRoom.wait(subaccount, locationId, signal))
    },
    list: () => tunnels.values().map((tunnel) => tunnel.status()),
    trustChanged(subaccount) {
      for (const tunnel of tunnels.ofSubaccount(subaccount)) tunnel.tellTrustChanged()
    },
    disconnect(subaccount, connectorId) {
      for (const arrival of arrivals) if (arrival.connectorId === connectorId) arrival.dismissedFrom.add(subaccount)
      const found = [...served].filter((tunnel) => tunnel.subaccount === subaccount && tunnel.connectorId === connectorId)
      for (const tunnel of found) {
        forget(tunnel, 'disconnected', false)
        tunnel.connection.abort(new ConnectivityError('PEER_UNTRUSTED', `connector ${connectorId} was disconnected`))
      }
      return found.length > 0
    },
    close: closing.close,
    [Symbol.asyncDispose]: () => closing.close({ graceMs: 0 }),
  }
}

function describe(reason: CloseReason): string {
  if (reason.kind === 'lost') return reason.error.message
  return reason.kind === 'local' ? 'closed' : 'closed by the connector'
}
