import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  type AuditEntry,
  type AuditSink,
  type Clock,
  type ConnectivityEvent,
  type Logger,
  type LogFields,
  systemClock,
} from '@sallyport/core'
import { createTestIssuer, type TestIssuer } from '@sallyport/test-fixtures'
import { createFixedKeySource, createTokenVerifier, type FixedKeySource, type KeySource } from '@sallyport/token-verifier'
import type { TunnelClient } from '@sallyport/tunnel'
import { type ConnectivityProxy, type ConnectivityProxyOptions, createConnectivityProxy } from '../src/index.ts'
import { type Cloud, dialCloud, startCloud } from './cloud.ts'
import { createTinyConnector, type TinyConnector } from './tiny-connector.ts'

export const allowedClient = 'sb-connectivity!b1'

/** A proxy on loopback with what it needs around it; tests say what differs. */
export interface Rig extends AsyncDisposable {
  readonly proxy: ConnectivityProxy
  readonly cloud: Cloud
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
  /** The tunnel breaks, and the connector does not dial again by itself. */
  drop(): Promise<void>
  reconnect(): Promise<void>
}

export type RigOptions = Partial<Omit<ConnectivityProxyOptions, 'listeners'>> & {
  readonly authorization?: boolean
  /** Instead of the fixed keys of the issuer. */
  readonly keySource?: (issuer: TestIssuer) => KeySource
  readonly clock?: Clock
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const { authorization = true, clock = systemClock, keySource, ...rest } = options
  const issuer = createTestIssuer({ clientId: allowedClient, nowMs: () => clock.now() })
  const keys = createFixedKeySource([{ issuer: issuer.issuer, keys: issuer.keys }])
  const verifier = createTokenVerifier({
    keys: keySource?.(issuer) ?? keys,
    clock,
    expiryToleranceSeconds: 0,
    notBeforeToleranceSeconds: 60,
    maxCachedTokens: 1000,
    maxTokenBytes: 65_536,
  })
  const events: ConnectivityEvent[] = []
  const audit: AuditEntry[] = []
  const logged: string[] = []
  const auditSink: AuditSink = { failing: false, write: (entry) => void audit.push(entry), flushed: () => Promise.resolve() }
  const log = createMemoryLog(logged)
  const cloud = await startCloud({ verifier, audit: auditSink, log, onEvent: (event) => events.push(event) })
  const clients = new Set<TunnelClient>()
  const listener = { host: '127.0.0.1', port: 0, authorization, allowRemoteConnections: false }
  const proxy = createConnectivityProxy({
    tunnels: cloud.service.tunnels,
    verifier,
    tenancy: { mode: 'shared' },
    allowedClients: new Set([allowedClient]),
    rebinding: 'refuse',
    clock,
    log,
    events: { wanted: true, emit: (event) => events.push(event) },
    audit: auditSink,
    ...rest,
    listeners: { http: listener, socks5: listener },
  })
  await proxy.listen()
  return {
    proxy,
    cloud,
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
      const paired = await cloud.pair({ subaccount, locationId })
      let client = await dialCloud(paired, tiny)
      clients.add(client)
      return Object.assign(tiny, {
        async drop() {
          await client.close({ graceMs: 0 })
          while (cloud.service.tunnels.find(subaccount, locationId) !== undefined) await nextTurn()
        },
        async reconnect() {
          client = await dialCloud(paired, tiny)
          clients.add(client)
        },
      })
    },
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]()
      await Promise.all([...clients].map((client) => client.close({ graceMs: 0 })))
      await cloud[Symbol.asyncDispose]()
    },
  }
}

function createMemoryLog(lines: string[]): Logger {
  const add = (level: string) => (fields: LogFields, message: string) => void lines.push(JSON.stringify({ level, message, ...fields }))
  return { debug: add('debug'), info: add('info'), warn: add('warn'), error: add('error'), child: () => createMemoryLog(lines) }
}
