import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type { FarEnd } from '@sallyport/conformance/cases'
import { type Address, ConnectivityError, formatAddress } from '@sallyport/core'
import type { Slot } from './read-target.ts'

/** The addresses of this machine that the connector of a target leads to, for one case. */
export interface FarSlots extends AsyncDisposable {
  /** Answers connections to the next address with `handler`. When all are taken, the one that was taken first serves anew. */
  serve(handler: (far: FarEnd) => void): Promise<Address>
  /** Answers connections to that virtual address that come through the connector with the other location ID. */
  serveElsewhere(virtual: Address, handler: (far: FarEnd) => void): Promise<void>
  /** The address that nobody ever listens at. */
  unused(): Address
  /** Settles when no connection is open. */
  idle(): Promise<void>
}

/** Opens nothing before the first address is served. The last of the slots is the one that is never served, unless it is the only one. */
export function createFarSlots(slots: readonly Slot[]): FarSlots {
  const served = slots.length === 1 ? slots : slots.slice(0, -1)
  const last = slots.at(-1)
  const handlers = new Map<string, (far: FarEnd) => void>()
  const servers = new Map<string, Server>()
  const sockets = new Set<Socket>()
  const waits = new Set<() => void>()
  let turn = 0

  const answerAt = async (address: Address, handler: (far: FarEnd) => void): Promise<void> => {
    const key = formatAddress(address)
    handlers.set(key, handler)
    if (servers.has(key)) return
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      sockets.add(socket)
      // A case that looks at errors has its own listener.
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        if (sockets.size === 0) for (const settle of waits) settle()
      })
      handlers.get(key)?.({ stream: socket, reset: () => socket.resetAndDestroy() })
    })
    servers.set(key, server)
    await listenAt(server, address)
  }

  const idle = (): Promise<void> =>
    sockets.size === 0
      ? Promise.resolve()
      : new Promise((resolve) => {
          const settle = (): void => {
            waits.delete(settle)
            resolve()
          }
          waits.add(settle)
        })

  return {
    async serve(handler) {
      const slot = served[turn++ % served.length]
      if (slot === undefined) throw new Error('the far side of the target has no addresses')
      await answerAt(slot.listen, handler)
      return slot.virtual
    },
    async serveElsewhere(virtual, handler) {
      const slot = slots.find((one) => formatAddress(one.virtual) === formatAddress(virtual))
      if (slot?.elsewhere === undefined) throw new Error(`${formatAddress(virtual)} has no "elsewhere"`)
      await answerAt(slot.elsewhere, handler)
    },
    unused() {
      if (last === undefined) throw new Error('the far side of the target has no addresses')
      return last.virtual
    },
    idle,
    async [Symbol.asyncDispose]() {
      for (const server of servers.values()) server.close()
      for (const socket of sockets) socket.destroy()
      await idle()
    },
  }
}

/** Finds out before anything runs whether the addresses can be listened at. @throws ConnectivityError `PORT_IN_USE`. */
export async function requireFreeSlots(slots: readonly Slot[]): Promise<void> {
  for (const address of slots.flatMap(({ listen, elsewhere }) => (elsewhere === undefined ? [listen] : [listen, elsewhere]))) {
    const server = createServer()
    await listenAt(server, address)
    server.close()
    await once(server, 'close')
  }
}

async function listenAt(server: Server, { host, port }: Address): Promise<void> {
  server.listen({ host, port })
  try {
    await once(server, 'listening')
  } catch (cause) {
    const { code = 'failed' } = cause as NodeJS.ErrnoException
    const where = formatAddress({ host, port })
    throw code === 'EADDRINUSE'
      ? new ConnectivityError('PORT_IN_USE', `somebody else listens at ${where}, where the far side of the target leads`, { cause })
      : new ConnectivityError('CONFIGURATION_INVALID', `nobody can listen at ${where}: ${code}`, { cause })
  }
}
