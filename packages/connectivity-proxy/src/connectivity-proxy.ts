import {
  type Address,
  type AuditSink,
  type Clock,
  ConnectivityError,
  type EventSink,
  type Logger,
  noEvents,
  silentLogger,
} from '@sallyport/core'
import type { TokenVerifier } from '@sallyport/token-verifier'
import { createTokenGate, type Tenancy } from './admission.ts'
import { createNamedCounter, type ListenerCounters, type ProxyCounters } from './counters.ts'
import { createCallerPolicy } from './http/caller.ts'
import type { IdentityServices } from './identity-services.ts'
import { HttpConnection } from './http/http-connection.ts'
import { isForbiddenTrailer } from './http/removed-headers.ts'
import { createListener, type ProxyListener } from './listener.ts'
import { defaultGraceMs, defaultProxyLimits, type ProxyLimits } from './limits.ts'
import { isLoopbackHost } from './loopback.ts'
import { createRefusalAudit } from './refusal-audit.ts'
import { SocksConnection } from './socks5/socks-connection.ts'
import type { Tunnels } from './tunnels.ts'

/** One entry point for applications. */
export interface ListenerOptions {
  readonly host: string
  /** 0 lets the system choose. */
  readonly port: number
  /** `false`: applications are trusted and need no token; `Proxy-Authorization` is then ignored. */
  readonly authorization: boolean
  /** Has to be said for every `host` that other machines can reach: the listeners speak no TLS. */
  readonly allowRemoteConnections: boolean
}

/** What the entry points need and how they behave; security-relevant choices have no default. */
export interface ConnectivityProxyOptions {
  readonly tunnels: Tunnels
  readonly verifier: TokenVerifier
  readonly tenancy: Tenancy
  /** Clients whose tokens may use listeners with authorization: a `Set`, or anything that knows as quickly. */
  readonly allowedClients: { has(clientId: string): boolean }
  /** Without them only tokens of the token service are taken. */
  readonly identityServices?: IdentityServices | undefined
  /** What a request does whose target or principal differs from that of its connection: it is refused as the original does, or opens a new logical connection. */
  readonly rebinding: 'refuse' | 'reopen'
  readonly listeners: { readonly http?: ListenerOptions; readonly socks5?: ListenerOptions }
  readonly clock: Clock
  readonly log?: Logger
  readonly events?: EventSink
  /** Gets `service-started`, `service-stopped` and the refusals, repeated ones as a count per minute. While it fails, the proxy does not start. */
  readonly audit: AuditSink
  /** Laid over {@link defaultProxyLimits}. */
  readonly limits?: Partial<ProxyLimits>
}

/** The entry points of one proxy. Whoever created it closes it. */
export interface ConnectivityProxy extends AsyncDisposable {
  /** Opens every configured listener, or none: when one fails the others are closed again. @throws ConnectivityError `PORT_IN_USE`, `CONFIGURATION_INVALID`. */
  listen(): Promise<void>
  /** Stops accepting, answers new requests with 503, lets what is under way finish for `graceMs`, then cuts it. Works more than once, and after a failed start. */
  close(options?: { readonly graceMs: number }): Promise<void>
  /** Where the listeners are; `undefined` for those that are not open. */
  readonly addresses: { readonly http: Address | undefined; readonly socks5: Address | undefined }
  counters(): ProxyCounters
}

/**
 * The entry points for applications: HTTP with absolute-form targets, and SOCKS5 with the token method. Both hand connections to the tunnel of the tenant and
 * location that the token and the location ID name; which systems are reachable behind it is decided by the connector.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` naming every problem of the options at once.
 */
