import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import type { Clock, ConnectivityError } from '@sallyport/core'
import { awaitSocket, type SharedReading } from '@sallyport/tunnel'
import { backendConnectTimeout, backendError } from './backend-errors.ts'
import type { BackendTls } from './backend-trust.ts'

/** Where and how to connect. `system` is the virtual address, for messages. */
export interface BackendTarget {
  readonly host: string
  readonly port: number
  /** `undefined`: plain TCP. */
  readonly tls: BackendTls | undefined
  /** Offered to TLS backends, so that those that speak HTTP/2 too choose HTTP/1.1. */
  readonly protocol: 'http/1.1' | undefined
  readonly system: string
}

/**
 * Connects to a backend: name, TCP and TLS under one deadline. Exactly one of the callbacks is called, unless the returned function has given
 * the attempt up before. The socket half-closes and has no listener left; the callee owns it.
 */
export function connectBackend(
  target: BackendTarget,
  options: {
    readonly clock: Clock
    readonly timeoutMs: number
    /** Lets the socket read into memory that it shares with others; it has no `data` events then. */
    readonly reading?: SharedReading
    /** Hears how a connection that is to be TLS has come out. */
    readonly traceTls?: ((system: string, outcome: TLSSocket | Error) => void) | undefined
    readonly onConnected: (socket: Socket) => void
    readonly onFailed: (error: ConnectivityError) => void
  },
): () => void {
  const { host, port, system, tls } = target
  const onread = options.reading === undefined ? {} : { onread: options.reading.onread }
  const common = { host, port, noDelay: true, allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: 60_000, ...onread }
  const socket =
    tls === undefined
      ? connectTcp(common)
      : connectTls({
          ...common,
          secureContext: tls.secureContext,
          rejectUnauthorized: tls.rejectUnauthorized,
          checkServerIdentity: tls.checkServerIdentity,
          // RFC 6066 §3: the name of the internal host, never an address.
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(target.protocol === undefined ? {} : { ALPNProtocols: [target.protocol] }),
        })
  return awaitSocket(socket, {
    ready: tls === undefined ? 'connect' : 'secureConnect',
    clock: options.clock,
    timeoutMs: options.timeoutMs,
    onReady(ready) {
      if (tls !== undefined) options.traceTls?.(system, ready as TLSSocket)
      options.onConnected(ready)
    },
    onFailed(error) {
      const failure = error === undefined ? backendConnectTimeout(system) : backendError(system, error)
      if (tls !== undefined) options.traceTls?.(system, error ?? failure)
      options.onFailed(failure)
    },
  })
}

/**
 * Whether both sides of a connection have proved who they are: the backend is accepted by the trust store, and has asked for the system
 * certificate in a way that its key can answer.
 *
 * OpenSSL keeps the signature algorithms it shares with the server only when the server has sent a CertificateRequest; a client socket of
 * Node has no other sign of it.
 */
export function isMutuallyAuthenticated(socket: Socket, tls: BackendTls | undefined): boolean {
  if (tls?.systemKey === undefined || !('getSharedSigalgs' in socket)) return false
  return (socket as TLSSocket).getSharedSigalgs().some((algorithm) => algorithm.startsWith(tls.systemKey ?? '?'))
}
