import { type AuditEntry, type Clock, type ConnectivityEvent, ConnectivityError, type Logger, type LogFields, systemClock, type TunnelConnection } from '@sallyport/core'
import { createTestIssuer, type TestIssuer } from '@sallyport/test-fixtures'
import { createFixedKeySource, createTokenVerifier, type FixedKeySource } from '@sallyport/token-verifier'
import { createMemoryTransport } from '@sallyport/tunnel/memory'
import {
  type ConnectivityProxy,
  type ConnectivityProxyOptions,
  createConnectivityProxy,
  formatTunnelId,
  type ProxyTunnel,
  type Tunnels,
} from '../src/index.ts'
import { createTinyConnector, type TinyConnector } from './tiny-connector.ts'

export const allowedClient = 'sb-connectivity!b1'

/** A proxy on loopback with what it needs around it; tests say what differs. */
export interface Rig extends AsyncDisposable {
  readonly proxy: ConnectivityProxy
  readonly http: number
  readonly socks: number
  readonly issuer: TestIssuer
  readonly keys: FixedKeySource
  readonly events: ConnectivityEvent[]
  readonly audit: AuditEntry[]
  /** Every log line as JSON text. */
  readonly logged: string[]
  /** A connector of that subaccount and location, connected. */
  connect(options?: {
    readonly subaccount?: string
    readonly locationId?: string
    readonly mappings?: Readonly<Record<string, number | 'unreachable'>>
  }): Promise<RigConnector>
  /** A proxy token as header value. */
  bearer(claims?: Readonly<Record<string, unknown>>): string
}

export interface RigConnector extends TinyConnector {
  /** The tunnel breaks. `expected`: as if the connector were dialling again, so that requests wait. */
  drop(options?: { readonly expected?: boolean }): Promise<void>
  reconnect(): Promise<void>
}

export type RigOptions = Partial<Omit<ConnectivityProxyOptions, 'listeners'>> & {
  readonly authorization?: boolean
  readonly clock?: Clock
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { authorization = true, clock = systemClock, ...rest } = options
  const issuer = createTestIssuer({ clientId: allowedClient, nowMs: () => clock.now() })
  const keys = createFixedKeySource([{ issuer: issuer.issuer, keys: issuer.keys }])
  const verifier = createTokenVerifier({
    keys,
    clock,
    expiryToleranceSeconds: 0,
    notBeforeToleranceSeconds: 60,
    maxCachedTokens: 1000,
    maxTokenBytes: 65_536,
  })
  const events: ConnectivityEvent[] = []
  const audit: AuditEntry[] = []
  const logged: string[] = []
  const registry = createRegistry()
  const listener = { host: '127.0.0.1', port: 0, authorization, allowRemoteConnections: false }
  const proxy = createConnectivityProxy({
    tunnels: registry.tunnels,
    verifier,
    tenancy: { mode: 'shared' },
    allowedClients: new Set([allowedClient]),
    rebinding: 'refuse',
    clock,
    log: createMemoryLog(logged),
    events: { wanted: true, emit: (event) => events.push(event) },
    audit: { failing: false, write: (entry) => void audit.push(entry), flushed: () => Promise.resolve() },
    ...rest,
    listeners: { http: listener, socks5: listener },
  })
  await proxy.listen()
  return {
    proxy,
    http: proxy.addresses.http?.port ?? 0,
    socks: proxy.addresses.socks5?.port ?? 0,
    issuer,
    keys,
    events,
    audit,
    logged,
    bearer: (claims) => `Bearer ${issuer.technical(claims)}`,
    async connect({ subaccount = 'demo', locationId = '', mappings = {} } = {}) {
      const tiny = createTinyConnector(mappings)
      const link = await registry.connect(subaccount, locationId, tiny)
      return Object.assign(tiny, link)
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await registry.close()
    },
  }
}

interface Registry {
  readonly tunnels: Tunnels
  connect(subaccount: string, locationId: string, connector: TinyConnector): Promise<Pick<RigConnector, 'drop' | 'reconnect'>>
  close(): Promise<void>
}

/** Tunnels over the in-memory transport: the multiplexer is the real one, only sockets and certificates are left out. */
function createRegistry(): Registry {
  const transport = createMemoryTransport({ clock: systemClock })
  const tunnels = new Map<string, ProxyTunnel>()
  const expected = new Map<string, PromiseWithResolvers<ProxyTunnel>>()
  const open = new Set<TunnelConnection>()
  let names = 0
  return {
    tunnels: {
      find: (subaccount, locationId) => tunnels.get(formatTunnelId(subaccount, locationId)),
      waitFor(subaccount, locationId, signal) {
        const wait = expected.get(formatTunnelId(subaccount, locationId))
        if (wait === undefined) return Promise.reject(new ConnectivityError('CONNECTOR_NOT_CONNECTED', 'nobody is expected'))
        return new Promise((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error))
          void wait.promise.then(resolve)
        })
      },
    },
    async connect(subaccount, locationId, connector) {
      const tunnelId = formatTunnelId(subaccount, locationId)
      let near: TunnelConnection
      const reconnect = async (): Promise<void> => {
        const endpoint = new URL(`memory://c${++names}`)
        await transport.listen(endpoint, {
          onConnection(connection) {
            open.add(connection)
            const tunnel = { tunnelId, openStream: connection.openStream.bind(connection) }
            tunnels.set(tunnelId, tunnel)
            expected.get(tunnelId)?.resolve(tunnel)
            expected.delete(tunnelId)
            void connection.closed.then(() => {
              if (tunnels.get(tunnelId) === tunnel) tunnels.delete(tunnelId)
              open.delete(connection)
            })
          },
        })
        near = await transport.connect(endpoint, { signal: AbortSignal.timeout(5000) })
        connector.serve(near)
      }
      await reconnect()
      return {
        reconnect,
        async drop(how = {}) {
          if (how.expected === true) expected.set(tunnelId, Promise.withResolvers<ProxyTunnel>())
          near.abort(new Error('dropped by the test'))
          await near.closed
        },
      }
    },
    async close() {
      for (const connection of open) connection.abort(new Error('the test is over'))
    },
  }
}

function createMemoryLog(lines: string[]): Logger {
  const add = (level: string) => (fields: LogFields, message: string) => void lines.push(JSON.stringify({ level, message, ...fields }))
  return { debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error'), child: () => createMemoryLog(lines) }
}
