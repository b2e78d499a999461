import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { TLSSocket } from 'node:tls'

/** What reached the backend, and what it answers with as JSON. */
export interface Echo {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** Common name of the client certificate, where one was presented and trusted. */
  readonly certificate?: string
}

/** A web server that answers every request with the request: for destinations of the Internet and behind the connector alike. */
export interface EchoBackend extends AsyncDisposable {
  readonly port: number
  readonly url: string
}

/** With `tls` it speaks https and demands a client certificate of that authority. */
export async function startEchoBackend(tls?: {
  readonly certificate: string
  readonly key: string
  readonly clientAuthority: string
}): Promise<EchoBackend> {
  const answer: RequestListener = (request, response) => {
    void (async () => {
      const subject = request.socket instanceof TLSSocket ? request.socket.getPeerCertificate().subject : undefined
      const echo: Echo = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: await text(request),
        ...(subject === undefined ? {} : { certificate: String(subject.CN) }),
      }
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(echo))
    })().catch(() => response.destroy())
  }
  const server =
    tls === undefined
      ? createServer(answer)
      : createSecureServer(
          { cert: tls.certificate, key: tls.key, ca: tls.clientAuthority, requestCert: true, rejectUnauthorized: true },
          answer,
        )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
