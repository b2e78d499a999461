import { createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Address } from '@sallyport/core'
import type { SeenRequest } from './http-backend.ts'
import { createOpenStreams } from './open-streams.ts'
import { listen } from './socket-network.ts'

export interface ForwardProxyOptions {
  /** The proxy tokens that are accepted. */
  readonly tokens: readonly string[]
  /** Where a virtual host leads, or the status it is refused with. */
  readonly route: (host: string, port: number, locationId: string) => Address | number
}

export interface ForwardProxy extends AsyncDisposable {
  readonly address: Address
  /** Requests as they arrived, refused ones included. */
  readonly requests: readonly Omit<SeenRequest, 'body' | 'peer'>[]
  idle(): Promise<void>
}

/**
 * The HTTP port of a connectivity proxy for tests: absolute-form requests, a proxy token, location and principal in headers, no CONNECT.
 * As the real one does, it binds a connection to what its first request named and refuses a request for anything else.
 * The principal reaches the backend as `x-test-principal`.
 */
export async function createForwardProxy(options: ForwardProxyOptions): Promise<ForwardProxy> {
  const requests: Omit<SeenRequest, 'body' | 'peer'>[] = []
  const open = createOpenStreams()
  const numbers = new WeakMap<Socket, number>()
  const bindings = new WeakMap<Socket, string>()
  let connections = 0
  const server = createServer((request, response) => {
    const { socket, headers } = request
    requests.push({
      method: request.method ?? '',
      target: request.url ?? '',
      headers,
      rawHeaders: request.rawHeaders,
      connection: numbers.get(socket) ?? 0,
    })
    const url = URL.parse(request.url ?? '')
    if (url === null || url.protocol !== 'http:') return refuse(response, 405)
    if (!options.tokens.some((token) => headers['proxy-authorization'] === `Bearer ${token}`)) return refuse(response, 407)
    const locationId = String(headers['sap-connectivity-scc-location_id'] ?? '')
    const principal = String(headers['sap-connectivity-authentication'] ?? headers['sap-connectivity-technical-authentication'] ?? '')
    const binding = JSON.stringify([headers['proxy-authorization'], locationId, url.host, principal])
    if ((bindings.get(socket) ?? binding) !== binding) return refuse(response, 403)
    bindings.set(socket, binding)
    const target = options.route(url.hostname, Number(url.port === '' ? 80 : url.port), locationId)
    if (typeof target === 'number') return refuse(response, target)
    forward(request, response, target, `${url.pathname}${url.search}`, principal)
  })
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    numbers.set(socket, ++connections)
  })
  const address = await listen(server)
  return {
    address,
    requests,
    idle: open.idle,
    async [Symbol.asyncDispose]() {
      server.close()
      open.destroyAll()
      await open.idle()
    },
  }
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'x-connectivity-error-origin': 'proxy', connection: 'close' }).end('refused by the test proxy')
}

function forward(request: IncomingMessage, response: ServerResponse, target: Address, path: string, principal: string): void {
  const headers = Object.fromEntries(
    Object.entries(request.headers).filter(([name]) => !/^(?:proxy-|sap-connectivity-|connection$)/.test(name)),
  )
  const outgoing = httpRequest({
    ...target,
    path,
    method: request.method,
    headers: { ...headers, ...(principal === '' ? {} : { 'x-test-principal': principal }) },
    agent: false,
  })
  outgoing.on('response', (answer) => {
    // Of the way to the backend, which has a connection per request here.
    delete answer.headers.connection
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.on('error', () => request.socket.resetAndDestroy())
    answer.pipe(response)
  })
  outgoing.on('error', () => {
    if (response.headersSent) request.socket.resetAndDestroy()
    else response.writeHead(502, { 'x-connectivity-error-origin': 'connector', connection: 'close' }).end('no backend')
  })
  response.on('close', () => outgoing.destroy())
  request.pipe(outgoing)
}
