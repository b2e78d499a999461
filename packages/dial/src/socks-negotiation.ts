import { Duplex } from 'node:stream'
import { ConnectivityError } from '@sallyport/core'
import type { SocksClient } from 'socks'
import { readMessage } from './read-message.ts'
import { measureReply, tokenMethod } from './socks-messages.ts'
import { socksRefusal } from './socks-reply.ts'

/** What a SOCKS5 handshake needs to know. */
export interface SocksNegotiation {
  readonly client: typeof SocksClient
  /** Connected to the proxy; nothing has been written or read. */
  readonly socket: Duplex
  readonly host: string
  readonly port: number
  /** What {@link formatTokenMessage} made. */
  readonly tokenMessage: Buffer
  readonly signal: AbortSignal
  /** Longer than the signal allows, which decides. */
  readonly timeoutMs: number
  readonly attempt: string
}

/**
 * The `socks` package, which only those install who go through SOCKS5.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` where it is not installed.
 */
export async function loadSocks(): Promise<typeof SocksClient> {
  try {
    return (await import('socks')).SocksClient
  } catch (cause) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      'a dial through SOCKS5 needs the package "socks"; install it beside @sallyport/dial',
      {
        cause,
      },
    )
  }
}

/**
 * Negotiates SOCKS5 with the `socks` package, which never sees the socket: it writes through and reads from a stand-in that
 * is fed one server message at a time. So bytes that follow the last reply cannot get lost in it (it re-emits them once,
 * and whoever listens later has missed them), a proxy that picks "no authentication" is refused before the request
 * goes out without token and location ID, and its errors, which hold the options, stay here.
 */
export async function negotiateSocks({
  client,
  socket,
  host,
  port,
  tokenMessage,
  signal,
  timeoutMs,
  attempt,
}: SocksNegotiation): Promise<void> {
  const standIn = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      socket.write(chunk)
      callback()
    },
  })
  const established = client.createConnection({
    command: 'connect',
    timeout: timeoutMs,
    existing_socket: standIn,
    destination: { host, port },
    proxy: {
      // Never used: the stand-in is the connection. The library wants to see an address all the same.
      host: '127.0.0.1',
      port: 1080,
      type: 5,
      custom_auth_method: tokenMethod,
      custom_auth_request_handler: async () => tokenMessage,
      custom_auth_response_size: 2,
      custom_auth_response_handler: async (answer) => answer[0] === 1 && answer[1] === 0,
    },
  })
  // Every failure is found in the messages first, with a code; the library's own error only repeats it.
  established.catch(() => {})
  const next = (length: number | typeof measureReply): Promise<Buffer> =>
    readMessage(
      socket,
      {
        measure: typeof length === 'number' ? () => length : length,
        maxBytes: 512,
        tooLong: () => new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the reply of the proxy has no end`),
      },
      signal,
      attempt,
    )
  try {
    const method = await next(2)
    if (method[0] !== 5) throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the proxy does not speak SOCKS5`)
    if (method[1] !== tokenMethod) {
      throw method[1] === 0xff
        ? new ConnectivityError('PROXY_AUTHORIZATION_REQUIRED', `${attempt}: the proxy accepts no token over SOCKS5`)
        : new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the proxy does not ask for the token, so it cannot know the connector`)
    }
    standIn.push(method)
    const verdict = await next(2)
    if (verdict[0] !== 1) throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: unknown answer of the proxy to the token`)
    if (verdict[1] !== 0) throw socksRefusal(5, attempt)
    standIn.push(verdict)
    const reply = await next(measureReply)
    if (reply[0] !== 5) throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the proxy does not speak SOCKS5`)
    if (reply[1] !== 0) throw socksRefusal(reply[1] ?? 0, attempt)
    if (reply.length === 5) throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: unknown address type in the reply of the proxy`)
    standIn.push(reply)
    await established.catch(() => {
      throw new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the negotiation did not come to its end`)
    })
  } finally {
    standIn.destroy()
  }
}
