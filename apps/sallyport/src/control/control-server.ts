import { randomBytes, timingSafeEqual } from 'node:crypto'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConnectivityError } from '@sallyport/core'

/** What a running process tells and does for the commands of the same user on the same machine. */
export type ControlHandler = (argument: Readonly<Record<string, unknown>>) => Promise<unknown>

export interface ControlServer {
  readonly url: string
  readonly secret: string
  close(): Promise<void>
}

const maxRequestBytes = 65_536

/**
 * Serves `POST /<name>` with a JSON object on the loopback interface, for holders of the secret in the control record only.
 * A browser cannot reach it: it knows no secret, and every request with an `Origin` is refused.
 */
export async function startControlServer(handlers: Readonly<Record<string, ControlHandler>>): Promise<ControlServer> {
  const secret = randomBytes(32).toString('base64url')
  const expected = Buffer.from(`Bearer ${secret}`)
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5_000 }, (request, response) => {
    const given = Buffer.from(request.headers.authorization ?? '')
    const known = given.length === expected.length && timingSafeEqual(given, expected)
    if (!known || request.headers.origin !== undefined || request.method !== 'POST') {
      answer(response, 403, { message: 'this endpoint serves the sallyport command of the same user' })
      return
    }
    const name = (request.url ?? '').slice(1)
    const handler = Object.hasOwn(handlers, name) ? handlers[name] : undefined
    const chunks: Buffer[] = []
    let length = 0
    request.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length > maxRequestBytes) request.destroy()
      else chunks.push(chunk)
    })
    request.on('end', () => void run(handler, chunks, response))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  // Of a connection that could not be accepted; the command on the other side says so.
  server.on('error', () => {})
  server.unref()
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
    },
  }
}

async function run(handler: ControlHandler | undefined, chunks: readonly Buffer[], response: ServerResponse): Promise<void> {
  if (handler === undefined)
    return answer(response, 404, { code: 'NOT_FOUND', message: 'the running process does not know this request; is it an older version?' })
  try {
    const text = Buffer.concat(chunks).toString('utf8')
    const argument = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>
    answer(response, 200, (await handler(argument)) ?? {})
  } catch (error) {
    const known = ConnectivityError.is(error)
    answer(response, known ? error.traits.status : 500, {
      code: known ? error.code : 'SERVICE_UNAVAILABLE',
      message: error instanceof Error ? error.message : String(error),
    })
  }
}

function answer(response: ServerResponse, status: number, body: unknown): void {
  const text = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length, connection: 'close' })
  response.end(text)
}
