import { createServer } from 'node:http'
import { type AdapterParts, describeAdapter, type Demand, type FarEnd, type FarSide } from '@sallyport/conformance'
import { type Address, ConnectivityError, createSecret, type HttpDestination, parseDestination, systemClock } from '@sallyport/core'
import { createDirectDial } from '@sallyport/dial'
import { createForwardProxy, createMemoryNetwork, createSocketNetwork } from '@sallyport/test-fixtures'
import { createHttpAdapter, type HttpClient } from '../src/index.ts'

const proxyToken = 'proxy.token.of-the-connectivity-client'

/** A backend that knows who may ask, and answers what it was asked. */
function serveHttp({ stream }: FarEnd, { credentials, principal }: Demand): void {
  const server = createServer((request, response) => {
    const { authorization } = request.headers
    const welcome =
      (credentials.kind !== 'basic' ||
        authorization === `Basic ${Buffer.from(`${credentials.user}:${credentials.password.reveal()}`).toString('base64')}`) &&
      (credentials.kind !== 'header' || authorization === credentials.value.reveal()) &&
      (credentials.kind !== 'principal' || request.headers['x-test-principal'] === `Bearer ${principal?.token.reveal()}`)
    response.writeHead(welcome ? 200 : 401).end(`you asked for ${request.url}`)
  })
  server.emit('connection', stream)
}

/** Once the request has come, sends bytes and perhaps ends. */
const answerWith =
  (bytes: string, end: boolean) =>
  ({ stream }: FarEnd): void => {
    stream.on('end', () => stream.end())
    stream.once('data', () => (end ? stream.end(bytes, 'latin1') : stream.write(bytes, 'latin1')))
  }

const common = {
  destination: ({ host, port }: Address): HttpDestination =>
    parseDestination({
      Name: 'ERP',
      Type: 'HTTP',
      URL: `http://${host}:${port}/base`,
      ProxyType: 'OnPremise',
      CloudConnectorLocationId: 'orlando',
    }) as HttpDestination,
  serve: serveHttp,
  async work(client: HttpClient, signal: AbortSignal): Promise<void> {
    const response = await client.request('/orders?$top=1', { signal })
    const text = await response.text()
    if (response.status !== 200) throw new ConnectivityError('BACKEND_UNREACHABLE', `HTTP status ${response.status}`)
    if (text !== 'you asked for /base/orders?$top=1') throw new ConnectivityError('PROTOCOL_VIOLATION', 'this is no answer to the question')
  },
  beginAnswer: ({ stream }: FarEnd): unknown => stream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it'),
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
} satisfies Partial<AdapterParts<'HTTP', HttpClient, FarSide>>

const features = { basic: true, header: true, principal: false, locations: true, answers: true }

describeAdapter('http over a dial in memory', {
  ...common,
  open: async () => createMemoryNetwork(),
  create: () => createHttpAdapter({ clock: systemClock }),
  features,
})

describeAdapter('http over sockets', {
  ...common,
  async open() {
    const network = createSocketNetwork()
    return { ...network, dial: createDirectDial() }
  },
  create: () => createHttpAdapter({ clock: systemClock }),
  features,
})

describeAdapter('http through a connectivity proxy', {
  ...common,
  async open() {
    const network = createSocketNetwork()
    const proxy = await createForwardProxy({
      tokens: [proxyToken],
      route: (host, port, locationId) => (host === 'erp.virtual' && locationId === 'orlando' ? { host: '127.0.0.1', port } : 403),
    })
    return {
      dial: createDirectDial(),
      proxy: proxy.address,
      serve: async (handler: (far: FarEnd) => void) => ({ ...(await network.serve(handler)), host: 'erp.virtual' }),
      unused: async () => ({ ...(await network.unused()), host: 'erp.virtual' }),
      async idle() {
        await Promise.all([network.idle(), proxy.idle()])
      },
      async [Symbol.asyncDispose]() {
        await Promise.all([network[Symbol.asyncDispose](), proxy[Symbol.asyncDispose]()])
      },
    }
  },
  create: ({ proxy }) =>
    createHttpAdapter({
      clock: systemClock,
      proxy: { address: proxy, tenant: 'acme', token: async () => createSecret(proxyToken) },
    }),
  features: { basic: true, header: true, principal: true, locations: false, answers: true },
  secrets: [proxyToken],
})
