import { randomUUID } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { type ChannelTarget, localPortOf, type ServiceChannelEntry, targetOf } from '@sallyport/admin-api'
import { type Clock, ConnectivityError, type Logger, type TunnelStream, type TunnelStreamHandlers } from '@sallyport/core'
import type { BeginStream, ChannelOpening } from '@sallyport/tunnel'
import type { Deadlines } from '../deadlines.ts'
import { channelAnswerMs, channelAnswerSlackMs, channelKeepAliveMs, channelRetryMs } from '../limits.ts'
import { type ChannelClient, serveChannelClient } from './channel-client.ts'
import type { ChannelRefusal } from './channel-refusal.ts'
import type { ChannelCounter, ChannelUsage } from './channel-usage.ts'
import { tryService } from './try-service.ts'

/** The tunnel as channels see it. */
interface ChannelTunnel {
  /** Why no stream can be opened now; `undefined` when it can. */
  obstacle(): ConnectivityError | undefined
  openChannel(opening: ChannelOpening, handlers: TunnelStreamHandlers): TunnelStream
}

/** Where a channel stands. Times are milliseconds since 1970. */
export type ChannelState =
  | { readonly kind: 'disabled' }
  /** Its port is closed until the tunnel is there, or the cloud side is new enough. */
  | { readonly kind: 'waiting'; readonly code: ConnectivityError['code']; readonly message: string }
  | { readonly kind: 'opening' }
  | { readonly kind: 'open'; readonly sinceMs: number }
  /** Its port cannot be opened. Without `retryAtMs` a person has to act. */
  | { readonly kind: 'failed'; readonly code: ConnectivityError['code']; readonly message: string; readonly retryAtMs: number | undefined }
  | { readonly kind: 'closed' }

/** How a channel is doing. Plain data. */
export interface ChannelStatus {
  readonly id: number
  readonly entry: ServiceChannelEntry
  readonly port: number
  readonly target: ChannelTarget
  readonly state: ChannelState
  /** Clients that are connected now, waiting ones included. */
  readonly openedConnections: number
  readonly usage: ChannelUsage
  /** Why the last client that was not joined to the service was not; gone with the next that is. */
  readonly lastRefusal: (ChannelRefusal & { readonly atMs: number }) | undefined
}

/** One local port that leads to a service of the cloud side. */
export interface ServiceChannel {
  readonly id: number
  readonly entry: ServiceChannelEntry
  readonly status: ChannelStatus
  /** Takes over what changes nothing about its port: comment, number of clients and connections. */
  update(entry: ServiceChannelEntry): void
  /** The tunnel has come or gone: the port follows. */
  tunnelChanged(): void
  /** Looks whether a client would reach the service now. @throws ConnectivityError why not; what the signal says. */
  tryService(signal: AbortSignal): Promise<void>
  /** Closes the port at once and for ever; clients may finish for so long. */
  close(graceMs: number): Promise<void>
}

/** What channels of one tunnel share. */
export interface ChannelSurroundings {
  readonly subaccount: string
  readonly locationId: string
  readonly tunnel: ChannelTunnel
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly log: Logger
}

/** Why a channel of type ABAPCloudSNC is never open. */
export const withoutSncLibrary: string =
  'a channel of type ABAPCloudSNC ends SNC here, which needs a library for SNC, and this connector has none; use the type ABAPCloud on an address that only trusted clients reach'

