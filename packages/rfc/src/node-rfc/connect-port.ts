import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Duplex, pipeline } from 'node:stream'
import { ConnectivityError } from '@sallyport/core'
import { maxLocalConnections } from '../limits.ts'

/** A local HTTP proxy for one library and one target. Disposing ends what it carries. */
export interface ConnectPort extends AsyncDisposable {
  readonly port: number
  readonly user: string
  readonly password: string
  /** Why the far side failed: the library only sees its connection end. */
  readonly failure: ConnectivityError | undefined
}

/**
 * Opens a random port of 127.0.0.1 that takes one `CONNECT`, from whoever knows its password, to one target (protocols.md 10.4, D). So a library that verifies the
 * name it dials can be led through a dial. `authority` is `host:port` of the target, `stream` leads there and belongs to the port.
 */
export async function openConnectPort(authority: string, stream: Duplex): Promise<ConnectPort> {
  const user = randomBytes(8).toString('hex')
  const password = randomBytes(16).toString('hex')
  const expected = Buffer.from(`Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`)
  let failure: ConnectivityError | undefined
  let taken: Duplex | undefined
  stream.on('error', (error) => {
    if (ConnectivityError.is(error)) failure ??= error
  })
  const server = createServer((_request, response) => response.writeHead(405).end())
  server.maxConnections = maxLocalConnections
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => {})
    const refuse = (status: string): void => void socket.end(`HTTP/1.1 ${status}\r\n\r\n`)
    if (!isAuthorized(request, expected)) return refuse('407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="local"')
    if (taken !== undefined || request.url?.toLowerCase() !== authority.toLowerCase()) return refuse('403 Forbidden')
    taken = socket
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
    if (head.length > 0) stream.write(head)
    // Whatever breaks one side breaks the other.
    pipeline(socket, stream, socket, () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    user,
    password,
    get failure() {
      return failure
    },
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
      taken?.destroy()
      stream.destroy()
    },
  }
}

function isAuthorized(request: IncomingMessage, expected: Buffer): boolean {
  const given = Buffer.from(request.headers['proxy-authorization'] ?? '')
  return given.length === expected.length && timingSafeEqual(given, expected)
}
