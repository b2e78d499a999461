import { createServer, type RequestListener } from 'node:http'
import type { Readable } from 'node:stream'
import { ConnectivityError, type HttpDestination, parseDestination, type ProtocolClient } from '@sallyport/core'
import type { Demand } from '../adapter-cases/adapter-case.ts'
import type { FarEnd } from '../far-side.ts'
import type { ScriptedBackend } from './scripted-backend.ts'

interface HttpAsks extends ProtocolClient {
  request(
    path: string,
    options: { readonly signal: AbortSignal; readonly method?: string; readonly body?: Readable },
  ): Promise<{ readonly status: number; readonly body: AsyncIterable<Uint8Array> | null; text(): Promise<string> }>
}

/** A backend that knows who may ask, and answers what it was asked. */
function serveHttp({ stream }: FarEnd, { credentials, principal }: Demand): void {
  answerRequests(stream, (request, response) => {
    const { authorization } = request.headers
    const welcome =
      (credentials.kind !== 'basic' ||
        authorization === `Basic ${Buffer.from(`${credentials.user}:${credentials.password.reveal()}`).toString('base64')}`) &&
      (credentials.kind !== 'header' || authorization === credentials.value.reveal()) &&
      (credentials.kind !== 'principal' || request.headers['x-test-principal'] === `Bearer ${principal?.token.reveal()}`)
    response.writeHead(welcome ? 200 : 401).end(`you asked for ${request.url}`)
  })
}

function answerRequests(stream: FarEnd['stream'], listener: RequestListener): void {
  createServer(listener).emit('connection', stream)
}

/** Once the request has come, sends bytes and perhaps ends. */
const answerWith =
  (bytes: string, end: boolean) =>
  ({ stream }: FarEnd): void => {
    stream.on('end', () => stream.end())
    stream.once('data', () => (end ? stream.end(bytes, 'latin1') : stream.write(bytes, 'latin1')))
  }

/** HTTP/1.1 on `node:http`, and answers that no client should take. */
export const httpBackend: ScriptedBackend<'HTTP', HttpAsks> = {
  destination: ({ host, port }, locationId = 'orlando') =>
    parseDestination({
      Name: 'ERP',
      Type: 'HTTP',
      URL: `http://${host}:${port}/base`,
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: locationId,
    }) as HttpDestination,
  serve: serveHttp,
  async work(client, signal) {
    const response = await client.request('/orders?$top=1', { signal })
    const text = await response.text()
    if (response.status !== 200) throw new ConnectivityError('BACKEND_UNREACHABLE', `HTTP status ${response.status}`)
    if (text !== 'you asked for /base/orders?$top=1') throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no answer to the question')
  },
  longAnswer: {
    serve({ stream }, content) {
      answerRequests(stream, (_request, response) => void content.pipe(response))
    },
    async *ask(client, signal) {
      yield* (await client.request('/archive', { signal })).body ?? []
    },
  },
  longRequest: {
    serve({ stream }) {
      answerRequests(stream, (request, response) => void request.resume().once('end', () => response.writeHead(204).end()))
    },
    async send(client, body, signal) {
      const { status } = await client.request('/archive', { method: 'PUT', body, signal })
      if (status !== 204) throw new ConnectivityError('BACKEND_UNREACHABLE', `HTTP status ${status}`)
    },
  },
  beginAnswer: ({ stream }) => void stream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it'),
  hostile: {
    'another protocol': answerWith('220 mail.test ESMTP\r\n', true),
    'nothing at all': answerWith('', true),
    'a head without an end': answerWith(`HTTP/1.1 200 OK\r\n${`X-Padding: ${'x'.repeat(1000)}\r\n`.repeat(100)}`, false),
    'two lengths': answerWith('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nbody', true),
    'a length that is no number': answerWith('HTTP/1.1 200 OK\r\nContent-Length: 4x\r\n\r\nbody', true),
    'a negative length': answerWith('HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nbody', true),
    'length and chunks': answerWith(
      'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n',
      true,
    ),
    'a chunk size that is none': answerWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbody\r\n0\r\n\r\n', true),
    'a chunk size beyond all bounds': answerWith('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx', true),
    'less than it announced': answerWith('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort', true),
    'a header with a control character': answerWith('HTTP/1.1 200 OK\r\nX-A: a\u0000b\r\nContent-Length: 0\r\n\r\n', true),
  },
  features: { basic: true, header: true, principal: false, locations: true, answers: true, longAnswers: true, longRequests: true },
}
