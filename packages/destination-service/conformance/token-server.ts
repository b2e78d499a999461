import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { TestIdentity } from '@sallyport/test-fixtures'

/** One call that a token server has received. */
export interface TokenCall {
  readonly method: string
  readonly host: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly form: URLSearchParams
  /** Common name of the certificate that the client has presented; `''` without one. */
  readonly client: string
}

/** A token server that records what it is asked and answers what the test says. */
export interface TokenServer {
  readonly port: number
  readonly url: string
  readonly calls: TokenCall[]
  /** Answers from now on; `(call, response)` may also answer never. */
  answer(handler: (call: TokenCall, response: ServerResponse) => void): void
  /** As `answer`, with JSON. */
  answerJson(status: number, body: unknown): void
  close(): Promise<void>
}

/** Over TLS with an identity; with `clientAuthority` (PEM) it insists on client certificates of that authority. */
export async function startTokenServer(tls?: TestIdentity & { readonly clientAuthority?: string }): Promise<TokenServer> {
  const calls: TokenCall[] = []
  let serial = 0
  let handler = (_call: TokenCall, response: ServerResponse): void => {
    sendJson(response, 200, { access_token: `token-${++serial}`, token_type: 'bearer', expires_in: 43_199, scope: 'orders.read' })
  }
  const listener: RequestListener = (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const call = {
        method: request.method ?? '',
        host: request.headers.host ?? '',
        url: request.url ?? '',
        headers: request.headers,
        form: new URLSearchParams(Buffer.concat(chunks).toString('utf8')),
        client: request.socket instanceof TLSSocket ? String(request.socket.getPeerCertificate().subject?.CN ?? '') : '',
      }
      calls.push(call)
      handler(call, response)
    })
  }
  const server: Server =
    tls === undefined
      ? createHttpServer(listener)
      : createHttpsServer(
          {
            cert: tls.certificate,
            key: tls.key,
            ...(tls.clientAuthority === undefined ? {} : { ca: tls.clientAuthority, requestCert: true, rejectUnauthorized: true }),
          },
          listener,
        )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/oauth/token`,
    calls,
    answer: (next) => {
      handler = next
    },
    answerJson: (status, body) => {
      handler = (_call, response) => sendJson(response, status, body)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
