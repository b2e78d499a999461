import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { type Address, type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import { clientBufferBytes, fullWarningIntervalMs, keepAliveInitialDelayMs, type ProxyLimits } from './limits.ts'

/** The place that a connection takes up at its listener. */
export interface ConnectionPlace {
  /** The connection has shown that it may be here; it no longer counts as pending. */
  admitted(): void
  /** Says how many bytes the connection holds for something unfinished. `false`: the listener holds too many, close the connection. */
  hold(bytes: number): boolean
}

/** A connection as its listener sees it. */
export interface ServedConnection {
  /** Finish what is under way, begin nothing new, then close. */
  drain(): void
}

/** One entry point. */
export interface ProxyListener {
  listen(): Promise<void>
  /** Stops accepting, lets connections finish for `graceMs`, cuts the rest. */
  close(graceMs: number): Promise<void>
  /** Where it listens; `undefined` while it does not. */
  readonly address: Address | undefined
  readonly accepted: number
  readonly turnedAway: number
  readonly open: number
  readonly pending: number
}

/** Accepts sockets and keeps their number and memory within the limits. What a socket says is the business of `serve`. */
export function createListener(options: {
  readonly name: 'http' | 'socks5'
  readonly host: string
  readonly port: number
  readonly limits: ProxyLimits
  readonly clock: Clock
  readonly log: Logger
  readonly serve: (socket: Socket, place: ConnectionPlace) => ServedConnection
}): ProxyListener {
  const { limits, log, name } = options
  const connections = new Map<Socket, ServedConnection>()
  let accepted = 0
  let turnedAway = 0
  let pending = 0
  let heldBytes = 0
  let onEmpty: (() => void) | undefined
  let quietUntilMs = 0

  const server: Server = createServer(
    {
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveInitialDelayMs,
      highWaterMark: clientBufferBytes,
    },
    (socket) => {
      socket.on('error', ignored)
      if (connections.size >= limits.maxConnections || pending >= limits.maxPendingConnections) {
        turnedAway += 1
        socket.destroy()
        // The limit is reached because somebody connects a lot; a line for each would be a flood of its own.
        if (options.clock.now() >= quietUntilMs)
          log.warn({ listener: name, open: connections.size, pending }, 'the listener is full and turns connections away')
        quietUntilMs = options.clock.now() + fullWarningIntervalMs
        return
      }
      accepted += 1
      pending += 1
      let waiting = true
      let held = 0
      const leavePending = (): void => {
        if (waiting) pending -= 1
        waiting = false
      }
      const place: ConnectionPlace = {
        admitted: leavePending,
        hold(bytes) {
          if (socket.destroyed) return false
          heldBytes += bytes - held
          held = bytes
          return heldBytes <= limits.maxPendingBytes
        },
      }
      socket.on('close', () => {
        leavePending()
        heldBytes -= held
        held = 0
        connections.delete(socket)
        if (connections.size === 0) onEmpty?.()
      })
      connections.set(socket, options.serve(socket, place))
    },
  )

  return {
    get address() {
      const address = server.address() as AddressInfo | null
      return address === null ? undefined : { host: address.address, port: address.port }
    },
    get accepted() {
      return accepted
    },
    get turnedAway() {
      return turnedAway
    },
    get open() {
      return connections.size
    },
    get pending() {
      return pending
    },
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', (cause: NodeJS.ErrnoException) => reject(listenFailed(options, cause)))
        server.listen({ host: options.host, port: options.port, backlog: 1024 }, () => {
          server.removeAllListeners('error')
          server.on('error', (error) => log.error({ listener: name, error }, 'the listener failed to accept a connection'))
          resolve()
        })
      }),
    async close(graceMs) {
      if (server.listening) server.close()
      for (const connection of connections.values()) connection.drain()
      if (connections.size === 0) return
      await new Promise<void>((resolve) => {
        const stopClock = options.clock.after(graceMs, () => {
          for (const socket of connections.keys()) socket.destroy()
        })
        onEmpty = () => {
          stopClock()
          resolve()
        }
      })
    },
  }
}

/** Every socket error is followed by 'close', which is where things are given back. */
function ignored(): void {}

function listenFailed(
  options: { readonly name: string; readonly host: string; readonly port: number },
  cause: NodeJS.ErrnoException,
): ConnectivityError {
  const where = `${options.host}:${options.port}`
  return cause.code === 'EADDRINUSE'
    ? new ConnectivityError('PORT_IN_USE', `the ${options.name} listener cannot use ${where}: another process listens there`, { cause })
    : new ConnectivityError('CONFIGURATION_INVALID', `the ${options.name} listener cannot use ${where}: ${cause.code ?? cause.message}`, {
        cause,
      })
}
