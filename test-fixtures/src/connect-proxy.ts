import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Address } from '@sallyport/core'
import { createByteReader } from './byte-reader.ts'
import { joinSockets } from './join-sockets.ts'
import { createOpenStreams } from './open-streams.ts'
import { listen } from './socket-network.ts'

export interface ConnectProxyOptions {
  readonly credentials?: { readonly user: string; readonly password: string }
  /** Where an authority leads, the whole answer to send instead, or `undefined` for no answer at all. */
  readonly route: (authority: string) => Address | string | undefined
  /** Sent before the final answer, for example an interim one. */
  readonly before?: string
  /** Holds the answer until the far side has sent something, and sends both in one piece. */
  readonly coalesce?: boolean
}

export interface ConnectProxy extends AsyncDisposable {
  readonly address: Address
  /** The heads that arrived. */
  readonly heads: readonly string[]
  idle(): Promise<void>
}

/** A forward proxy with CONNECT and Basic authentication, as companies have it, for tests. */
export async function createConnectProxy(options: ConnectProxyOptions): Promise<ConnectProxy> {
  const heads: string[] = []
  const open = createOpenStreams()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(socket)
    serve(socket, options, heads).catch(() => socket.destroy())
  })
  const address = await listen(server)
  return {
    address,
    heads,
    idle: open.idle,
    async [Symbol.asyncDispose]() {
      server.close()
      open.destroyAll()
      await open.idle()
    },
  }
}

async function serve(socket: Socket, options: ConnectProxyOptions, heads: string[]): Promise<void> {
  const head = (await createByteReader(socket).takeThrough('\r\n\r\n')).toString('latin1')
  heads.push(head)
  const authority = /^CONNECT (\S+) HTTP\/1\.1\r\n/.exec(head)?.[1]
  if (authority === undefined) return void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
  if (options.credentials !== undefined) {
    const expected = Buffer.from(`${options.credentials.user}:${options.credentials.password}`).toString('base64')
    if (!head.includes(`\r\nProxy-Authorization: Basic ${expected}\r\n`)) {
      return void socket.end(
        'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="p"\r\nContent-Length: 0\r\n\r\n',
      )
    }
  }
  if (options.before !== undefined) socket.write(options.before)
  const target = options.route(authority)
  if (target === undefined) return void socket.resume().once('end', () => socket.end())
  if (typeof target === 'string') return void socket.end(target)
  const far = connect({ ...target, allowHalfOpen: true, noDelay: true })
  try {
    await once(far, 'connect')
  } catch {
    return void socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n')
  }
  const answer = Buffer.from('HTTP/1.1 200 Connection established\r\nVia: 1.1 test\r\n\r\n')
  if (options.coalesce === true) {
    await Promise.race([once(far, 'readable'), once(far, 'end')])
    socket.write(Buffer.concat([answer, (far.read() as Buffer | null) ?? Buffer.alloc(0)]))
  } else socket.write(answer)
  joinSockets(socket, far)
}
