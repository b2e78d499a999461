import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { isIP, type Socket } from 'node:net'
import { type SecureContextOptions, TLSSocket } from 'node:tls'
import { ConnectivityError } from '@sallyport/core'
import type { PresentedCertificate } from './client-certificate.ts'
import {
  connectionTimeoutMs,
  keepAliveTimeoutMs,
  maxConnections,
  maxHeadBytes,
  requestTimeoutMs,
  timeoutCheckIntervalMs,
} from './limits.ts'

/** Where to listen. Port 0 lets the system choose. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/**
 * TLS of the https listener. `tls` is asked when listening starts and again on `reloadTls`; its `ca` are the authorities whose client certificates are
 * recognised by subject and issuer. Without `ca` only certificates known by thumbprint log on.
 */
export interface HttpsListenOptions extends ListenAddress {
  readonly tls: () => SecureContextOptions
}

/** Plain http is for this machine alone, unless `allowRemote` says that something in front protects it. */
export interface HttpListenOptions extends ListenAddress {
  readonly allowRemote?: boolean
}

/** A server socket that the HTTP layer is put on. */
export interface ListenerSocket {
  readonly secure: boolean
  createServer(handler: RequestListener): HttpServer
  certificateOf(socket: Socket): PresentedCertificate | undefined
  reloadTls(): void
}

const common = {
  maxHeaderSize: maxHeadBytes,
  headersTimeout: requestTimeoutMs,
  requestTimeout: requestTimeoutMs,
  keepAliveTimeout: keepAliveTimeoutMs,
  connectionsCheckingInterval: timeoutCheckIntervalMs,
  // A missing Host is answered like everything else, in JSON.
  requireHostHeader: false,
} as const

/** A socket that asks every client for a certificate and requires it of none. */
export function createHttpsSocket(tls: () => SecureContextOptions): ListenerSocket {
  let server: HttpsServer | undefined
  let settings = tls()
  const context = (): SecureContextOptions => ({ minVersion: 'TLSv1.2', ...settings })
  return {
    secure: true,
    createServer(handler) {
      server = createHttpsServer(
        { ...common, ...context(), requestCert: true, rejectUnauthorized: false, handshakeTimeout: requestTimeoutMs },
        handler,
      )
      return bounded(server)
    },
    certificateOf(socket) {
      const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
      // Without configured authorities the public ones would vouch for anybody.
      return certificate === undefined ? undefined : { certificate, trusted: settings.ca !== undefined && (socket as TLSSocket).authorized }
    },
    reloadTls() {
      settings = tls()
      server?.setSecureContext(context())
    },
  }
}

/** A plain socket. @throws ConnectivityError `CONFIGURATION_INVALID` for an address that other machines reach, unless that is allowed. */
export function createHttpSocket(options: HttpListenOptions): ListenerSocket {
  if (options.allowRemote !== true && !isLoopback(options.host)) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `the token service does not listen on http://${options.host}: passwords and tokens would cross the network in clear`,
    )
  }
  return {
    secure: false,
    createServer: (handler) => bounded(createHttpServer(common, handler)),
    certificateOf: () => undefined,
    reloadTls: () => {},
  }
}

/** Turns what `listen` fails with into our errors. */
export function listenFailed(address: ListenAddress, cause: unknown): ConnectivityError {
  const code = typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''
  const where = `${address.host}:${address.port}`
  return code === 'EADDRINUSE'
    ? new ConnectivityError('PORT_IN_USE', `the token service cannot listen on ${where}: another program does`, {
        cause,
        details: { port: address.port },
      })
    : new ConnectivityError('CONFIGURATION_INVALID', `the token service cannot listen on ${where}${code === '' ? '' : ` (${code})`}`, {
        cause,
      })
}

function bounded(server: HttpServer): HttpServer {
  server.maxConnections = maxConnections
  server.setTimeout(connectionTimeoutMs)
  return server
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
