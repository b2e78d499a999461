import { createServer } from 'node:http'
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net'
import type { DemoBackend } from './business-system.ts'

/** A plain HTTP system that answers with what reached it: method, path and the names of the headers. */
export async function startPlainSystem(options: { readonly host: string; readonly port: number }): Promise<DemoBackend> {
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const body = Buffer.from(
        `${JSON.stringify({ system: 'plain', method: request.method, path: request.url, headers: Object.keys(request.headers) })}\n`,
      )
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
      response.end(body)
    })
  })
  return running(server, options)
}

/** A TCP service that sends back every byte and ends when the caller has ended. */
export async function startEchoSystem(options: { readonly host: string; readonly port: number }): Promise<DemoBackend> {
  return running(
    createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => socket.destroy())
      socket.pipe(socket)
    }),
    options,
  )
}

async function running(server: Server, options: { readonly host: string; readonly port: number }): Promise<DemoBackend> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, options.host, resolve)
  })
  // A connection that could not be accepted is its client's loss alone.
  server.on('error', () => {})
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { port: (server.address() as AddressInfo).port, close, [Symbol.asyncDispose]: close }
}
