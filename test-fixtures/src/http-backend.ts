import { createServer as createHttpServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Address } from '@sallyport/core'
import { createOpenStreams } from './open-streams.ts'
import { listen } from './socket-network.ts'

/** A request as the backend saw it. */
export interface SeenRequest {
  readonly method: string
  /** As on the request line. */
  readonly target: string
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
  /** Counts connections from 1: requests with one number shared a connection. */
  readonly connection: number
  /** Common name of the client certificate. */
  readonly peer: string | undefined
}

export interface HttpAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
}

export interface HttpBackendOptions {
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientCa?: string }
  /** `undefined` never answers. */
  readonly answer: (request: SeenRequest) => HttpAnswer | undefined | Promise<HttpAnswer | undefined>
}

export interface HttpBackend extends AsyncDisposable {
  readonly address: Address
  /** `http://127.0.0.1:port` or `https://localhost:port`. */
  readonly url: string
  readonly requests: readonly SeenRequest[]
  /** Connections so far, also those that brought no request. */
  readonly connections: number
  idle(): Promise<void>
}

/** An HTTP server that records what arrives and answers what the test says. */
export async function createHttpBackend({ tls, answer }: HttpBackendOptions): Promise<HttpBackend> {
  const requests: SeenRequest[] = []
  const open = createOpenStreams()
  const numbers = new WeakMap<Socket, number>()
  let connections = 0
  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void respond(request, response, numbers.get(request.socket) ?? 0, requests, answer).catch(() => response.destroy())
  }
  const server =
    tls === undefined
      ? createHttpServer(onRequest)
      : createHttpsServer(
          {
            cert: tls.certificate,
            key: tls.key,
            ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa, requestCert: true, rejectUnauthorized: true }),
          },
          onRequest,
        )
  server.on('connection', (socket) => open.add(socket))
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => void numbers.set(socket, ++connections))
  const address = await listen(server)
  return {
    address,
    url: tls === undefined ? `http://127.0.0.1:${address.port}` : `https://localhost:${address.port}`,
    requests,
    get connections() {
      return connections
    },
    idle: open.idle,
    async [Symbol.asyncDispose]() {
      server.close()
      open.destroyAll()
      await open.idle()
    },
  }
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  connection: number,
  requests: SeenRequest[],
  answer: HttpBackendOptions['answer'],
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const seen: SeenRequest = {
    method: request.method ?? '',
    target: request.url ?? '',
    headers: request.headers,
    rawHeaders: request.rawHeaders,
    body: Buffer.concat(chunks).toString('utf8'),
    connection,
    peer: peerName(request.socket),
  }
  requests.push(seen)
  const answered = await answer(seen)
  if (answered === undefined) return
  for (const [name, value] of Object.entries(answered.headers ?? {})) response.setHeader(name, value)
  response.statusCode = answered.status ?? 200
  response.end(answered.body ?? '')
}

function peerName(socket: Socket): string | undefined {
  if (!('getPeerCertificate' in socket)) return undefined
  const name: unknown = (socket as TLSSocket).getPeerCertificate().subject?.CN
  return typeof name === 'string' ? name : undefined
}
