import {
  type Clock,
  type CloseReason,
  ConnectivityError,
  type EventSink,
  type IncomingTunnelStream,
  type Logger,
  noEvents,
  silentLogger,
  type TunnelStream,
  type TunnelStreamHandlers,
  type TunnelTransport,
} from '@sallyport/core'
import { backOffMs } from './back-off.ts'
import { createClosing } from './closing.ts'
import { type ControlSession, type ControlSessionHandlers, dialControl, type RenewedCertificate } from './control-session.ts'
import { defaultTunnelClientLimits, type TunnelClientLimits } from './limits.ts'
import {
  channelMessageVersion,
  type ChannelOpening,
  type ControlOpening,
  type ControlRefusalCode,
  type ExposedSystem,
  formatMessage,
  type StreamOpening,
  type TrustedIssuer,
} from './messages.ts'
import { createTunnelState, type TunnelClientState } from './tunnel-state.ts'

/** What a connector brings to keep a tunnel open. */
export interface TunnelClientOptions {
  readonly transport: TunnelTransport
  readonly endpoint: URL
  /** Who the connector says it is. Which subaccount it belongs to is decided by its certificate. */
  readonly hello: Omit<ControlOpening, 'kind' | 'versions'>
  /** Takes a stream for an application's connection: accept it within the turn, or refuse it. */
  readonly onStream: (incoming: IncomingTunnelStream, opening: StreamOpening) => void
  /** The token issuers that the subaccount trusts, after each connect and whenever they change. */
  readonly onTrust?: (issuers: readonly TrustedIssuer[]) => void
  /** Every change of {@link TunnelClient.state}, the first one included. */
  readonly onState?: (state: TunnelClientState) => void
  readonly clock: Clock
  /** Between 0 and 1, for the jitter of the back-off: `Math.random`. */
  readonly random: () => number
  readonly log?: Logger
  /** Where `tunnel-connected` and `tunnel-disconnected` go. The server reports the same facts: in one process give it to one of them. */
  readonly events?: EventSink
  /** Attempts in a row before the client gives up, a refusal counting as one; asked after each. Without it the client never gives up. */
  readonly maxAttempts?: number | (() => number)
  readonly limits?: Partial<TunnelClientLimits>
}

/** The connector's end of a tunnel, across all the connections it makes. */
export interface TunnelClient extends AsyncDisposable {
  readonly state: TunnelClientState
  /** Round-trip time of the present connection in milliseconds, when there is one. */
  readonly roundTripMs: number | undefined
  /** Streams that are open, those of connections that are being drained included. */
  readonly openStreams: number
  /** Settles when the state is `ready`. @throws ConnectivityError when the signal fires, the client is closed or has given up. */
  whenReady(signal: AbortSignal): Promise<void>
  /** Whether the server that we are connected to takes streams of ours; `false` without a connection. */
  readonly takesChannels: boolean
  /**
   * Opens a stream to a service of the cloud side; what became of it comes as a message, see {@link ChannelOpening}.
   *
   * @throws ConnectivityError `TUNNEL_LOST` when not connected, `VERSION_UNSUPPORTED` when the server is too old.
   */
  openChannel(opening: ChannelOpening, handlers: TunnelStreamHandlers): TunnelStream
  /** What the connector exposes: sent now and after every connect. */
  expose(digest: string, systems: readonly ExposedSystem[]): void
  /** @throws ConnectivityError `TUNNEL_LOST` when not connected, `DEADLINE_EXCEEDED`, `ABORTED`. */
  getTrust(signal?: AbortSignal): Promise<readonly TrustedIssuer[]>
  /** @param request PEM certification request for a new key. @throws ConnectivityError also `PAIRING_REFUSED`. */
  renewCertificate(request: string, signal?: AbortSignal): Promise<RenewedCertificate>
  /** Dials anew and lets the streams of the present connection finish on it, e.g. to use a renewed certificate. */
  reconnect(): void
  /** Accepts no more streams, lets open ones finish for so long, then closes. Idempotent. */
  close(options: { readonly graceMs: number }): Promise<void>
}

/**
 * The connector's end of a tunnel: dials, introduces itself, hands out the streams that the server opens, and does it again
 * whenever the connection is lost, for ever. It begins at once. A new connection takes the place of an old one before
 * the old one is let go, so that streams keep running through a drain, a renewal or the loss of a lane.
 */
