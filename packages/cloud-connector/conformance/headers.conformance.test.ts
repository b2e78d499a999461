import { createHttpBackend, type HttpAnswer, type HttpBackend } from '@sallyport/test-fixtures'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench } from './connector-bench.ts'

let backend: HttpBackend
let bench: ConnectorBench
let answer: HttpAnswer
beforeEach(async () => {
  answer = {}
  backend = await createHttpBackend({ answer: () => answer })
})
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})
const start = async (mapping: Readonly<Record<string, unknown>> = {}, connector: Readonly<Record<string, unknown>> = {}): Promise<void> => {
  bench = await startConnectorBench({ connector: { ...connector, mappings: [mappingTo(backend.url, mapping)] } })
}
const seen = (): HttpBackend['requests'][number] => backend.requests.at(-1) as HttpBackend['requests'][number]

describe('request headers', () => {
  it('CC-090 hostInHeader VIRTUAL sends the virtual host and no X-Forwarded-Host', async () => {
    await start()
    await bench.request({})
    expect(seen().headers.host).toBe('s4.demo:443')
    expect(seen().headers['x-forwarded-host']).toBeUndefined()
  })

  it.each(['INTERNAL', 'internal'])(
    'CC-090 CC-053 hostInHeader %s sends the internal host and adds X-Forwarded-Host',
    async (hostInHeader) => {
      await start({ hostInHeader })
      await bench.request({ headers: { 'X-Forwarded-Host': 'spoofed' } })
      expect(seen().headers.host).toBe(`127.0.0.1:${backend.address.port}`)
      expect(seen().headers['x-forwarded-host']).toBe('s4.demo:443')
    },
  )

  it('does not let an application choose another virtual host of the backend', async () => {
    await start()
    await bench.request({ headers: { host: 'admin.internal' } })
    expect(seen().headers.host).toBe('s4.demo:443')
    await bench.request({ headers: { host: 'S4.demo' } })
    expect(seen().headers.host).toBe('S4.demo')
  })

  it('CC-093 application headers survive unchanged in both directions', async () => {
    await start()
    answer = {
      headers: { 'X-Mixed-Case': 'Value,  with  blanks', 'Set-Cookie': ['a=1; Path=/', 'b=2'], 'x-connectivity-like': '1' },
      body: 'x',
    }
    const got = await bench.request({
      headers: {
        'X-Mixed-Case': 'a,  b',
        accept: '*/*',
        'x-sap-connectivity': 'kept',
        Cookie: 'c=d',
        TE: 'trailers',
        'X-Multi': ['1', '2'],
      },
    })
    const raw = (name: string, list: readonly string[]): readonly string[] => list.filter((_, at) => at % 2 === 1 && list[at - 1] === name)
    expect(raw('X-Mixed-Case', seen().rawHeaders)).toEqual(['a,  b'])
    expect(raw('X-Multi', seen().rawHeaders)).toEqual(['1', '2'])
    expect(seen().headers).toMatchObject({ accept: '*/*', 'x-sap-connectivity': 'kept', cookie: 'c=d', te: 'trailers' })
    expect(raw('X-Mixed-Case', got.rawHeaders)).toEqual(['Value,  with  blanks'])
    expect(got.headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2'])
    expect(got.headers['x-connectivity-like']).toBe('1')
  })

  it('CC-094 PP-009 connectivity headers do not reach the backend in any spelling', async () => {
    await start()
    await bench.request({
      headers: {
        'SAP-Connectivity-Authentication': 'Bearer a',
        'SAP-Connectivity-Technical-Authentication': 'Bearer b',
        'SAP-Connectivity-ConsumerAccount': 'c',
        'SAP-Connectivity-SCC-Location_ID': 'd',
        SAP_Connectivity_Authentication: 'Bearer e',
        'Proxy-Authorization': 'Bearer f',
        'SAP-CP-Connectivity-Service-Token': 'g',
        kept: 'yes',
      },
    })
    expect(Object.keys(seen().headers).filter((name) => /connectivity|proxy/.test(name))).toEqual([])
    expect(seen().headers['kept']).toBe('yes')
  })

  it('PP-010 Authorization of the application reaches the backend unchanged', async () => {
    await start()
    await bench.request({ headers: { authorization: 'Basic amFuZTpzZWNyZXQ=' } })
    expect(seen().headers.authorization).toBe('Basic amFuZTpzZWNyZXQ=')
  })

  it.each([
    'SSL_CLIENT_CERT',
    'ssl_client_cert',
    'SSL-CLIENT-CERT',
    'Ssl-Client_Cert',
    'SSL_CLIENT_CERT_CHAIN_1',
    'ssl.client.cert',
    'SSL_CLIENT_CERTIFICATE',
  ])('PP-038 the header %s of an application never reaches the backend', async (name) => {
    await start()
    const { status } = await bench.request({ headers: { [name]: 'forged', 'SSL_CLIENT-X': 'kept' } })
    expect(status).toBe(200)
    expect(seen().rawHeaders.join('\n')).not.toContain('forged')
    expect(seen().rawHeaders).toContain('SSL_CLIENT-X')
  })

  it('refuses Connection options that would take away what the connector says', async () => {
    await start()
    for (const option of ['SSL_CLIENT_CERT', 'ssl-client-cert', 'X-Forwarded-Host']) {
      expect((await bench.request({ headers: { connection: `keep-alive, ${option}` } })).status, option).toBe(400)
    }
    expect(backend.requests).toEqual([])
  })

  it('PP-038 refuses the header behind a chunked body as well', async () => {
    await start()
    const socket = bench.connect()
    socket.write('POST / HTTP/1.1\r\nHost: s4.demo:443\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nSSL_CLIENT_CERT: forged\r\n\r\n')
    let text = ''
    for await (const chunk of socket as AsyncIterable<Buffer>) text += chunk.toString('latin1')
    expect(text).toMatch(/^HTTP\/1\.1 400 /)
    expect(backend.requests).toEqual([])
  })
})

describe('response headers', () => {
  const mapped = (): Readonly<Record<string, unknown>> => ({
    mappings: [
      mappingTo(backend.url),
      { virtual: 'first.demo:8080', internal: 'https://app.internal:44300', resources: [] },
      { virtual: 'second.demo:80', internal: 'https://APP.internal:44300', resources: [] },
      { virtual: 'plain.demo:80', internal: 'http://web.internal', resources: [] },
    ],
  })
  it.each([
    ['https://App.INTERNAL:44300/x?y#z', 'http://first.demo:8080/x?y#z'],
    ['http://web.internal/', 'http://plain.demo/'],
    ['HTTP://web.internal:80', 'http://plain.demo'],
    ['//web.internal/a', '//plain.demo/a'],
  ])('CC-091 rewrites a redirect to %s into %s', async (location, expected) => {
    bench = await startConnectorBench({ connector: mapped() })
    answer = { status: 302, headers: { Location: location } }
    expect((await bench.request({})).headers.location).toBe(expected)
  })

  it.each([
    'https://elsewhere.example/x',
    'https://app.internal/x',
    'http://app.internal.evil:44300/',
    '/relative?to=https://app.internal:44300/',
    'https://user@app.internal:44300/',
  ])('CC-092 leaves a redirect to %s alone', async (location) => {
    bench = await startConnectorBench({ connector: mapped() })
    answer = { status: 302, headers: { Location: location } }
    expect((await bench.request({})).headers.location).toBe(location)
  })

  it('leaves Location alone in answers that are no redirects', async () => {
    bench = await startConnectorBench({ connector: mapped() })
    answer = { status: 201, headers: { Location: 'http://web.internal/new' } }
    expect((await bench.request({})).headers.location).toBe('http://web.internal/new')
  })

  it.each([
    ['a=1; Domain=intranet.corp; Path=/', 'a=1; Domain=cloud.example; Path=/'],
    ['a=1; path=/; domain=INTRANET.corp', 'a=1; path=/; domain=cloud.example'],
    ['a=1; Domain=web.internal', 'a=1; Domain=plain.demo'],
    ['a=1; Domain=other.example', 'a=1; Domain=other.example'],
    ['a=Domain=intranet.corp', 'a=Domain=intranet.corp'],
    ['a=1', 'a=1'],
  ])('CC-079 turns the cookie "%s" into "%s"', async (cookie, expected) => {
    bench = await startConnectorBench({
      connector: { ...mapped(), cookieDomains: [{ virtual: 'cloud.example', internal: '.intranet.corp' }] },
    })
    answer = { headers: { 'Set-Cookie': [cookie] } }
    expect((await bench.request({})).headers['set-cookie']).toEqual([expected])
  })

  it('CC-080 tolerates a leading dot and keeps it', async () => {
    bench = await startConnectorBench({
      connector: { ...mapped(), cookieDomains: [{ virtual: 'cloud.example', internal: 'intranet.corp' }] },
    })
    answer = { headers: { 'Set-Cookie': ['a=1; Domain=.intranet.corp; Secure', 'b=2; Domain=.web.internal'] } }
    expect((await bench.request({})).headers['set-cookie']).toEqual(['a=1; Domain=.cloud.example; Secure', 'b=2; Domain=.plain.demo'])
  })
})
