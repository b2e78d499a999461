import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { announcesClose, sendWhole } from './connection.ts'
import type { ReadRequest, Reading } from './reading.ts'

/** Reads whole connections with the HTTP parser of Node, llhttp in its strict mode. */
export interface NodeReader extends AsyncDisposable {
  read(bytes: Buffer): Promise<Reading>
}

interface Connection {
  readonly requests: ReadRequest[]
  /** Why its parser gave up, if it did. */
  end: 'waiting' | 'refused' | undefined
}

export async function startNodeReader(): Promise<NodeReader> {
  const connections = new Map<number, Connection>()
  const connectionOf = (socket: Duplex): Connection => {
    const port = (socket as Socket).remotePort ?? 0
    const known = connections.get(port)
    if (known !== undefined) return known
    const connection: Connection = { requests: [], end: undefined }
    connections.set(port, connection)
    return connection
  }
  const server = createServer({ insecureHTTPParser: false, keepAliveTimeout: 0 })
  const onRequest = (request: IncomingMessage, respond: () => void): void => {
    const { requests } = connectionOf(request.socket)
    const at = requests.push(asRead(request, '', 'waiting')) - 1
    let body = ''
    request.setEncoding('latin1').on('data', (text: string) => (body += text))
    request.on('end', () => {
      requests[at] = asRead(request, body, 'complete')
      respond()
    })
  }
  server.on('request', (request, response) => onRequest(request, () => response.end()))
  server.on('checkExpectation', (request, response) => onRequest(request, () => response.end()))
  server.on('connect', (request: IncomingMessage, socket: Duplex, first: Buffer) => {
    const { requests } = connectionOf(socket)
    const at = requests.push(asRead(request, first.toString('latin1'), 'complete')) - 1
    socket.on('data', (more: Buffer) => (requests[at] = asRead(request, requests[at]?.body + more.toString('latin1'), 'complete')))
    socket.on('end', () => socket.end())
  })
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const connection = connectionOf(socket)
    connection.end = error.code === 'HPE_INVALID_EOF_STATE' ? 'waiting' : 'refused'
    const last = connection.requests.at(-1)
    if (last?.state === 'waiting') connection.requests[connection.requests.length - 1] = { ...last, state: connection.end }
    socket.destroy()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    async read(bytes) {
      const { localPort, text } = await sendWhole(port, bytes, (local) => connections.set(local, { requests: [], end: undefined }))
      const connection = connections.get(localPort)
      connections.delete(localPort)
      if (connection === undefined) throw new Error('a connection that the server never saw')
      return { requests: connection.requests, end: connection.end ?? (announcesClose(text) ? 'ended' : 'waiting') }
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

function asRead(request: IncomingMessage, body: string, state: ReadRequest['state']): ReadRequest {
  return { method: request.method ?? '', target: request.url ?? '', fields: request.rawHeaders, body, state }
}
