import type { Duplex } from 'node:stream'
import {
  abortedError,
  type Clock,
  type ConnectContext,
  ConnectivityError,
  formatAddress,
  type Principal,
  type ProtocolClient,
  type TcpDestination,
} from '@sallyport/core'
import { createSocketLike, type SocketLike } from '@sallyport/stream'
import { keepAliveDelayMs } from './limits.ts'
import { openPortForward, type PortForward, type PortForwardOptions } from './port-forward.ts'
import type { SocketOptions } from './socket-options.ts'
import { closedError, idleError } from './tcp-errors.ts'

/** Opens connections to one destination. Disposing destroys every one of them and closes the forwarded ports. */
export interface TcpClient extends ProtocolClient {
  /** Opens a connection; resolves when the backend has accepted it. One call, one connection of the backend. */
  socket(options: { readonly signal: AbortSignal }): Promise<Duplex>
  /**
   * A stream at once that connects by itself, for libraries that take a factory of sockets (`stream: () => client.stream()`).
   * A connection that fails is an `error` of the stream.
   */
  stream(): SocketLike
  /** Listens on a local port and leads its connections to the destination, for programs that can only dial. */
  listen(options?: PortForwardOptions): Promise<PortForward>
}

/** What the adapter has decided before there is a client. */
export interface TcpClientDeps {
  readonly destination: TcpDestination
  readonly options: SocketOptions
  readonly principal: Principal | undefined
  readonly context: ConnectContext
  readonly clock: Clock
}

/** Makes the client of one destination. */
export function createTcpClient({ destination, options, principal, context, clock }: TcpClientDeps): TcpClient {
  const { name, address, locationId } = destination
  const closed = new AbortController()
  const streams = new Set<Duplex>()
  const forwards = new Set<PortForward>()

  const track = <T extends Duplex>(stream: T): T => {
    streams.add(stream)
    stream.once('close', () => streams.delete(stream))
    return stream
  }
  const open = async (signal: AbortSignal): Promise<Duplex> => {
    if (closed.signal.aborted) throw closedError(name)
    const either = AbortSignal.any([signal, closed.signal])
    if (either.aborted) throw abortedError(either, `connect to ${formatAddress(address)}`)
    const stream = await context.dial(address, { signal: either, locationId, ...(principal === undefined ? {} : { principal }) })
    if (!closed.signal.aborted) return track(stream)
    stream.destroy()
    throw closedError(name)
  }
  const endWhenIdle = (stream: Duplex & { setTimeout(idleMs: number): unknown }): void => {
    const { idleMs } = options
    if (idleMs === undefined || idleMs === 0) return
    stream.setTimeout(idleMs)
    stream.on('timeout', () => stream.destroy(idleError(name, idleMs)))
  }
  /** Applies the socket options. What is no socket (a stream of a tunnel) gets a timeout by a wrapper; the others are hints. */
  const tune = (stream: Duplex): Duplex => {
    if (options.noDelay !== undefined && 'setNoDelay' in stream) (stream as SocketLike).setNoDelay(options.noDelay)
    if (options.keepAlive !== undefined && 'setKeepAlive' in stream)
      (stream as SocketLike).setKeepAlive(options.keepAlive, keepAliveDelayMs)
    if (options.idleMs === undefined || options.idleMs === 0) return stream
    const timed = 'setTimeout' in stream ? (stream as SocketLike) : track(createSocketLike({ open: async () => stream, address, clock }))
    endWhenIdle(timed)
    return timed
  }
  const socket = async (signal: AbortSignal): Promise<Duplex> => tune(await open(signal))

  return {
    socket: ({ signal }) => socket(signal),
    stream() {
      if (closed.signal.aborted) throw closedError(name)
      return track(createSocketLike({ open: socket, address, clock }))
    },
    async listen(forwarding = {}) {
      if (closed.signal.aborted) throw closedError(name)
      const forward = await openPortForward(forwarding, { dial: socket, log: context.log, name })
      if (!closed.signal.aborted) {
        forwards.add(forward)
        return forward
      }
      await forward.close()
      throw closedError(name)
    },
    async ping(signal) {
      const stream = await open(signal)
      stream.on('error', () => {})
      stream.destroy()
    },
    async [Symbol.asyncDispose]() {
      closed.abort(new ConnectivityError('ABORTED', `the client of destination "${name}" is closed`))
      for (const stream of streams) stream.destroy()
      await Promise.all([...forwards].map((forward) => forward.close()))
    },
  }
}
