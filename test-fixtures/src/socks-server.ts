import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Address } from '@sallyport/core'
import { createByteReader } from './byte-reader.ts'
import { joinSockets } from './join-sockets.ts'
import { createOpenStreams } from './open-streams.ts'
import { listen } from './socket-network.ts'

/** What one client of the fixture sent, read byte by byte. */
export interface SocksAttempt {
  readonly methods: readonly number[]
  readonly token: string
  readonly locationId: string
  readonly addressType: number
  readonly host: string
  readonly port: number
}

export interface SocksServerOptions {
  /** The token that is accepted. */
  readonly token: string
  /** Where a host and port lead, or the reply code they are refused with. */
  readonly route: (host: string, port: number, locationId: string) => Address | number
  /** The method that is picked; the default is 0x80 where it is offered. */
  readonly method?: number
  /** Stops answering before this message. */
  readonly silentBefore?: 'method' | 'verdict' | 'reply'
  /** Holds the reply until the far side has sent something, and sends both in one piece. */
  readonly coalesce?: boolean
  /** Sends each byte of the negotiation alone. */
  readonly fragment?: boolean
  /** Sent instead of the reply. */
  readonly reply?: Buffer
}

export interface SocksServer extends AsyncDisposable {
  readonly address: Address
  readonly attempts: readonly SocksAttempt[]
  idle(): Promise<void>
}

/**
 * A SOCKS5 server with method 0x80 (token and location ID) for tests, written from the byte tables and from no code of the
 * product.
 */
export async function createSocksServer(options: SocksServerOptions): Promise<SocksServer> {
  const attempts: SocksAttempt[] = []
  const open = createOpenStreams()
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    open.add(socket)
    serve(socket, options, attempts).catch(() => socket.destroy())
  })
  const address = await listen(server)
  return {
    address,
    attempts,
    idle: open.idle,
    async [Symbol.asyncDispose]() {
      server.close()
      open.destroyAll()
      await open.idle()
    },
  }
}

async function serve(socket: Socket, options: SocksServerOptions, attempts: SocksAttempt[]): Promise<void> {
  const reader = createByteReader(socket)
  const send = async (bytes: Buffer): Promise<void> => {
    if (options.fragment !== true) socket.write(bytes)
    else {
      for (const byte of bytes) {
        socket.write(Buffer.of(byte))
        // oxlint-disable-next-line no-await-in-loop -- one byte after the other is what is wanted
        await new Promise(setImmediate)
      }
    }
  }
  const stall = (): void => {
    if (socket.readableEnded) socket.end()
    else socket.resume().once('end', () => socket.end())
  }

  const [, count] = await reader.take(2)
  const methods = [...(await reader.take(count ?? 0))]
  if (options.silentBefore === 'method') return stall()
  const method = options.method ?? (methods.includes(0x80) ? 0x80 : 0xff)
  await send(Buffer.of(5, method))
  if (method === 0xff) return void socket.end()

  let token = ''
  let locationId = ''
  if (method === 0x80) {
    const head = await reader.take(5)
    token = (await reader.take(head.readUInt32BE(1))).toString('latin1')
    const length = (await reader.take(1)).readUInt8(0)
    locationId = Buffer.from((await reader.take(length)).toString('latin1'), 'base64').toString('utf8')
    if (options.silentBefore === 'verdict') return stall()
    const accepted = head[0] === 1 && token === options.token
    await send(Buffer.of(1, accepted ? 0 : 5))
    if (!accepted) return void socket.end()
  }

  const [, , , addressType = 0] = await reader.take(4)
  if (addressType === 4) {
    await reader.take(18)
    await send(Buffer.of(5, 8, 0, 1, 0, 0, 0, 0, 0, 0))
    return void socket.end()
  }
  const host =
    addressType === 1 ? [...(await reader.take(4))].join('.') : (await reader.take((await reader.take(1)).readUInt8(0))).toString('latin1')
  const port = (await reader.take(2)).readUInt16BE(0)
  attempts.push({ methods, token, locationId, addressType, host, port })
  if (options.silentBefore === 'reply') return stall()

  const replied = (code: number): Buffer => options.reply ?? Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0)
  const target = options.route(host, port, locationId)
  if (typeof target === 'number') {
    await send(replied(target))
    return void socket.end()
  }
  const far = connect({ ...target, allowHalfOpen: true, noDelay: true })
  try {
    await once(far, 'connect')
  } catch {
    await send(replied(4))
    return void socket.end()
  }
  if (options.coalesce === true) {
    await Promise.race([once(far, 'readable'), once(far, 'end')])
    socket.write(Buffer.concat([replied(0), (far.read() as Buffer | null) ?? Buffer.alloc(0)]))
  } else await send(replied(0))
  joinSockets(socket, far)
}
