import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Address } from '@sallyport/core'
import {
  formatNiFrame,
  formatRouteRequest,
  formatRouterError,
  isRefused,
  niPong,
  parseRouteRequest,
  type RouteRequest,
} from '@sallyport/rfc-wire'
import { createByteReader } from './byte-reader.ts'
import { joinSockets } from './join-sockets.ts'
import { createOpenStreams } from './open-streams.ts'
import { listen } from './socket-network.ts'

/** How a fixture SAProuter is set up. */
export interface SapRouterOptions {
  /** Where a hop leads; a return code such as -94 (permission denied) or -90 (host unknown) to refuse it. */
  readonly route: (host: string, service: string) => Address | number
  /** What a client has to give in the hop of this SAProuter; the default is nothing. */
  readonly password?: string
  /** Takes the request and does not answer. */
  readonly silent?: boolean
}

/** A SAProuter for tests, on a loopback port. */
export interface SapRouter extends AsyncDisposable {
  readonly address: Address
  /** Requests it has read. */
  readonly requests: readonly RouteRequest[]
  /** Payloads of the requests, byte for byte. */
  readonly payloads: readonly Buffer[]
  idle(): Promise<void>
}

const texts: Readonly<Record<number, string>> = {
  [-90]: 'hostname unknown',
  [-92]: 'partner not reached',
  [-94]: 'route permission denied',
  [-8]: 'route request cannot be read',
}

/** Starts a SAProuter that routes to the next hop, or passes the request on where another SAProuter is next: protocols.md 11.3. */
export async function createSapRouter(options: SapRouterOptions): Promise<SapRouter> {
  const requests: RouteRequest[] = []
  const payloads: Buffer[] = []
  const open = createOpenStreams()

  async function serve(socket: Socket): Promise<void> {
    const refuse = (returnCode: number): void => {
      const details = {
        counter: '1',
        text: texts[returnCode] ?? 'error',
        returnCode: String(returnCode),
        component: 'NI (network interface)',
      }
      socket.end(formatNiFrame(formatRouterError({ returnCode, details })))
    }
    const reader = createByteReader(socket)
    const payload = await reader.take((await reader.take(4)).readUInt32BE())
    payloads.push(payload)
    const request = parseRouteRequest(payload)
    if (isRefused(request)) return refuse(-8)
    requests.push(request)
    if (options.silent === true) return
    const next = request.hops[request.passedHops]
    if (next === undefined) return refuse(-8)
    if (request.hops[request.passedHops - 1]?.password !== (options.password ?? '')) return refuse(-94)
    const target = options.route(next.host, next.service)
    if (typeof target === 'number') return refuse(target)
    const far = connect({ ...target, noDelay: true, allowHalfOpen: true })
    open.add(far)
    try {
      await once(far, 'connect')
    } catch {
      return refuse(-92)
    }
    // The last SAProuter says that the route stands; those in front of it pass that on.
    const passedHops = request.passedHops + 1
    if (passedHops === request.hops.length) socket.write(formatNiFrame(niPong))
    else far.write(formatNiFrame(formatRouteRequest({ ...request, passedHops })))
    joinSockets(socket, far)
  }

  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    open.add(socket)
    serve(socket).catch(() => socket.destroy())
  })
  const address = await listen(server)
  return {
    address,
    requests,
    payloads,
    idle: open.idle,
    async [Symbol.asyncDispose]() {
      server.close()
      open.destroyAll()
      await open.idle()
    },
  }
}
