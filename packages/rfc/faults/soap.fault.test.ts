import { createServer, type Server, type ServerResponse } from 'node:http'
import { createSecret, type HttpDestination, parseDestination, type Principal, systemClock } from '@sallyport/core'
import { createHttpAdapter } from '@sallyport/http'
import { createForwardProxy, createSoapNode, listen } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { connectHttp, connectSoap, type SoapClientOptions } from '../conformance/soap-client.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

/** A server that describes STFC_CONNECTION and answers calls as the test says. */
async function serve(answer: (response: ServerResponse) => void): Promise<{ readonly url: string; readonly calls: () => number }> {
  let calls = 0
  await using node = await createSoapNode()
  const authorization = `Basic ${Buffer.from('DEVELOPER:secret').toString('base64')}`
  const wsdl = await (
    await fetch(`${node.url}/sap/bc/soap/wsdl?services=STFC_CONNECTION&sap-client=001`, { headers: { authorization } })
  ).text()
  const server = createServer((request, response) => {
    if (request.method === 'GET') response.end(wsdl)
    else {
      calls += 1
      request.resume()
      request.on('end', () => answer(response))
    }
  })
  servers.push(server)
  const { port } = await listen(server)
  return { url: `http://127.0.0.1:${port}`, calls: () => calls }
}

const ok = (response: ServerResponse, body: string): void => void response.setHeader('content-type', 'text/xml; charset=utf-8').end(body)
const envelope = (content: string): string =>
  `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${content}</e:Body></e:Envelope>`
const reply = (content: string): string =>
  envelope(`<r:STFC_CONNECTION.Response xmlns:r="urn:sap-com:document:sap:rfc:functions">${content}</r:STFC_CONNECTION.Response>`)

describe('SOAP at a system that fails', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['closes before it answers', (response) => response.socket?.end()],
    ['resets before it answers', (response) => response.socket?.resetAndDestroy()],
    [
      'closes in the middle of its answer',
      (response) => void response.writeHead(200, { 'content-length': '500' }).write('<', () => response.socket?.destroy()),
    ],
    ['answers 503', (response) => response.writeHead(503).end('try again')],
  ])('PR-069 sends a call once when the system %s', async (_what, answer) => {
    const { url, calls } = await serve(answer)
    await using client = await connectSoap(url, { properties: { 'jco.destination.pool_check_connection': '1' } })
    await expect(client.call('STFC_CONNECTION', { REQUTEXT: 'once' })).rejects.toMatchObject({
      code: 'BACKEND_UNREACHABLE',
      details: { group: 'COMMUNICATION', requestSent: true },
    })
    expect(calls()).toBe(1)
  })

  it.each<[string, string, string]>([
    ['a document type', `<!DOCTYPE e [<!ENTITY x "y">]>${reply('<ECHOTEXT>&x;</ECHOTEXT>')}`, 'document type'],
    ['an external entity', `<!DOCTYPE e SYSTEM "file:///etc/passwd">${reply('')}`, 'document type'],
    ['unknown entities', reply('<ECHOTEXT>&x;</ECHOTEXT>'), 'not well-formed'],
    ['a hundred levels', reply(`${'<a>'.repeat(100)}${'</a>'.repeat(100)}`), 'deeper than 64'],
    ['two million elements', reply('<a/>'.repeat(2_000_001)), 'more than 2000000 elements'],
    ['the answer to another call', envelope('<r:RFC_PING.Response xmlns:r="urn:sap-com:document:sap:rfc:functions"/>'), 'another call'],
    ['a reply outside its namespace', envelope('<STFC_CONNECTION.Response/>'), 'another call'],
    ['half a document', reply('').slice(0, -20), 'not well-formed'],
  ])('takes no %s', async (_what, body, said) => {
    const { url } = await serve((response) => ok(response, body))
    await using client = await connectSoap(url)
    await expect(client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).rejects.toMatchObject({
      code: 'PROTOCOL_VIOLATION',
      message: expect.stringContaining(said),
      details: { group: 'COMMUNICATION' },
    })
  })

  it('reads no more of an answer than its limit', async () => {
    let sent = 0
    const piece = Buffer.alloc(1024 * 1024, 'a')
    const { url } = await serve((response) => {
      response.writeHead(200, { 'content-type': 'text/xml' })
      const more = (): void => {
        while (!response.destroyed) {
          sent += 1
          if (!response.write(piece)) break
        }
      }
      response.on('drain', more)
      more()
    })
    await using client = await connectSoap(url)
    await expect(client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).rejects.toMatchObject({
      code: 'PROTOCOL_VIOLATION',
      message: expect.stringContaining('notRequested'),
    })
    expect(sent).toBeLessThan(100)
  })

  it('answers a value that does not fit its type with a conversion error, and goes on', async () => {
    const bodies = [reply('<ECHOTEXT><item>structure</item></ECHOTEXT>'), reply('<ECHOTEXT>fine</ECHOTEXT>')]
    const { url } = await serve((response) => ok(response, bodies.shift() ?? ''))
    await using client = await connectSoap(url)
    await expect(client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).rejects.toMatchObject({
      details: { group: 'CONVERSION', requestSent: true },
    })
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ ECHOTEXT: 'fine' })
  })

  it.each<[number, string]>([
    [403, 'ACCESS_DENIED'],
    [404, 'SERVICE_UNAVAILABLE'],
    [500, 'SERVICE_UNAVAILABLE'],
  ])('takes a %i of the way for a WSDL as no word of the system, and asks again', async (status, code) => {
    let isOpen = false
    await using node = await createSoapNode({
      script: ({ method }) =>
        method === 'GET' && !isOpen
          ? { status, headers: { 'x-connectivity-error-origin': 'cloud-connector' }, body: 'not this path' }
          : undefined,
    })
    await using client = await connectSoap(node.url)
    await expect(client.call('Z_VOLUME', { ROWS_BACK: 1 })).rejects.toMatchObject({
      code,
      message: expect.stringContaining(`HTTP status ${status} on the way: not this path`),
      details: { group: 'COMMUNICATION' },
    })
    expect(node.calls).toHaveLength(0)
    isOpen = true
    expect(await client.call('Z_VOLUME', { ROWS_BACK: 1 })).toEqual({ ROWS_SEEN: 0, ROWS: [{ WA: 'row 0' }] })
  })

  it('lets no more calls out than peak_limit', async () => {
    const waiting: ServerResponse[] = []
    const { url, calls } = await serve((response) => void waiting.push(response))
    await using client = await connectSoap(url, { properties: { 'jco.destination.pool_capacity': '2' } })
    const three = [1, 2, 3].map(() => client.call('STFC_CONNECTION', { REQUTEXT: 'x' }))
    await expect.poll(calls).toBe(2)
    for (const response of waiting.splice(0)) ok(response, reply(''))
    await expect.poll(calls).toBe(3)
    for (const response of waiting.splice(0)) ok(response, reply(''))
    expect(await Promise.all(three)).toHaveLength(3)
  })
})

