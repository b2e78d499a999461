import { once } from 'node:events'
import { Readable } from 'node:stream'
import { type ConnectContext, createSecret, type HttpDestination, parseDestination, silentLogger, systemClock } from '@sallyport/core'
import { createDirectDial, createProxyDial } from '@sallyport/dial'
import { createHttpBackend, createSocketNetwork, createSocksServer, createTestCa, type HttpAnswer } from '@sallyport/test-fixtures'
import { fetch as undiciFetch, request as undiciRequest } from 'undici'
import { describe, expect, it } from 'vitest'
import { createHttpAdapter, type HttpAdapterOptions, type HttpClient } from '../src/index.ts'

const to = (url: string, properties: Readonly<Record<string, string>> = {}): HttpDestination =>
  parseDestination({ Name: 'WEB', Type: 'HTTP', URL: url, ProxyType: 'Internet', ...properties }) as HttpDestination
const context = (changes: Partial<ConnectContext> = {}): ConnectContext => ({
  dial: createDirectDial(),
  credentials: { kind: 'none' },
  signal: AbortSignal.timeout(10_000),
  log: silentLogger,
  ...changes,
})

/** One request each to a backend that answers the same always. */
async function ask<T>(
  answer: HttpAnswer,
  work: (client: HttpClient, backend: Awaited<ReturnType<typeof createHttpBackend>>) => Promise<T>,
): Promise<T> {
  await using backend = await createHttpBackend({ answer: () => answer })
  await using client = await createHttpAdapter({ clock: systemClock }).connect(to(backend.url), context())
  return await work(client, backend)
}

describe('answers', () => {
  it('come as they are: status, repeated headers, encoding, redirect', () =>
    ask(
      {
        status: 302,
        headers: { 'set-cookie': ['a=1', 'b=2'], 'content-encoding': 'gzip', location: '/elsewhere' },
        body: 'not gzip at all',
      },
      async (client, backend) => {
        const response = await client.request('/x')
        expect([response.status, response.headers.get('location')]).toEqual([302, '/elsewhere'])
        expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
        expect(await response.text()).toBe('not gzip at all')
        expect(backend.requests).toHaveLength(1)
      },
    ))
  it.each([204, 304])('without a body leave the connection usable (%s)', (status) =>
    ask({ status }, async (client, backend) => {
      for (let count = 0; count < 3; count++) expect((await client.request('/')).body).toBe(null)
      expect((await client.request('/', { method: 'HEAD' })).body).toBe(null)
      expect(new Set(backend.requests.map(({ connection }) => connection)).size).toBe(1)
    }),
  )
  it('are read from one connection after the other request has been read, Latin-1 in headers kept', async () => {
    await using network = createSocketNetwork()
    let connections = 0
    const address = await network.serve(({ stream }) => {
      connections++
      stream.on('end', () => stream.end())
      stream.on('data', () => stream.write(Buffer.from('HTTP/1.1 200 Fein\r\nX-Latin: caf\u00e9\r\nContent-Length: 2\r\n\r\nok', 'latin1')))
    })
    await using client = await createHttpAdapter({ clock: systemClock }).connect(to(`http://127.0.0.1:${address.port}`), context())
    for (let count = 0; count < 5; count++) {
      const response = await client.request('/')
      expect([response.statusText, response.headers.get('x-latin'), await response.text()]).toEqual(['Fein', 'caf\u00e9', 'ok'])
    }
    expect(connections).toBe(1)
  })
  it('whose body is given up close their connection', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve(({ stream }) => {
      stream.once('data', () => {
        stream.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        const more = (): void => {
          while (!stream.destroyed && stream.write(`400\r\n${'x'.repeat(1024)}\r\n`));
        }
        stream.on('drain', more)
        more()
      })
    })
    await using client = await createHttpAdapter({ clock: systemClock }).connect(to(`http://127.0.0.1:${address.port}`), context())
    const response = await client.request('/')
    await response.body?.cancel()
    await expect(network.idle()).resolves.toBeUndefined()
  })
  it('that break off in the middle fail the body with a code', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) => {
      far.stream.once('data', () => {
        far.stream.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf')
        setImmediate(() => far.reset())
      })
    })
    await using client = await createHttpAdapter({ clock: systemClock }).connect(to(`http://127.0.0.1:${address.port}`), context())
    await expect(client.request('/').then((response) => response.text())).rejects.toMatchObject({ code: 'BACKEND_UNREACHABLE' })
  })
})

