import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { ConnectorBench } from '../conformance/connector-bench.ts'

/** A local port whose connections lead through the tunnel to a mapping, for programs that can only dial. */
export interface LocalPort extends AsyncDisposable {
  readonly port: number
}

/** Opens a port to a virtual address. */
export async function openLocalPort(bench: ConnectorBench, address: { readonly host: string; readonly port: number }): Promise<LocalPort> {
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    bench.tcp(address).then(
      ({ stream }) => {
        stream.on('close', () => socket.destroy())
        socket.on('close', () => stream.destroy())
        socket.pipe(stream).pipe(socket)
      },
      () => socket.destroy(),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
