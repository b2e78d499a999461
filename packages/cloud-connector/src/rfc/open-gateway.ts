import type { Socket } from 'node:net'
import type { Clock } from '@sallyport/core'
import { gatewayPortDistance, type InternalTarget, type RouteHop } from '@sallyport/rfc-wire'
import { discard } from '@sallyport/tunnel'
import { connectBackend } from '../backend/backend-connection.ts'
import { findApplicationServer } from './find-application-server.ts'
import { passRouter } from './pass-router.ts'
import type { MappedRfc } from './rfc-access.ts'
import { routerPort } from './router-port.ts'

/** A connection to a gateway on which nothing has been said, and the names that the conversation is for. */
export interface OpenGateway {
  readonly socket: Socket
  readonly target: InternalTarget
}

/** What opening needs besides the mapping. */
export interface OpenGatewayOptions {
  /** SAProuters on the way. */
  readonly route: readonly RouteHop[]
  readonly clock: Clock
  /** For everything together: look-up, SAProuter, gateway. */
  readonly timeoutMs: number
  /** The virtual address, for messages. */
  readonly system: string
  /** Whoever waits has gone away. */
  readonly signal: AbortSignal
}

const dispatcherBase = 3200

/**
 * Connects to the gateway of a mapping: directly or through SAProuters, and for a message server to the gateway of the server that it names. Every connection takes
 * the same route.
 *
 * @throws ConnectivityError `BACKEND_UNREACHABLE`, or the signal's reason. Nothing is left open then.
 */
export async function openGateway(mapping: MappedRfc, options: OpenGatewayOptions): Promise<OpenGateway> {
  const { internalHost, internalPortLow, protocol, rfc } = mapping
  const { clock, signal, system } = options
  const sockets: Socket[] = []
  const giveUp = (): void => {
    for (const socket of sockets) discard(socket)
  }
  signal.addEventListener('abort', giveUp, { once: true })
  const deadlineMs = clock.elapsed() + options.timeoutMs
  const dial = async (host: string, port: number): Promise<Socket> => {
    const [router] = options.route
    const socket = await connect(router?.host ?? host, router === undefined ? port : routerPort(router.service), {
      clock,
      signal,
      system,
      timeoutMs: Math.max(1, deadlineMs - clock.elapsed()),
    })
    sockets.push(socket)
    const hops = [...options.route, { host, service: String(port), password: '' }]
    return router === undefined ? socket : await passRouter(socket, hops, system)
  }
  const cancelDeadline = clock.after(options.timeoutMs, giveUp)
  try {
    if (rfc.backend.kind === 'gateway') {
      const socket = await dial(internalHost, internalPortLow)
      return { socket, target: { host: internalHost, systemNumber: rfc.backend.systemNumber } }
    }
    const { logonGroup, systemNumber } = rfc.backend
    const server = await findApplicationServer(await dial(internalHost, internalPortLow), logonGroup, system)
    const distance = protocol === 'RFCS' ? gatewayPortDistance.snc : gatewayPortDistance.plain
    const socket = await dial(server.host, server.dispatcherPort + distance)
    return { socket, target: { host: server.host, systemNumber: systemNumber ?? systemNumberOf(server.dispatcherPort) } }
  } catch (error) {
    giveUp()
    throw error
  } finally {
    cancelDeadline()
    signal.removeEventListener('abort', giveUp)
  }
}

/** Dispatchers listen at 32NN; one that does not is the only one of its host that anybody knows of. */
function systemNumberOf(dispatcherPort: number): string {
  const number = dispatcherPort - dispatcherBase
  return number >= 0 && number < 100 ? String(number).padStart(2, '0') : '00'
}

async function connect(
  host: string,
  port: number,
  options: Pick<OpenGatewayOptions, 'clock' | 'signal' | 'system' | 'timeoutMs'>,
): Promise<Socket> {
  const { clock, signal, system, timeoutMs } = options
  signal.throwIfAborted()
  return await new Promise((resolve, reject) => {
    const onAbort = (): void => {
      cancel()
      reject(signal.reason as Error)
    }
    const cancel = connectBackend(
      { host, port, tls: undefined, protocol: undefined, system },
      {
        clock,
        timeoutMs,
        onConnected(socket) {
          signal.removeEventListener('abort', onAbort)
          resolve(socket)
        },
        onFailed(error) {
          signal.removeEventListener('abort', onAbort)
          reject(error)
        },
      },
    )
    signal.addEventListener('abort', onAbort, { once: true })
  })
}