describe('requests', () => {
  it.each([
    ['text', 'grüße', 'text/plain;charset=UTF-8', 'grüße'],
    ['bytes', new TextEncoder().encode('bytes'), undefined, 'bytes'],
    ['a form', new URLSearchParams({ a: 'b c' }), 'application/x-www-form-urlencoded;charset=UTF-8', 'a=b+c'],
    ['a stream', Readable.from([Buffer.from('one '), Buffer.from('two')]), undefined, 'one two'],
    [
      'an iterable',
      (async function* () {
        yield Buffer.from('three')
      })(),
      undefined,
      'three',
    ],
  ] as const)('carry %s', (_what, body, type, received) =>
    ask({}, async (client, backend) => {
      await client.request('/', { method: 'POST', body })
      expect(backend.requests[0]).toMatchObject({ method: 'POST', body: received })
      expect(backend.requests[0]?.headers['content-type']).toBe(type)
    }),
  )
  it('carry headers that are called like what every object has', () =>
    ask({}, async (client, backend) => {
      const headers = [
        ['constructor', 'a'],
        ['toString', 'b'],
      ] as const
      await client.request('/', { headers })
      await undiciRequest(backend.url, { dispatcher: client.dispatcher, headers: Object.fromEntries(headers) })
      for (const request of backend.requests) expect(request.headers).toMatchObject({ constructor: 'a', tostring: 'b' })
      expect(backend.requests).toHaveLength(2)
    }))
  it.each([
    ['another origin', 'http://other.test/', {}],
    ['a foreign header', '/', { headers: { 'Proxy-Authorization': 'x' } }],
    ['a method that is none', '/', { method: 'GET /x HTTP/1.1\r\nX:' }],
    ['CONNECT', '/', { method: 'CONNECT' }],
    ['a wrong length', '/', { method: 'POST', body: 'abc', headers: { 'content-length': '2' } }],
    ['Transfer-Encoding', '/', { headers: { 'transfer-encoding': 'chunked' } }],
    ['Expect', '/', { headers: { expect: 'x' } }],
  ])('with %s are refused before anything is sent', (_what, path, options) =>
    ask({}, async (client, backend) => {
      await expect(client.request(path, options)).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
      expect(backend.requests).toHaveLength(0)
    }),
  )
  it('that are open end with the client, and later ones do not begin', async () => {
    await using backend = await createHttpBackend({ answer: () => undefined })
    const client = await createHttpAdapter({ clock: systemClock }).connect(to(backend.url), context())
    const open = client.request('/').catch((error: unknown) => error)
    while (backend.requests.length === 0) await new Promise(setImmediate)
    await client[Symbol.asyncDispose]()
    expect(await open).toMatchObject({ code: 'ABORTED' })
    await expect(client.request('/')).rejects.toMatchObject({ code: 'ABORTED' })
    await backend.idle()
  })
  it.each(['request', 'dispatcher'] as const)('that wait for a token end with the client (%s)', async (way) => {
    const asked = Promise.withResolvers<AbortSignal>()
    const token = (signal: AbortSignal): Promise<never> => {
      asked.resolve(signal)
      return new Promise(() => {})
    }
    const proxy = { address: { host: '127.0.0.1', port: 1 }, tenant: 't1', token }
    const destination = to('http://erp.virtual:8000', { ProxyType: 'OnPremise' })
    const client = await createHttpAdapter({ clock: systemClock, proxy }).connect(destination, context())
    const open = way === 'request' ? client.request('/') : undiciRequest(destination.url, { dispatcher: client.dispatcher })
    const outcome = open.catch((error: unknown) => error)
    const signal = await asked.promise
    await client[Symbol.asyncDispose]()
    expect(await outcome).toMatchObject({ code: 'ABORTED' })
    expect(signal.aborted).toBe(true)
  })
  it('do not wait for a connection longer than their signal, and the client ends the attempt', async () => {
    let signal: AbortSignal | undefined
    const client = await createHttpAdapter({ clock: systemClock }).connect(
      to('http://127.0.0.1:1'),
      context({
        dial: (_address, options) => {
          signal = options.signal
          return new Promise(() => {})
        },
      }),
    )
    await expect(client.request('/', { signal: AbortSignal.timeout(30) })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    expect(signal?.aborted).toBe(false)
    await client[Symbol.asyncDispose]()
    expect(signal?.aborted).toBe(true)
  })
})

describe('https', () => {
  const ca = createTestCa()
  const server = ca.issue({ subject: '/CN=localhost' })
  const open = () => createHttpBackend({ tls: server, answer: ({ target }) => ({ body: target }) })
  const connect = (
    url: string,
    tls: HttpAdapterOptions['tls'],
    properties = {},
    changes: Partial<ConnectContext> = {},
  ): Promise<HttpClient> =>
    createHttpAdapter({ clock: systemClock, ...(tls === undefined ? {} : { tls }) }).connect(to(url, properties), context(changes))

  it('verifies the target with Node’s authorities and those that are given', async () => {
    await using backend = await open()
    await using trusting = await connect(backend.url, { ca: [ca.certificate] })
    expect(await (await trusting.request('/x')).text()).toBe('/x')
    await using untrusting = await connect(backend.url, undefined)
    await expect(untrusting.request('/x')).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    await using other = await connect(backend.url, { ca: [createTestCa({ subject: '/CN=Other' }).certificate] })
    await expect(other.request('/x')).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
  })
  it('verifies the name, that of an option where the host is a virtual one', async () => {
    await using backend = await open()
    const virtual = (tls: HttpAdapterOptions['tls']): Promise<HttpClient> =>
      connect(
        'https://erp.virtual',
        tls,
        { ProxyType: 'OnPremise' },
        { dial: (_address, options) => createDirectDial()(backend.address, options) },
      )
    await using named = await virtual({ ca: [ca.certificate], servername: 'localhost' })
    expect((await named.request('/')).status).toBe(200)
    await using unnamed = await virtual({ ca: [ca.certificate] })
    await expect(unnamed.request('/')).rejects.toMatchObject({ code: 'BACKEND_UNTRUSTED' })
    await using address = await connect(`https://127.0.0.1:${backend.address.port}`, { ca: [ca.certificate] })
    expect((await address.request('/')).status).toBe(200)
  })
  it('looks at no certificate with TrustAll, and says so', async () => {
    await using backend = await open()
    const warnings: unknown[] = []
    const log = { ...silentLogger, warn: (fields: object, message: string) => void warnings.push({ ...fields, message }) }
    await using client = await connect(backend.url, undefined, { TrustAll: 'TRUE' }, { log })
    expect((await client.request('/')).status).toBe(200)
    expect(warnings).toEqual([{ destination: 'WEB', message: 'TrustAll is set, the certificate of the target is not verified' }])
  })
  it('presents a certificate', async () => {
    await using backend = await createHttpBackend({
      tls: { ...server, clientCa: ca.certificate },
      answer: ({ peer }) => ({ body: peer ?? 'nobody' }),
    })
    const own = ca.issue({ subject: '/CN=the-client' })
    await using client = await connect(backend.url, { ca: [ca.certificate], certificate: own.certificate, key: createSecret(own.key) })
    expect(await (await client.request('/')).text()).toBe('the-client')
    await using broken = await connect(backend.url, { certificate: 'no PEM', key: createSecret('no PEM') })
    await expect(broken.request('/')).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' })
  })
  it('works end to end through SOCKS5', async () => {
    await using backend = await open()
    await using socks = await createSocksServer({ token: 't.t.t', route: () => backend.address })
    const dial = createProxyDial({ kind: 'socks5', proxy: socks.address, token: async () => createSecret('t.t.t') })
    await using client = await connect(
      'https://erp.virtual:44300/base',
      { ca: [ca.certificate], servername: 'localhost' },
      { ProxyType: 'OnPremise', CloudConnectorLocationId: 'orlando' },
      { dial },
    )
    expect(await (await client.request('/x')).text()).toBe('/base/x')
    expect(socks.attempts).toMatchObject([{ host: 'erp.virtual', port: 44_300, locationId: 'orlando' }])
  })
  it.each([
    [
      'speaks no TLS',
      ({ stream }: { stream: NodeJS.WritableStream }) => void stream.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
      'PROTOCOL_VIOLATION',
    ],
    ['hangs up', ({ stream }: { stream: NodeJS.WritableStream }) => void stream.end(), 'BACKEND_UNREACHABLE'],
  ])('is told by a code when the target %s', async (_what, play, code) => {
    await using network = createSocketNetwork()
    const address = await network.serve((far) => {
      far.stream.on('end', () => far.stream.end())
      far.stream.once('data', () => play(far))
    })
    await using client = await connect(`https://127.0.0.1:${address.port}`, undefined)
    await expect(client.request('/')).rejects.toMatchObject({ code })
    await network.idle()
  })
  it('gives up on a handshake that does not end, within the time for connecting', async () => {
    await using network = createSocketNetwork()
    const address = await network.serve(({ stream }) => void stream.on('end', () => stream.end()).resume())
    const adapter = createHttpAdapter({ clock: systemClock, connectTimeoutMs: 40 })
    await using client = await adapter.connect(to(`https://127.0.0.1:${address.port}`), context())
    await expect(client.request('/')).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    await network.idle()
  })
})

describe('the dispatcher', () => {
  it('serves undici’s own fetch and request, with headers, queries and credentials of the destination', async () => {
    await using backend = await createHttpBackend({ answer: ({ target }) => ({ body: target }) })
    const destination = to(`${backend.url}/base`, { 'URL.headers.apikey': 'k', 'URL.queries.q': '1' })
    const credentials = { kind: 'basic', user: 'u', password: createSecret('p') } as const
    await using client = await createHttpAdapter({ clock: systemClock }).connect(destination, context({ credentials }))
    const fetched = await undiciFetch(`${backend.url}/base/a`, { dispatcher: client.dispatcher, headers: { 'x-own': '1' } })
    expect(await fetched.text()).toBe('/base/a?q=1')
    const { body } = await undiciRequest(`${backend.url}/base/b`, { dispatcher: client.dispatcher, method: 'POST', body: 'x' })
    expect(await body.text()).toBe('/base/b?q=1')
    for (const { headers } of backend.requests)
      expect(headers).toMatchObject({ apikey: 'k', authorization: `Basic ${btoa('u:p')}`, host: new URL(backend.url).host })
    expect(backend.requests[0]?.headers['x-own']).toBe('1')
  })
  it('sends to no other origin, and nothing once the client is closed', async () => {
    await using backend = await createHttpBackend({ answer: () => ({}) })
    await using other = await createHttpBackend({ answer: () => ({}) })
    const client = await createHttpAdapter({ clock: systemClock }).connect(to(backend.url), context())
    await expect(undiciRequest(other.url, { dispatcher: client.dispatcher })).rejects.toMatchObject({ code: 'MESSAGE_INVALID' })
    await expect(undiciFetch(other.url, { dispatcher: client.dispatcher })).rejects.toMatchObject({ cause: { code: 'MESSAGE_INVALID' } })
    await client[Symbol.asyncDispose]()
    await expect(undiciRequest(backend.url, { dispatcher: client.dispatcher })).rejects.toMatchObject({ code: 'ABORTED' })
    expect(other.requests).toHaveLength(0)
  })
})

describe('a ping', () => {
  it.each([200, 401, 404, 500])('takes %s for an answer', (status) =>
    ask({ status }, (client) => expect(client.ping(AbortSignal.timeout(5000))).resolves.toBeUndefined()),
  )
  it.each([
    [502, 'BACKEND_UNREACHABLE'],
    [503, 'SERVICE_UNAVAILABLE'],
    [504, 'BACKEND_TIMEOUT'],
  ])('takes %s for none', (status, code) =>
    ask({ status }, (client) => expect(client.ping(AbortSignal.timeout(5000))).rejects.toMatchObject({ code })),
  )
})

it('answers of a keep-alive connection that the backend closes do not fail the next request', async () => {
  await using network = createSocketNetwork()
  let connections = 0
  const address = await network.serve(({ stream }) => {
    connections++
    stream.on('data', () => stream.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  await using client = await createHttpAdapter({ clock: systemClock }).connect(to(`http://127.0.0.1:${address.port}`), context())
  for (let count = 0; count < 3; count++) {
    expect(await (await client.request('/')).text()).toBe('ok')
    await once(process, 'nothing', { signal: AbortSignal.timeout(5) }).catch(() => {})
  }
  expect(connections).toBe(3)
})
