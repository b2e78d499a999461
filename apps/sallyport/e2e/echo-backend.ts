import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** What reached the backend, and what it answers with as JSON. */
export interface Echo {
  readonly method: string
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** A web server that answers every request with the request: for destinations of the Internet and behind the connector alike. */
export interface EchoBackend extends AsyncDisposable {
  readonly port: number
  readonly url: string
  readonly received: readonly Echo[]
}

export async function startEchoBackend(): Promise<EchoBackend> {
  const received: Echo[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const echo: Echo = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body: await text(request) }
      received.push(echo)
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify(echo))
    })().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
