import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import type { Address, Dial } from '@sallyport/core'
import { createOpenStreams } from './open-streams.ts'
import type { TestNetwork } from './test-network.ts'

/** Peers on loopback sockets. Its `dial` is four lines of `node:net`, so that it checks the dials of the product and is not one of them. */
export function createSocketNetwork(): TestNetwork {
  const servers: Server[] = []
  const open = createOpenStreams()

  const dial: Dial = async ({ host, port }, { signal }) => {
    const socket = connect({ host, port, allowHalfOpen: true })
    await once(socket, 'connect', { signal })
    return socket
  }

  return {
    dial,
    async serve(handler) {
      const server = createServer({ allowHalfOpen: true }, (socket) => {
        open.add(socket)
        handler({ stream: socket, reset: () => socket.resetAndDestroy() })
      })
      servers.push(server)
      return listen(server)
    },
    async unused() {
      const server = createServer()
      const address = await listen(server)
      server.close()
      await once(server, 'close')
      return address
    },
    idle: open.idle,
    get accepted() {
      return open.accepted
    },
    async [Symbol.asyncDispose]() {
      for (const server of servers) server.close()
      open.destroyAll()
      await open.idle()
    },
  }
}

/** Binds a server to a loopback port that the system chooses. */
export async function listen(server: Server): Promise<Address> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port }
}
