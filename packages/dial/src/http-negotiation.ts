import type { Duplex } from 'node:stream'
import { ConnectivityError, type ErrorCode, type Secret } from '@sallyport/core'
import { maxProxyAnswerBytes } from './limits.ts'
import { readMessage } from './read-message.ts'

/** What a `CONNECT` needs to know. */
export interface HttpNegotiation {
  /** Connected to the proxy; nothing has been written or read. */
  readonly socket: Duplex
  /** `host:port` as it is written to the proxy. */
  readonly authority: string
  readonly credentials: { readonly user: string; readonly password: Secret } | undefined
  readonly signal: AbortSignal
  readonly attempt: string
}

const refusals: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  403: ['ACCESS_DENIED', 'the proxy does not allow this target'],
  405: ['ACCESS_DENIED', 'the proxy does not allow CONNECT; connectivity proxies want absolute-form requests instead'],
  407: ['PROXY_AUTHORIZATION_REQUIRED', 'the proxy wants other credentials'],
  502: ['BACKEND_UNREACHABLE', 'the proxy could not reach the target'],
  503: ['BACKEND_UNREACHABLE', 'the proxy could not reach the target'],
  504: ['BACKEND_TIMEOUT', 'the target did not answer the proxy in time'],
}

/** Opens a tunnel with CONNECT, RFC 9110 §9.3.6. A body of the answer is not read: after a refusal the connection is closed. */
export async function negotiateConnect({ socket, authority, credentials, signal, attempt }: HttpNegotiation): Promise<void> {
  const lines = [`CONNECT ${authority} HTTP/1.1`, `Host: ${authority}`]
  if (credentials !== undefined) {
    const pair = Buffer.from(`${credentials.user}:${credentials.password.reveal()}`, 'utf8').toString('base64')
    lines.push(`Proxy-Authorization: Basic ${pair}`)
  }
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- interim answers come one after the other
    const head = await readMessage(
      socket,
      {
        measure(bytes) {
          const end = bytes.indexOf('\r\n\r\n')
          return end === -1 ? undefined : end + 4
        },
        maxBytes: maxProxyAnswerBytes,
        tooLong: () => new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer of the proxy is too long`),
      },
      signal,
      attempt,
    )
    const status = Number(/^HTTP\/1\.[01] ([1-5]\d\d)[ \r]/.exec(head.toString('latin1'))?.[1])
    if (status >= 200 && status < 300) return
    if (status >= 100 && status < 200) continue
    const [code, meaning] = refusals[status] ?? ['PROTOCOL_VIOLATION', 'the proxy does not answer as an HTTP proxy does']
    throw new ConnectivityError(code, `${attempt}: ${meaning}${Number.isNaN(status) ? '' : ` (HTTP status ${status})`}`, {
      details: { status: Number.isNaN(status) ? undefined : status },
    })
  }
}
