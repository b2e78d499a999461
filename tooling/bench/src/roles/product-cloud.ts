import { type AddressInfo, createServer } from 'node:net'
import { createConnectivityProxy } from '@sallyport/connectivity-proxy'
import { type AuditSink, systemClock } from '@sallyport/core'
import { createFixedKeySource, createTokenVerifier, type IssuerKeys } from '@sallyport/token-verifier'
import { createTunnelServer, formatMessage, relay, type TrustedIssuer, type Tunnel } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { type Exposed, exposed } from './exposed.ts'
import { beginRole, type RoleSettings, tell } from './role.ts'

export interface CloudSettings extends RoleSettings {
  readonly subaccount: string
  readonly issuer: IssuerKeys
  readonly client: string
}

// The cloud side of the product: tunnel server, HTTP and SOCKS5 entry points. Beside them a front without SOCKS, for load that speaks none.
const { authority, identity, subaccount, issuer, client } = beginRole() as CloudSettings
const audit: AuditSink = { failing: false, write: () => {}, flushed: () => Promise.resolve() }
const trusted: TrustedIssuer = { ...issuer, name: 'bench', type: 'OAUTH2' }
const tunnels = createTunnelServer({
  transport: createTlsTransport({ clock: systemClock, server: { ...identity, ca: authority } }),
  endpoint: new URL('tls://127.0.0.1:0'),
  authorize: () => Promise.resolve({ allowed: true, subaccount }),
  trust: () => Promise.resolve([trusted]),
  clock: systemClock,
  audit,
})
const endpoint = await tunnels.listen()
const proxy = createConnectivityProxy({
  tunnels,
  verifier: createTokenVerifier({
    keys: createFixedKeySource([issuer]),
    clock: systemClock,
    expiryToleranceSeconds: 0,
    notBeforeToleranceSeconds: 60,
    maxCachedTokens: 10_000,
    maxTokenBytes: 8192,
  }),
  tenancy: { mode: 'shared' },
  allowedClients: new Set([client]),
  rebinding: 'refuse',
  listeners: { http: listener(), socks5: listener() },
  clock: systemClock,
  audit,
})
await proxy.listen()
const front = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true }, (socket) => {
  socket.on('error', () => {})
  const tunnel = tunnels.find(subaccount, '')
  if (tunnel === undefined) socket.destroy()
  else relay(socket, (handlers) => openStream(tunnel, exposed.tcp, handlers))
})
front.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () =>
  tell({
    tunnel: Number(endpoint.port),
    tcp: (front.address() as AddressInfo).port,
    http: proxy.addresses.http?.port,
    socks: proxy.addresses.socks5?.port,
  }),
)

/** As the SOCKS5 entry point does, behind its handshake. A refusal of the connector ends the stream and so the connection. */
function openStream(
  tunnel: Tunnel,
  { host, port }: Exposed,
  handlers: Parameters<Tunnel['openStream']>[1],
): ReturnType<Tunnel['openStream']> {
  const opening = {
    kind: 'tcp',
    subaccount,
    locationId: '',
    virtualHost: host,
    virtualPort: port,
    correlationId: 'bench',
    timeoutMs: 10_000,
  } as const
  return tunnel.openStream(formatMessage(opening), handlers)
}

function listener(): { host: string; port: number; authorization: boolean; allowRemoteConnections: boolean } {
  return { host: '127.0.0.1', port: 0, authorization: true, allowRemoteConnections: false }
}
