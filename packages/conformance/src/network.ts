import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A stretch of network between a dialler and a listener on this machine, with faults to order. */
export interface Network extends AsyncDisposable {
  /** The listener's endpoint as it is reached through this network. */
  readonly endpoint: URL
  /** Nothing passes any more, in either direction, and nobody is told. */
  freeze(): void
  /** Every connection is reset. */
  cut(): void
}

/** Puts itself in front of a listener on this machine; the caller disposes it. */
export async function createNetwork(target: URL): Promise<Network> {
  const sockets = new Set<Socket>()
  let frozen = false
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: target.hostname, port: Number(target.port), allowHalfOpen: true })
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (chunk: Buffer) => {
        if (!frozen && !to.write(chunk)) from.pause()
      })
      to.on('drain', () => from.resume())
      from.on('end', () => {
        if (!frozen) to.end()
      })
      // Whatever closed one half is passed on; the close event follows in any case.
      from.on('error', () => {
        if (!frozen) to.resetAndDestroy()
      })
      from.on('close', () => {
        sockets.delete(from)
        if (!frozen && !to.destroyed && !from.readableEnded) to.destroy()
      })
    }
  })
  await listen(server)
  const endpoint = new URL(target)
  endpoint.port = String((server.address() as AddressInfo).port)
  const closeAll = (): void => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  return {
    endpoint,
    freeze() {
      frozen = true
    },
    cut: closeAll,
    async [Symbol.asyncDispose]() {
      frozen = true
      closeAll()
      server.close()
    },
  }
}

/** A port that accepts and says nothing. */
export async function createSilentPort(endpoint: URL): Promise<AsyncDisposable & { readonly endpoint: URL }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
  })
  await listen(server)
  const silent = new URL(endpoint)
  silent.port = String((server.address() as AddressInfo).port)
  return {
    endpoint: silent,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

/** Sends bytes to a port and waits until that closes the connection. */
export async function sendAndAwaitClose(endpoint: URL, bytes: Buffer): Promise<void> {
  const socket = connect({ host: endpoint.hostname, port: Number(endpoint.port) })
  // A reset is one way to close.
  socket.on('error', () => socket.destroy())
  socket.resume()
  socket.write(bytes)
  await new Promise((resolve) => socket.once('close', resolve))
}

async function listen(server: Server): Promise<void> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
}