export function createConnectivityProxy(options: ConnectivityProxyOptions): ConnectivityProxy {
  const { tunnels, verifier, tenancy, allowedClients, identityServices, clock, audit } = options
  const log = options.log ?? silentLogger
  const events = options.events ?? noEvents
  const limits: ProxyLimits = { ...defaultProxyLimits, ...options.limits }
  refuseProblems(options)

  const timeouts = createNamedCounter()
  const refused = { http: createNamedCounter(), socks5: createNamedCounter() }
  let requests = 0
  const refusalAudit = createRefusalAudit({ audit, clock, log })
  const onTunnelTimeout = (tunnelId: string): void => timeouts.add(tunnelId)
  const shared = { tunnels, tenancy, limits, clock, log, events, audit: refusalAudit, onTunnelTimeout }

  const { http, socks5 } = options.listeners
  const httpEntry = {
    ...shared,
    policy: createCallerPolicy({ verifier, tenancy, allowedClients, identityServices, authorization: http?.authorization ?? true }),
    lenient: options.rebinding === 'reopen',
    requestScanner: { limits: limits.requestHead, refusesTrailer: isForbiddenTrailer },
    answerScanner: { limits: limits.responseHead },
    onRequest: () => void (requests += 1),
    onRefused: (code: string) => refused.http.add(code),
  }
  const socksAuthorization = socks5?.authorization ?? true
  const socksEntry = {
    ...shared,
    authorization: socksAuthorization,
    gate: createTokenGate({ verifier, tenancy, allowedClients: socksAuthorization ? allowedClients : undefined, identityServices }),
    onRefused: (code: string) => refused.socks5.add(code),
  }
  const common = { limits, clock, log }
  const listeners = {
    http:
      http && createListener({ ...common, ...http, name: 'http', serve: (socket, place) => new HttpConnection(socket, place, httpEntry) }),
    socks5:
      socks5 &&
      createListener({ ...common, ...socks5, name: 'socks5', serve: (socket, place) => new SocksConnection(socket, place, socksEntry) }),
  }
  const all = [listeners.http, listeners.socks5].filter((listener) => listener !== undefined)
  let started = false
  const close = async (graceMs: number): Promise<void> => {
    await Promise.all(all.map((listener) => listener.close(graceMs)))
    refusalAudit.flush()
    if (started) audit.write(serviceEntry('service-stopped', 'connectivity proxy stopped'))
    started = false
  }

  return {
    async listen() {
      if (audit.failing)
        throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the connectivity proxy does not start: the audit log cannot be written')
      try {
        for (const listener of all) await listener.listen()
      } catch (error) {
        await close(0)
        throw error
      }
      started = true
      audit.write(serviceEntry('service-started', 'connectivity proxy started'))
      log.info({ http: listeners.http?.address, socks5: listeners.socks5?.address }, 'the connectivity proxy listens')
    },
    close: (how = { graceMs: defaultGraceMs }) => close(how.graceMs),
    get addresses() {
      return { http: listeners.http?.address, socks5: listeners.socks5?.address }
    },
    counters: () => ({
      http: { ...listenerCounters(listeners.http, refused.http.counts), requests },
      socks5: listenerCounters(listeners.socks5, refused.socks5.counts),
      tunnelOpeningTimeouts: new Map(timeouts.counts),
    }),
    [Symbol.asyncDispose]: () => close(0),
  }
}

function listenerCounters(listener: ProxyListener | undefined, refused: ReadonlyMap<string, number>): ListenerCounters {
  return {
    accepted: listener?.accepted ?? 0,
    turnedAway: listener?.turnedAway ?? 0,
    open: listener?.open ?? 0,
    pending: listener?.pending ?? 0,
    refused: new Map(refused),
  }
}

function serviceEntry(type: 'service-started' | 'service-stopped', message: string): Parameters<AuditSink['write']>[0] {
  return { type, subaccount: '', user: '', message }
}

function refuseProblems({ tenancy, listeners }: ConnectivityProxyOptions): void {
  const problems: string[] = []
  if (tenancy.mode === 'dedicated' && tenancy.subaccount === '')
    problems.push('tenancy.subaccount is empty, but the proxy is dedicated to one')
  if (listeners.http === undefined && listeners.socks5 === undefined) problems.push('listeners: there is none')
  for (const [name, listener] of Object.entries(listeners)) {
    if (listener === undefined || listener.allowRemoteConnections || isLoopbackHost(listener.host)) continue
    problems.push(`listeners.${name}: ${listener.host} can be reached from other machines, but allowRemoteConnections is not set`)
  }
  if (problems.length > 0) {
    throw new ConnectivityError('CONFIGURATION_INVALID', `the connectivity proxy cannot be created: ${problems.join('; ')}`)
  }
}
