import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

/** What a backend saw of one request. */
export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
  /** Number of the connection it came on, from 1. */
  readonly connection: number
}

export interface HttpBackend extends AsyncDisposable {
  readonly port: number
  readonly requests: readonly SeenRequest[]
  readonly connections: number
}

export interface RawBackend extends AsyncDisposable {
  readonly port: number
  readonly sockets: readonly Socket[]
  /** The next connection. */
  accept(): Promise<Socket>
}

/** A backend on node:http: independent of the codec under test. Without a handler it answers 200 with a JSON text of what it saw. */
export async function startHttpBackend(
  handler?: (request: IncomingMessage, response: ServerResponse, seen: SeenRequest) => void,
  options: { readonly early?: (request: IncomingMessage, response: ServerResponse) => boolean } = {},
): Promise<HttpBackend> {
  const requests: SeenRequest[] = []
  const numbers = new Map<Socket, number>()
  const server = createHttpServer({ keepAliveTimeout: 0 }, (request, response) => {
    if (options.early?.(request, response) === true) return
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url = '', rawHeaders } = request
      const seen = { method, url, rawHeaders, body: Buffer.concat(chunks), connection: numbers.get(request.socket) ?? 0 }
      requests.push(seen)
      if (handler !== undefined) return handler(request, response, seen)
      const text = JSON.stringify({ method, url, body: seen.body.toString('latin1') })
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
    })
  })
  server.on('connection', (socket) => numbers.set(socket, numbers.size + 1))
  return {
    port: await listen(server),
    requests,
    get connections() {
      return numbers.size
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A backend of bytes. */
export async function startRawBackend(onSocket?: (socket: Socket) => void): Promise<RawBackend> {
  const sockets: Socket[] = []
  const waiting: ((socket: Socket) => void)[] = []
  let accepted = 0
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {})
    sockets.push(socket)
    onSocket?.(socket)
    waiting.shift()?.(socket)
  })
  return {
    port: await listen(server),
    sockets,
    accept() {
      const ready = sockets[accepted]
      accepted += 1
      return ready === undefined ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve(ready)
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}
