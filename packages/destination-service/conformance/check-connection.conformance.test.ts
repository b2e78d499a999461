import { createServer as createHttpServer, type IncomingMessage, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import type { ConnectionVerdict, DestinationRecord } from '@sallyport/admin-api'
import { createSecret } from '@sallyport/core'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { maxRunningChecksPerSubaccount } from '../src/limits.ts'
import { type ConnectionCheckerOptions, createConnectionChecker, createConnectivityProxyRoute } from '../src/index.ts'
import { type Answered, providerSubaccount, type RunningService, startService } from './running-service.ts'

const ca = createTestCa()
const identity = ca.issue({ subject: '/CN=target', names: ['localhost', '*.target.example'] })
const level = { subaccountId: providerSubaccount, instanceId: null }

let running: RunningService | undefined
let servers: (Server | TcpServer)[]
let requests: { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] }[]

beforeEach(() => {
  servers = []
  requests = []
})
afterEach(async () => {
  for (const server of servers) {
    if ('closeAllConnections' in server) server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await running?.close()
})

async function listen(server: Server | TcpServer): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

const answering =
  (handler: RequestListener): RequestListener =>
  (request, response) => {
    requests.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    handler(request, response)
  }
const http = (handler: RequestListener): Promise<number> => listen(createHttpServer(answering(handler)))
const https = (handler: RequestListener): Promise<number> =>
  listen(createHttpsServer({ cert: identity.certificate, key: identity.key }, answering(handler)))
const status =
  (code: number): RequestListener =>
  (_request, response) =>
    void response.writeHead(code).end()

async function check(properties: Readonly<Record<string, string>>, options: Partial<ConnectionCheckerOptions> = {}): Promise<Answered> {
  running = await startService({ connections: createConnectionChecker({ privateAddresses: 'allow', ...options }) })
  const stored = { Name: 'T', Type: 'HTTP', ...properties } as DestinationRecord
  await running.repository.create('destination', level, [{ name: 'T', properties: stored, sharedWithSubscriber: false }], {
    nowMs: 0,
    maxPerSubaccount: 10,
  })
  await running.repository.create(
    'certificate',
    level,
    [
      {
        name: 'ca.pem',
        properties: { Name: 'ca.pem', Type: 'CERTIFICATE', Content: Buffer.from(ca.certificate).toString('base64') },
        sharedWithSubscriber: false,
      },
    ],
    { nowMs: 0, maxPerSubaccount: 10 },
  )
  return running.administer('POST', '/subaccount/destinations/T/check', {
    token: running.personToken({ roles: ['Destination Configuration Viewer'] }),
  })
}
const verdict = async (...asked: Parameters<typeof check>): Promise<ConnectionVerdict> => {
  const answer = await check(...asked)
  expect(answer.status).toBe(200)
  return answer.json as ConnectionVerdict
}
const hopsOf = ({ hops }: ConnectionVerdict): readonly string[] => hops.map(({ hop, ok }) => `${hop} ${ok ? 'ok' : 'failed'}`)

describe('DS-136 a target on the Internet', () => {
  it.each([200, 204, 301, 400, 401, 403, 404, 499])('that answers with %i can be reached', async (code) => {
    const port = await http(status(code))
    const result = await verdict({ URL: `http://127.0.0.1:${port}/a?b=c`, ProxyType: 'Internet' })
    expect(result).toMatchObject({ successful: true, status: code })
    expect(hopsOf(result)).toEqual(['address ok', 'connect ok', 'backend ok'])
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /a?b=c'])
    for (const hop of result.hops) expect(hop.durationMs).toBeGreaterThanOrEqual(0)
  })

  it.each([500, 502, 503, 599])('that answers with %i cannot, and is asked with GET too', async (code) => {
    const port = await http(status(code))
    const result = await verdict({ URL: `http://127.0.0.1:${port}/` })
    expect(result).toMatchObject({ successful: false, status: code })
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  })

  it.each([
    ['405', status(405)],
    ['501', status(501)],
    ['a reset', (request: IncomingMessage) => void request.socket.resetAndDestroy()],
  ])('that answers HEAD with %s is asked with GET', async (_what, onHead) => {
    const port = await http((request, response) => {
      if (request.method === 'HEAD') onHead(request, response)
      else status(401)(request, response)
    })
    expect(await verdict({ URL: `http://127.0.0.1:${port}/` })).toMatchObject({ successful: true, status: 401 })
  })

  it('sends technical credentials with both, and no others', async () => {
    const port = await http(status(500))
    const basic = { Authentication: 'BasicAuthentication', User: 'u', Password: 'p:ä' }
    await verdict({ URL: `http://127.0.0.1:${port}/`, ...basic })
    const sent = `Basic ${Buffer.from('u:p:ä').toString('base64')}`
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([sent, sent])
    await running?.close()
    requests = []
    await verdict({ URL: `http://127.0.0.1:${port}/`, ...basic, Authentication: 'NoAuthentication' })
    expect(requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  it('follows no redirect', async () => {
    const port = await http((_request, response) => void response.writeHead(302, { location: '/other' }).end())
    expect(await verdict({ URL: `http://127.0.0.1:${port}/` })).toMatchObject({ successful: true, status: 302 })
    expect(requests).toHaveLength(1)
  })

  it.each([
    ['nobody listens', 'connect', /127\.0\.0\.1:\d+ refuses connections/],
    ['the name does not exist', 'address', /target\.example:\d+ has no address: DNS does not know the name/],
  ])('fails when %s', async (what, hop, message) => {
    const gone = createTcpServer()
    const port = await listen(gone)
    await new Promise((resolve) => gone.close(resolve))
    servers = []
    const unknown = { resolve: () => Promise.reject(Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' })) }
    const host = hop === 'address' ? 'target.example' : '127.0.0.1'
    const result = await verdict({ URL: `http://${host}:${port}/` }, what === 'nobody listens' ? {} : unknown)
    expect(result.successful).toBe(false)
    expect(result.message).toMatch(message)
    expect(hopsOf(result).at(-1)).toBe(`${hop} failed`)
    expect(result).not.toHaveProperty('status')
  })

  it('fails when the target takes too long in all', async () => {
    const port = await http(() => {})
    const result = await verdict({ URL: `http://127.0.0.1:${port}/` }, { timeoutMs: 200 })
    expect(result.message).toMatch(/did not answer in time/)
    expect(hopsOf(result)).toEqual(['address ok', 'connect ok', 'backend failed'])
    expect(requests.map(({ method }) => method)).toEqual(['HEAD'])
  })

  it('fails when the target wants to speak another protocol than HTTP', async () => {
    const port = await listen(
      createTcpServer((socket) => {
        socket.on('error', () => socket.destroy())
        socket.once('data', () => socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n'))
      }),
    )
    expect((await check({ URL: `http://localhost:${port}` }, { timeoutMs: 500 })).json).toMatchObject({ successful: false })
  })

  it('fails when the target does not speak HTTP', async () => {
    const port = await listen(
      createTcpServer((socket) =>
        socket
          .resume()
          .end('SSH-2.0-x\r\n')
          .on('error', () => {}),
      ),
    )
    const result = await verdict({ URL: `http://127.0.0.1:${port}/` })
    expect(result.message).toMatch(/does not answer with HTTP \(HPE_/)
  })

  it('is not looked at in private networks of the service', async () => {
    const port = await http(status(200))
    const result = await verdict({ URL: `http://localhost:${port}/` }, { privateAddresses: 'refuse' })
    expect(result.message).toMatch(/private or reserved address/)
    expect(hopsOf(result)).toEqual(['address failed'])
    expect(requests).toEqual([])
  })
})

describe('TLS settings of a destination on the Internet', () => {
  const resolve = (): Promise<{ address: string; family: 4 }[]> => Promise.resolve([{ address: '127.0.0.1', family: 4 }])
  it.each([
    [
      'nothing',
      {},
      'localhost',
      'tls failed',
      /not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); name its authority with TrustStoreLocation/,
    ],
    ['TrustStoreLocation', { TrustStoreLocation: 'ca.pem' }, 'localhost', 'backend ok', /status 200/],
    ['TrustAll', { TrustAll: 'TRUE' }, 'localhost', 'backend ok', /status 200/],
    [
      'a trust store that is missing',
      { TrustStoreLocation: 'none.pem' },
      'localhost',
      'tls failed',
      /"none.pem" of the property TrustStoreLocation was not found/,
    ],
    [
      'another host name',
      { TrustStoreLocation: 'ca.pem' },
      'elsewhere.example',
      'tls failed',
      /certificate for another host name; see HostnameVerifier/,
    ],
    ['a deeper host name', { TrustStoreLocation: 'ca.pem' }, 'a.b.target.example', 'tls failed', /certificate for another host name/],
    [
      'BrowserCompatible',
      { TrustStoreLocation: 'ca.pem', HostnameVerifier: 'BrowserCompatible' },
      'a.b.target.example',
      'backend ok',
      /status 200/,
    ],
  ])('%s', async (_what, properties, host, last, message) => {
    const port = await https(status(200))
    const result = await verdict({ URL: `https://${host}:${port}/`, ...properties }, { resolve })
    expect(result.message).toMatch(message)
    expect(hopsOf(result)).toEqual(['address ok', 'connect ok', ...(last.startsWith('tls') ? [] : ['tls ok']), last])
  })

  it('hold for the second request too', async () => {
    const port = await https((request, response) => status(request.method === 'HEAD' ? 405 : 200)(request, response))
    expect(await verdict({ URL: `https://localhost:${port}/`, TrustStoreLocation: 'ca.pem' })).toMatchObject({
      successful: true,
      status: 200,
    })
  })

  it('say so when there is no TLS at all', async () => {
    const port = await http(status(200))
    const result = await verdict({ URL: `https://localhost:${port}/` })
    expect(result.message).toMatch(/no common form of TLS/)
  })
})

describe('an on-premise target, seen from the connectivity proxy', () => {
  const onPremise = (port: number) => ({
    onPremise: createConnectivityProxyRoute({
      proxyOrigin: `http://127.0.0.1:${port}`,
      tokens: { get: (subaccount) => Promise.resolve(createSecret(`token-of-${subaccount}`)), forget: () => {} },
    }),
  })
  const target = { URL: 'https://erp.virtual:44300/sap/ping?x=y', ProxyType: 'OnPremise', CloudConnectorLocationId: 'loc' }
  const refusing =
    (code: number, origin: string, text: string): RequestListener =>
    (_request, response) =>
      void response.writeHead(code, { 'x-connectivity-error-origin': origin }).end(`${text}\n`)

  it('is asked for in absolute form, with the token of the subaccount and the location', async () => {
    const port = await http(status(404))
    const result = await verdict({ ...target, Authentication: 'BasicAuthentication', User: 'u', Password: 'p' }, onPremise(port))
    expect(result).toMatchObject({ successful: true, status: 404 })
    expect(hopsOf(result)).toEqual(['proxy ok', 'backend ok'])
    expect(requests).toEqual([
      {
        method: 'HEAD',
        url: 'http://erp.virtual:44300/sap/ping?x=y',
        headers: expect.objectContaining({
          host: 'erp.virtual:44300',
          authorization: 'Basic dTpw',
          'proxy-authorization': `Bearer token-of-${providerSubaccount}`,
          'sap-connectivity-scc-location_id': 'loc',
        }) as unknown,
      },
    ])
  })

  it.each([
    ['no connector', refusing(503, 'proxy', 'There is no SAP Cloud Connector'), 'Backend status could not be determined.', 'connector'],
    ['a refused token', refusing(407, 'proxy', 'Proxy authorization failed'), 'Backend status could not be determined.', 'proxy'],
    ['an error of the backend', status(500), 'Backend status could not be determined.', 'backend'],
    ['an error of the connector', refusing(500, 'connector', 'failed'), 'Backend status could not be determined.', 'connector'],
    [
      'a host without mapping',
      refusing(403, 'connector', 'Access denied to system erp.virtual:44300. In case …'),
      'Backend is not available in the list of defined system mappings in Cloud Connector.',
      'connector',
    ],
    [
      'a path that is not exposed',
      refusing(403, 'connector', 'Access denied to resource /sap/ping on system …'),
      'Resource is not accessible in Cloud Connector or backend is not reachable.',
      'connector',
    ],
    [
      'a backend that is down',
      refusing(502, 'connector', 'Unable to open connection'),
      'Backend is not reachable from Cloud Connector.',
      'backend',
    ],
    ['a backend that is silent', refusing(504, 'connector', 'Timed out'), 'Backend is not reachable from Cloud Connector.', 'backend'],
  ])('%s', async (_what, handler, message, hop) => {
    const result = await verdict(target, onPremise(await http(handler)))
    expect(result).toMatchObject({ successful: false, message })
    expect(hopsOf(result)).toEqual(['proxy ok', `${hop} failed`])
    expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  })

  it('403 of the backend itself is an answer', async () => {
    const port = await http(status(403))
    expect(await verdict(target, onPremise(port))).toMatchObject({ successful: true, status: 403 })
  })

  it.each([
    ['there is no proxy', {}, /no connectivity proxy is set up/],
    ['the proxy is down', onPremise(1), /the connectivity proxy refuses connections/],
    [
      'the proxy gives no token',
      {
        onPremise: createConnectivityProxyRoute({
          proxyOrigin: 'http://127.0.0.1:1',
          tokens: { get: () => Promise.reject(new Error('secret')), forget: () => {} },
        }),
      },
      /^the connectivity proxy cannot be reached/,
    ],
  ])('cannot be determined when %s', async (_what, options, detail) => {
    const result = await verdict(target, options)
    expect(result).toMatchObject({ successful: false, message: 'Backend status could not be determined.' })
    expect(result.hops).toMatchObject([{ hop: 'proxy', ok: false, detail: expect.stringMatching(detail) as string }])
    expect(JSON.stringify(result)).not.toContain('secret')
  })

  it('a proxy that is silent cannot hold the check', async () => {
    const port = await http(() => {})
    const result = await verdict(target, { ...onPremise(port), timeoutMs: 200 })
    expect(hopsOf(result)).toEqual(['proxy ok', 'proxy failed'])
  })
})

it('one subaccount cannot have all the places for checks: who comes too late is told so, and others are not kept waiting', async () => {
  const silent = await http(() => {})
  const there = await http(status(200))
  const checker = createConnectionChecker({ privateAddresses: 'allow' })
  const checked = (subaccountId: string, port: number): Promise<ConnectionVerdict> =>
    checker.check({
      configuration: { Name: 'T', Type: 'HTTP', URL: `http://127.0.0.1:${port}/` },
      level: { subaccountId, instanceId: null },
      references: {
        certificate: () => Promise.resolve(undefined),
        destination: () => Promise.resolve(undefined),
        signingKey: () => Promise.resolve(undefined),
      },
    })
  const waiting = Array.from({ length: maxRunningChecksPerSubaccount }, () => checked('a', silent))
  await expect(checked('a', there)).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    message: 'Too many connections are being checked',
  })
  expect(await checked('b', there)).toMatchObject({ successful: true })
  for (const server of servers) {
    // Nobody connects again for the second try.
    server.close()
    if ('closeAllConnections' in server) server.closeAllConnections()
  }
  for (const one of await Promise.all(waiting)) expect(one.successful).toBe(false)
  servers = []
  running = undefined
})

it.each([
  ['another type', { Type: 'RFC' }, /Only destinations of the type HTTP can be checked, not RFC/],
  ['PrivateLink', { URL: 'http://x', ProxyType: 'PrivateLink' }, /not PrivateLink/],
  ['no URL', { URL: '' }, /not an absolute http or https URL/],
  ['another scheme', { URL: 'ftp://x' }, /not an absolute http or https URL/],
])('a check of %s is refused', async (_what, properties, message) => {
  const answer = await check(properties)
  expect(answer.status).toBe(400)
  expect((answer.json as { readonly ErrorMessage: string }).ErrorMessage).toMatch(message)
})