/** A channel follows its tunnel: its port is open while streams can be opened, and a port that somebody else has is tried again and again. */
export function createServiceChannel(
  options: ChannelSurroundings & {
    readonly id: number
    readonly entry: ServiceChannelEntry
    readonly counter: ChannelCounter
    readonly onState: () => void
  },
): ServiceChannel {
  const { clock, counter, deadlines, id, locationId, subaccount, tunnel } = options
  let { entry } = options
  const port = localPortOf(entry)
  const target = targetOf(entry)
  const log = options.log.child({ subaccount, locationId, channel: id, port })
  const clients = new Map<Socket, ChannelClient>()
  let state: ChannelState = { kind: 'disabled' }
  let server: Server | undefined
  let cancelRetry: () => void = () => {}
  let lastRefusal: ChannelStatus['lastRefusal']
  let onEmpty: (() => void) | undefined

  const become = (next: ChannelState): void => {
    state = next
    options.onState()
  }

  const openStream: BeginStream = (handlers) => {
    const { cluster, serviceId, serviceType } = target
    const opening: ChannelOpening = {
      kind: 'channel',
      serviceType,
      serviceId,
      ...(cluster === undefined ? {} : { cluster }),
      correlationId: randomUUID(),
      timeoutMs: channelAnswerMs,
    }
    return tunnel.openChannel(opening, handlers)
  }

  const accept = (socket: Socket): void => {
    if (clients.size >= entry.maxClients) {
      counter.count('turnedAway')
      socket.on('error', () => {}).resetAndDestroy()
      return
    }
    let isClosed = false
    const client = serveChannelClient(socket, {
      open: openStream,
      timeoutMs: channelAnswerMs + channelAnswerSlackMs,
      clock,
      deadlines,
      counter,
      onJoined() {
        counter.count('clients')
        lastRefusal = undefined
      },
      onRefused(refusal) {
        counter.count('refused')
        // A client that tries again and again would fill the log.
        if (lastRefusal?.message !== refusal.message)
          log.warn({ code: refusal.code, reason: refusal.message }, 'client of a service channel not connected')
        lastRefusal = { code: refusal.code, message: refusal.message, atMs: clock.now() }
      },
      onClosed() {
        isClosed = true
        clients.delete(socket)
        if (clients.size === 0) onEmpty?.()
      },
    })
    if (!isClosed) clients.set(socket, client)
  }

  const openPort = (): void => {
    cancelRetry()
    become({ kind: 'opening' })
    const opened = createServer(
      { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: channelKeepAliveMs },
      accept,
    )
    server = opened
    opened.once('error', (error: NodeJS.ErrnoException) => {
      if (server !== opened) return
      server = undefined
      const failure = portError(entry.host, port, error)
      log.error({ code: failure.code, reason: failure.message }, 'service channel not opened, trying again')
      become({ kind: 'failed', code: failure.code, message: failure.message, retryAtMs: clock.now() + channelRetryMs })
      cancelRetry = clock.after(channelRetryMs, follow)
    })
    opened.listen({ host: entry.host, port, exclusive: true }, () => {
      // Whoever closes a server that is not listening yet closes nothing.
      if (server !== opened) return void opened.close()
      opened.on('error', (error) => log.error({ reason: error.message }, 'a service channel failed to accept a connection'))
      log.info({ serviceId: target.serviceId }, 'service channel open')
      become({ kind: 'open', sinceMs: clock.now() })
    })
  }

  const closePort = (): void => {
    cancelRetry()
    server?.close()
    if (server !== undefined) log.info({}, 'service channel closed')
    server = undefined
  }

  /** Brings the port to where the tunnel is. */
  function follow(): void {
    if (state.kind === 'closed') return
    const obstacle = tunnel.obstacle()
    if (!entry.enabled) become({ kind: 'disabled' })
    else if (entry.type === 'ABAPCloudSNC')
      become({ kind: 'failed', code: 'CONFIGURATION_INVALID', message: withoutSncLibrary, retryAtMs: undefined })
    else if (obstacle !== undefined) {
      closePort()
      become({ kind: 'waiting', code: obstacle.code, message: obstacle.message })
    } else if (server === undefined) openPort()
  }

  follow()
  return {
    id,
    get entry() {
      return entry
    },
    get status() {
      const usage = counter.usage(clock.now())
      return { id, entry, port, target, state, openedConnections: clients.size, usage, lastRefusal }
    },
    update(next) {
      entry = next
    },
    tunnelChanged: follow,
    tryService: (signal) => tryService(openStream, signal),
    async close(graceMs) {
      closePort()
      become({ kind: 'closed' })
      if (clients.size === 0) return
      const emptied = new Promise<void>((resolve) => {
        onEmpty = resolve
      })
      const abort = (): void => {
        for (const client of clients.values()) client.abort()
      }
      const cancel = graceMs > 0 ? clock.after(graceMs, abort) : undefined
      if (cancel === undefined) abort()
      await emptied
      cancel?.()
    },
  }
}

function portError(host: string, port: number, cause: NodeJS.ErrnoException): ConnectivityError {
  const where = `${host.includes(':') ? `[${host}]` : host}:${port}`
  if (cause.code === 'EADDRINUSE')
    return new ConnectivityError('PORT_IN_USE', `the service channel cannot use ${where}: another channel or process listens there`, {
      cause,
    })
  return new ConnectivityError('CONFIGURATION_INVALID', `the service channel cannot use ${where}: ${cause.code ?? cause.message}`, {
    cause,
  })
}