describe('SOAP on behalf of a principal', () => {
  const principal: Principal = { kind: 'business', token: createSecret('user.token.signature') }
  const proxyToken = 'proxy.token.signature'

  it('PR-111 brings the principal to the HTTP transport, and refuses sessions', async () => {
    await using node = await createSoapNode({
      userOf: ({ headers }) => (headers['x-test-principal'] === 'Bearer user.token.signature' ? 'JANE' : undefined),
    })
    await using proxy = await createForwardProxy({
      tokens: [proxyToken],
      route: (host) => (host === 'erp.virtual' ? node.address : 403),
    })
    const http = createHttpAdapter({
      clock: systemClock,
      proxy: { address: proxy.address, tenant: 'acme', token: async () => createSecret(proxyToken) },
    })
    const properties = {
      Name: 'ERP_HTTP',
      Type: 'HTTP',
      URL: 'http://erp.virtual:8000',
      ProxyType: 'OnPremise',
      Authentication: 'PrincipalPropagation',
    }
    const names: string[] = []
    await using client = await connectSoap('ERP_HTTP', {
      properties: { 'jco.destination.auth_type': 'PrincipalPropagation' },
      credentials: { kind: 'principal' },
      principal,
      binding: {
        connectHttp: async (name, context) => {
          names.push(name)
          return http.connect(parseDestination(properties) as HttpDestination, context)
        },
      },
    })
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'as Jane' })).toMatchObject({
      ECHOTEXT: 'as Jane',
      RESPTEXT: expect.stringContaining('User: JANE'),
    })
    expect(names).toEqual(['ERP_HTTP'])
    expect(node.calls).toMatchObject([{ user: 'JANE', client: '001' }])
    expect(node.requests.every(({ headers }) => headers.authorization === undefined)).toBe(true)
    const before = node.requests.length
    await expect(client.withSession(async (session) => session.call('STFC_CONNECTION'))).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
    })
    expect(node.requests).toHaveLength(before)
  })

  it('brings the token of a technical user to it, another one for each request if need be, and none where there is none', async () => {
    const properties = {
      'jco.destination.auth_type': 'TechnicalUserPropagation',
      'jco.client.tech_user_id': 'app',
      'jco.client.tech_user_secret': 'app-secret',
      'jco.client.tech_user_service_url': 'https://tokens.example',
    }
    const seen: unknown[] = []
    let served = 0
    let closed = 0
    await using node = await createSoapNode({ userOf: () => 'APP' })
    const binding: SoapClientOptions['binding'] = {
      async connectHttp(name, context) {
        const client = await connectHttp(name, { ...context, credentials: { kind: 'none' } })
        return {
          request(path, options) {
            seen.push([options.principal?.kind, options.principal?.token.reveal()])
            return client.request(path, options)
          },
          [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
        }
      },
      technicalPrincipal: ({ clientId, clientSecret, tokenUrl }) => ({
        get: async () => ({ kind: 'technical', token: createSecret(`${clientId} ${clientSecret.reveal()} ${tokenUrl.href} ${++served}`) }),
        async [Symbol.asyncDispose]() {
          closed += 1
        },
      }),
    }
    const client = await connectSoap(node.url, { properties, credentials: { kind: 'principal' }, binding })
    expect(await client.call('STFC_CONNECTION', { REQUTEXT: 'x' })).toMatchObject({ RESPTEXT: expect.stringContaining('User: APP') })
    expect(seen).toEqual([1, 2].map((at) => ['technical', `app app-secret https://tokens.example/oauth/token ${at}`]))
    await client[Symbol.asyncDispose]()
    expect(closed).toBe(1)
    await expect(connectSoap(node.url, { properties, credentials: { kind: 'principal' } })).rejects.toMatchObject({
      code: 'DESTINATION_INVALID',
    })
  })
})