export function createTunnelClient(options: TunnelClientOptions): TunnelClient {
  const { clock, log = silentLogger, events = noEvents } = options
  const { maxAttempts: allowed = Infinity } = options
  const maxAttempts = typeof allowed === 'number' ? () => allowed : allowed
  const limits = { ...defaultTunnelClientLimits, ...options.limits }
  const backOff = { floorMs: limits.backOffFloorMs, ceilingMs: limits.backOffCeilingMs }
  const { locationId, connectorId } = options.hello
  /** Every session with an open connection; `current` is the one that new streams arrive on. */
  const sessions = new Set<ControlSession>()
  const state = createTunnelState((next) => options.onState?.(next))
  let current: ControlSession | undefined
  let failures = 0
  let exposed: { readonly digest: string; readonly systems: readonly ExposedSystem[] } | undefined
  let cancelTimer: () => void = () => {}
  let attempt: AbortController | undefined
  const closing = createClosing((graceMs) => shutDown(graceMs))

  /** Dials after a wait, unless that is under way. */
  const dialAfter = (delayMs: number): void => {
    if (attempt !== undefined || closing.hasBegun) return
    cancelTimer()
    cancelTimer = clock.after(delayMs, () => void dial())
  }

  const dial = async (): Promise<void> => {
    if (attempt !== undefined || closing.hasBegun) return
    const controller = new AbortController()
    attempt = controller
    cancelTimer()
    if (current === undefined) state.become({ kind: 'connecting', attempt: failures + 1, retryAtMs: undefined, lastError: undefined })
    const cancelDeadline = clock.after(limits.connectMs, () =>
      controller.abort(new ConnectivityError('PEER_UNREACHABLE', `${options.endpoint.host} did not answer in ${limits.connectMs} ms`)),
    )
    try {
      const { transport, endpoint, hello } = options
      const verdict = await dialControl({ transport, endpoint, hello, clock, limits, signal: controller.signal, onWelcome })
      attempt = undefined
      if (verdict.kind === 'refused') onRefused(verdict.code, verdict.message)
    } catch (error) {
      attempt = undefined
      onFailed(error as Error)
    } finally {
      cancelDeadline()
    }
  }

  const onRefused = (code: ControlRefusalCode, message: string): void => {
    if (code === 'SERVICE_UNAVAILABLE') onFailed(new ConnectivityError(code, `the server refused the tunnel for now: ${message}`))
    else {
      failures++
      fail('refused', code, message, failures < maxAttempts() ? limits.refusedRetryMs : undefined)
    }
  }

  const onFailed = (error: Error): void => {
    if (closing.hasBegun) return
    failures++
    const code = ConnectivityError.is(error) ? error.code : 'PEER_UNREACHABLE'
    if (failures >= maxAttempts() && current === undefined) return fail('attempts-exhausted', code, error.message, undefined)
    const delayMs = backOffMs(failures - 1, backOff, options.random)
    log.warn({ locationId, code, reason: error.message, delayMs }, 'tunnel not connected, trying again')
    dialAfter(delayMs)
    if (current === undefined)
      state.become({ kind: 'connecting', attempt: failures + 1, retryAtMs: clock.now() + delayMs, lastError: error })
  }

  const fail = (
    reason: 'refused' | 'replaced' | 'attempts-exhausted',
    code: ControlRefusalCode | 'REPLACED' | ConnectivityError['code'],
    message: string,
    retryMs: number | undefined,
  ): void => {
    if (closing.hasBegun) return
    log.error({ locationId, code, reason: message }, 'tunnel refused')
    if (retryMs !== undefined) dialAfter(retryMs)
    const retryAtMs = retryMs === undefined ? undefined : clock.now() + retryMs
    if (current === undefined) state.become({ kind: 'failed', reason, code, message, retryAtMs })
  }

  const onWelcome = (session: ControlSession): ControlSessionHandlers => {
    const sinceMs = clock.now()
    const openedMs = clock.elapsed()
    const { subaccount, tunnelId } = session
    const before = current
    sessions.add(session)
    current = session
    // The server drains the predecessor as well; whoever is first does no harm.
    if (before !== undefined) void before.close()
    log.info({ subaccount, locationId, tunnelId }, 'tunnel connected')
    if (events.wanted) events.emit({ type: 'tunnel-connected', atMs: sinceMs, subaccount, locationId, tunnelId, connectorId })
    // Once the session is complete, not while it is being made.
    queueMicrotask(() => {
      if (current !== session || closing.hasBegun) return
      if (exposed !== undefined) session.expose(exposed.digest, exposed.systems)
      learnTrust(session, 0)
      state.become({ kind: 'ready', subaccount, tunnelId, sinceMs })
    })
    void session.connection.weakened?.then(() => {
      if (current === session) dialAfter(0)
    })
    return {
      onStream: options.onStream,
      onTrustChanged: () => learnTrust(session, 0),
      onDrain() {
        if (current !== session) return
        current = undefined
        void session.close()
        // A server that is going away drops the next connection as well: it counts like a loss.
        lost(openedMs, new ConnectivityError('TUNNEL_LOST', 'the server is going to stop'))
      },
      onReplaced() {
        void session.close()
        // Our own next connection replaces this one too, and its welcome may be slower than this farewell.
        if (current !== session || attempt !== undefined) return
        current = undefined
        fail('replaced', 'REPLACED', `another connection with the connector ID ${connectorId} has taken our place`, limits.replacedRetryMs)
      },
      onClosed(reason) {
        sessions.delete(session)
        const why = describe(reason)
        if (events.wanted) events.emit({ type: 'tunnel-disconnected', atMs: clock.now(), subaccount, locationId, tunnelId, reason: why })
        if (current !== session) return
        current = undefined
        if (!closing.hasBegun) lost(openedMs, reason.kind === 'lost' ? reason.error : new ConnectivityError('TUNNEL_LOST', why))
      },
    }
  }

  const lost = (openedMs: number, error: Error): void => {
    if (clock.elapsed() - openedMs >= limits.stableAfterMs) failures = 0
    onFailed(error)
  }

  /** Asks for the issuers; when that fails, again, as long as the session is the current one. */
  const learnTrust = (session: ControlSession, failed: number): void => {
    const { onTrust } = options
    if (onTrust === undefined || current !== session) return
    session.getTrust().then(
      (issuers) => {
        if (current === session) onTrust(issuers)
      },
      (error: Error) => {
        if (current !== session) return
        log.warn({ locationId, reason: error.message }, 'trusted issuers not received')
        clock.after(backOffMs(failed + 5, backOff, options.random), () => learnTrust(session, failed + 1))
      },
    )
  }

  const connected = (): ControlSession => {
    if (current === undefined) throw new ConnectivityError('TUNNEL_LOST', 'the tunnel is not connected')
    return current
  }

  const shutDown = async (graceMs: number): Promise<void> => {
    attempt?.abort(new ConnectivityError('ABORTED', 'the tunnel client is closing'))
    cancelTimer()
    state.become({ kind: 'draining' })
    const cancelGrace = clock.after(graceMs, () => {
      for (const session of sessions) session.connection.abort(new ConnectivityError('ABORTED', 'the tunnel client has closed'))
    })
    await Promise.all([...sessions].map(async (session) => session.close()))
    cancelGrace()
    current = undefined
    state.become({ kind: 'closed' })
  }

  queueMicrotask(() => void dial())
  return {
    get state() {
      return state.current
    },
    get roundTripMs() {
      return current?.connection.roundTripMs
    },
    get openStreams() {
      let count = 0
      // The control stream of each connection is ours and not counted.
      for (const { connection } of sessions) count += Math.max(0, connection.openStreams - 1)
      return count
    },
    whenReady: state.whenReady,
    get takesChannels() {
      return current !== undefined && current.version >= channelMessageVersion
    },
    openChannel(opening, handlers) {
      const { connection, version } = connected()
      if (version < channelMessageVersion)
        throw new ConnectivityError(
          'VERSION_UNSUPPORTED',
          `${options.endpoint.host} speaks version ${version} of the tunnel's messages; service channels need version ${channelMessageVersion}, so update the cloud side`,
        )
      return connection.openStream(formatMessage(opening), handlers)
    },
    expose(digest, systems) {
      exposed = { digest, systems }
      current?.expose(digest, systems)
    },
    getTrust: async (signal) => await connected().getTrust(signal),
    renewCertificate: async (request, signal) => await connected().renewCertificate(request, signal),
    reconnect: () => dialAfter(0),
    close: closing.close,
    [Symbol.asyncDispose]: () => closing.close({ graceMs: 0 }),
  }
}

function describe(reason: CloseReason): string {
  if (reason.kind === 'lost') return reason.error.message
  return reason.kind === 'local' ? 'closed' : 'closed by the server'
}
