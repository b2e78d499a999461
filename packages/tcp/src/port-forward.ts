import { once } from 'node:events'
import { type AddressInfo, createServer, isIP, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Address, ConnectivityError, formatAddress, type Logger, resetSocket, withDeadline } from '@sallyport/core'
import { forwardTimeoutMs, maxForwardedConnections } from './limits.ts'
import { listenError } from './tcp-errors.ts'

/** Where to listen. */
export interface PortForwardOptions {
  /** Where to listen; the default is 127.0.0.1. */
  readonly host?: string
  /** The default 0 lets the system choose; see `address`. */
  readonly port?: number
  /**
   * Allows another host than a loopback address. Whoever reaches the port reaches the backend with the rights of this
   * application, without TLS and without logging on.
   */
  readonly beyondLoopback?: boolean
}

/** A local port whose connections lead to the destination. Closing ends those that are open. */
export interface PortForward extends AsyncDisposable {
  readonly address: Address
  readonly openConnections: number
  close(): Promise<void>
}

/** Listens, and joins every connection to a stream of its own. @throws ConnectivityError `PORT_IN_USE`, `CONFIGURATION_INVALID`. */
export async function openPortForward(
  { host = '127.0.0.1', port = 0, beyondLoopback = false }: PortForwardOptions,
  { dial, log, name }: { readonly dial: (signal: AbortSignal) => Promise<Duplex>; readonly log: Logger; readonly name: string },
): Promise<PortForward> {
  const where = formatAddress({ host, port })
  if (!beyondLoopback && !isLoopback(host)) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `listen on ${where}: not a loopback address; set beyondLoopback to open the backend to the network`,
    )
  }
  const closed = new AbortController()
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true }, (socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    socket.on('error', () => {})
    dial(withDeadline(forwardTimeoutMs, closed.signal)).then(
      (far) => join(socket, far),
      (error: unknown) => {
        resetSocket(socket)
        if (!closed.signal.aborted)
          log.warn({ destination: name, code: ConnectivityError.is(error) ? error.code : 'UNKNOWN' }, 'forwarded connection failed')
      },
    )
  })
  server.maxConnections = maxForwardedConnections
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (error) {
    throw listenError(where, error)
  }
  // Of a connection that could not be accepted, for want of descriptors for instance: without a listener that would end the process.
  server.on('error', (error) => log.warn({ destination: name, reason: error.message }, 'a connection to be forwarded was not accepted'))
  const close = async (): Promise<void> => {
    closed.abort(new ConnectivityError('ABORTED', `the forwarded port ${where} is closed`))
    // An end would say that the data is complete.
    for (const socket of open) resetSocket(socket)
    if (!server.listening) return
    server.close()
    await once(server, 'close')
  }
  return {
    address: { host, port: (server.address() as AddressInfo).port },
    get openConnections() {
      return open.size
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** Each direction ends by itself, and whoever breaks off breaks off the other: an end would say that the data is complete. */
function join(local: Socket, far: Duplex): void {
  if (local.destroyed) {
    far.destroy()
    return
  }
  const breakOff = (stream: Duplex) => (): void => {
    if (stream.destroyed) return
    if ('resetAndDestroy' in stream) resetSocket(stream as Socket)
    else stream.destroy()
  }
  local.on('error', breakOff(far))
  far.on('error', breakOff(local))
  local.on('close', () => {
    if (!local.readableEnded || !local.writableFinished) breakOff(far)()
  })
  far.on('close', () => {
    if (!far.readableEnded || !far.writableFinished) breakOff(local)()
  })
  local.pipe(far)
  far.pipe(local)
}

function isLoopback(host: string): boolean {
  if (host === 'localhost' || host === '::1') return true
  return isIP(host) === 4 && host.startsWith('127.')
}
