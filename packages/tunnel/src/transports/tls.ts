import type { X509Certificate } from 'node:crypto'
import { type Clock, ConnectivityError, type Logger, silentLogger, type TunnelTransport } from '@sallyport/core'
import { defaultTlsLimits, maxLanes, type MultiplexerLimits, type TlsLimits } from '../limits.ts'
import { multiplex } from '../multiplexer/multiplexer.ts'
import { createSocketLink } from './socket-link.ts'
import { dialLanes, type OpenSocket } from './tls-dialler.ts'
import { tunnelVersions } from './tls-hello.ts'
import { listenForLanes, type TlsRefusal } from './tls-listener.ts'
import { createContextCache, current, type Renewable, type TlsMaterial } from './tls-material.ts'

export type { Renewable, TlsMaterial } from './tls-material.ts'
export type { OpenSocket } from './tls-dialler.ts'
export type { TlsRefusal } from './tls-listener.ts'

/** What a side that dials brings. */
export interface TlsClientMaterial extends TlsMaterial {
  /** Name that the server's certificate must carry and that is sent as SNI; the host of the endpoint when left out. */
  readonly servername?: string
  /** A further condition on the server's certificate, e.g. a pinned fingerprint. It never replaces the check against `ca`. */
  readonly verify?: (certificate: X509Certificate) => boolean
}

/** How connections over TLS are made. */
export interface TlsTransportOptions {
  readonly clock: Clock
  /** Needed to dial. A function is asked again for each connection. */
  readonly client?: Renewable<TlsClientMaterial>
  /** Needed to listen; `ca` signs the certificates of those who may connect. A function is asked again for each socket. */
  readonly server?: Renewable<TlsMaterial>
  /**
   * TLS connections per tunnel connection, 1 to 16, decided by the side that dials. Default 2: one for what is small, one for bulk.
   * A function is asked again for each connection.
   */
  readonly lanes?: number | (() => number)
  readonly log?: Logger
  /** Dials the byte stream below TLS, through a proxy for example; asked for each lane. Directly without it. */
  readonly openSocket?: OpenSocket
  readonly limits?: Partial<TlsLimits>
  readonly multiplexer?: Partial<MultiplexerLimits>
  /** A client certificate was refused in the handshake, before there was a connection; for the audit log. */
  readonly onRefused?: (refusal: TlsRefusal) => void
}

/**
 * Tunnel connections over TLS 1.3 with certificates on both sides, to endpoints such as `tls://proxy.example.org:8042`.
 * A connection is made of a few TLS connections ("lanes"), all with the same certificate.
 */
export function createTlsTransport(options: TlsTransportOptions): TunnelTransport {
  return createVersionedTlsTransport(options, tunnelVersions)
}

/** The same with a choice of versions, so that peers of other ages can be tried. */
export function createVersionedTlsTransport(options: TlsTransportOptions, versions: readonly number[]): TunnelTransport {
  const { clock, lanes = 2, log = silentLogger } = options
  if (typeof lanes === 'number') assertLanes(lanes)
  const limits = { ...defaultTlsLimits, ...options.limits }
  const contextFor = createContextCache()
  const shared = { clock, log, limits: options.multiplexer }
  return {
    name: 'tls',
    async connect(endpoint, { signal }) {
      if (options.client === undefined)
        throw new ConnectivityError('CONFIGURATION_INVALID', 'this tunnel transport has no client certificate')
      assertEndpoint(endpoint)
      const material = current(options.client)
      const { sockets, peerCertificate } = await dialLanes({
        endpoint,
        lanes: typeof lanes === 'number' ? lanes : assertLanes(lanes()),
        versions,
        limits,
        openSocket: options.openSocket,
        clock,
        signal,
        context: contextFor(material),
        servername: material.servername,
        verify: material.verify,
      })
      return multiplex({ ...shared, side: 'dialler', links: sockets.map(createSocketLink), peerCertificate })
    },
    async listen(endpoint, { onConnection }) {
      if (options.server === undefined)
        throw new ConnectivityError('CONFIGURATION_INVALID', 'this tunnel transport has no server certificate')
      assertEndpoint(endpoint)
      return await listenForLanes({
        endpoint,
        versions,
        limits,
        clock,
        log,
        material: options.server,
        onRefused: options.onRefused ?? (() => {}),
        onLanes: ({ sockets, peerCertificate }) =>
          onConnection(multiplex({ ...shared, side: 'listener', links: sockets.map(createSocketLink), peerCertificate })),
      })
    },
  }
}

function assertLanes(lanes: number): number {
  if (Number.isInteger(lanes) && lanes >= 1 && lanes <= maxLanes) return lanes
  throw new ConnectivityError('CONFIGURATION_INVALID', `a tunnel connection has 1 to ${maxLanes} lanes, not ${lanes}`)
}

function assertEndpoint(endpoint: URL): void {
  if (endpoint.protocol === 'tls:' && endpoint.hostname !== '' && endpoint.port !== '') return
  throw new ConnectivityError('CONFIGURATION_INVALID', `"${endpoint.href}" is not a tunnel endpoint such as tls://proxy.example.org:8042`)
}
