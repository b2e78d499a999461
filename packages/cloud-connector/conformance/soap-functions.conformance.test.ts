import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench, until } from './connector-bench.ts'

const path = '/sap/bc/soap/rfc'
const envelope = (functionName: string, more = ''): string =>
  `<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><f:${functionName} xmlns:f="urn:sap-com:document:sap:rfc:functions">${more}</f:${functionName}></s:Body></s:Envelope>`

let server: Server
let bench: ConnectorBench
/** Bodies that have reached the backend. */
let bodies: Buffer[]
let connections: number
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})

async function start(fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
  bodies = []
  connections = 0
  server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request
      .on('data', (piece: Buffer) => pieces.push(piece))
      .on('end', () => {
        bodies.push(Buffer.concat(pieces))
        const bytes = /^\/sap\/bc\/soap\/wsdl\?(\d+)$/.exec(request.url ?? '')?.[1]
        response.end(bytes === undefined ? 'answer' : 'x'.repeat(Number(bytes)))
      })
  }).on('connection', () => (connections += 1))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const mapping = {
    virtual: 's4.demo:443',
    internal: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    resources: [{ path }, { path: '/sap/bc/soap/wsdl' }],
    soapFunctionFilter: true,
    functions: [{ name: 'STFC_CONNECTION' }, { name: '/ACME/', prefix: true }],
  }
  bench = await startConnectorBench({ wantsEvents: true, connector: { mappings: [{ ...mapping, ...fields }] } })
}

const post = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}): ReturnType<ConnectorBench['request']> =>
  bench.request({
    method: 'POST',
    path: `${path}?sap-client=100`,
    headers: { 'content-type': 'text/xml; charset=utf-8', ...headers },
    body,
  })

describe('SOAP requests of a mapping with soapFunctionFilter', () => {
  it('PR-112 reach the backend unchanged when their function is allowed, however they are framed and cut', async () => {
    await start()
    const large = envelope('_-ACME_-X', `<P>${'x'.repeat(300_000)}</P>`)
    for (const body of [envelope('STFC_CONNECTION'), envelope('RFC_PING'), large]) {
      expect((await post(body)).status).toBe(200)
      expect((await post(body, { 'transfer-encoding': 'chunked' })).status).toBe(200)
    }
    const stream = bench.connect()
    const text = envelope('STFC_CONNECTION')
    let answer = ''
    stream.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    for (const letter of `POST ${path} HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: ${text.length}\r\n\r\n${text}`) stream.write(letter)
    await until(() => answer.endsWith('answer'))
    stream.destroy()
    expect(bodies.map((body) => body.length)).toEqual([
      ...[envelope('STFC_CONNECTION'), envelope('RFC_PING'), large].flatMap(({ length }) => [length, length]),
      text.length,
    ])
    expect(bodies.at(4)?.toString()).toBe(large)
    expect(bodies.at(5)?.toString()).toBe(large)
  })

  it('PR-112 are denied when their function is not allowed, or when it cannot be told: nothing is connected to', async () => {
    await start()
    const denied = await post(envelope('Z_SECRET', '<P>parameter-value</P>'))
    expect([denied.status, denied.body.trim()]).toEqual([
      403,
      'Access denied for Z_SECRET on s4.demo:443. Expose the function module in your Cloud Connector in case it was a valid request.',
    ])
    const document = `<!DOCTYPE s:Envelope SYSTEM "http://evil.example/x">${envelope('STFC_CONNECTION')}`
    const unreadable = await post(document)
    expect([unreadable.status, unreadable.body]).toEqual([403, expect.stringContaining('document types are not accepted')])
    const others: readonly (readonly [string | Buffer, Readonly<Record<string, string>>])[] = [
      [envelope('stfc_connection'), {}],
      [envelope('STFC_CONNECTION_'), {}],
      [envelope('STFC_CONNECTION'), { 'content-encoding': 'gzip' }],
      [envelope('STFC_CONNECTION'), { 'content-type': 'text/xml; charset=utf-7' }],
      [`<!-- ${'x'.repeat(70_000)} -->${envelope('STFC_CONNECTION')}`, {}],
      [`<!-- ${'x'.repeat(70_000)} -->${envelope('STFC_CONNECTION')}`, { 'transfer-encoding': 'chunked' }],
      ['', {}],
      ['no envelope', {}],
    ]
    for (const [body, headers] of others) expect((await post(body, headers)).status, String(body).slice(0, 80)).toBe(403)
    expect((await bench.request({ path })).status).toBe(403)
    expect([bodies, connections]).toEqual([[], 0])
    expect(bench.audit.map(({ message }) => message).slice(0, 2)).toEqual([
      `Access denied to resource ${path} on system s4.demo:443: function Z_SECRET: no enabled function of the mapping admits it`,
      `Access denied to resource ${path} on system s4.demo:443: document types are not accepted`,
    ])
    expect(JSON.stringify([bench.audit, bench.logged])).not.toContain('parameter-value')
  })

  it('are decided one by one on a connection that goes on', async () => {
    await start()
    const agent = bench.keepAlive()
    for (const [name, status] of [
      ['STFC_CONNECTION', 200],
      ['Z_SECRET', 403],
      ['STFC_CONNECTION', 200],
    ] as const) {
      const headers = { 'content-type': 'text/xml' }
      expect((await bench.request({ method: 'POST', path, headers, body: envelope(name), agent })).status).toBe(status)
    }
    expect((await bench.request({ path: '/sap/bc/soap/wsdl', agent })).status).toBe(200)
    expect(bodies).toHaveLength(3)
  })

  it('are asked to go on when they wait for that', async () => {
    await start()
    const stream = bench.connect()
    let answer = ''
    stream.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    const text = envelope('STFC_CONNECTION')
    stream.write(`POST ${path} HTTP/1.1\r\nHost: s4.demo:443\r\nExpect: 100-continue\r\nContent-Length: ${text.length}\r\n\r\n`)
    await until(() => answer.startsWith('HTTP/1.1 100 Continue'))
    expect(connections).toBe(0)
    stream.write(text)
    await until(() => answer.endsWith('answer'))
    stream.destroy()
  })

  it('that break off leave nothing behind', async () => {
    await start()
    const stream = bench.connect()
    stream.end(`POST ${path} HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 1000\r\n\r\n<s:Envelope`)
    await expect(once(stream, 'close')).rejects.toMatchObject({ code: 'TUNNEL_LOST' })
    expect(bench.openStreams).toBe(0)
    expect(connections).toBe(0)
  })

  it('whose body breaks its framing are answered with 400, which arrives also where nobody reads at once', async () => {
    await start()
    const connection = bench.raw({ reads: false })
    const head = (method: string, target: string): string => `${method} ${target} HTTP/1.1\r\nHost: s4.demo:443\r\n`
    // The window of a stream is 256 KiB: the second answer does not fit into it any more, and what follows waits behind.
    for (const bytes of [260_000, 4_000]) connection.write(`${head('GET', `/sap/bc/soap/wsdl?${bytes}`)}\r\n`)
    connection.write(`${head('POST', path)}Content-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n<s:E\r\nno length\r\n`)
    connection.stream.end()
    await until(() => bench.events.filter(({ type }) => type === 'request-finished').length === 3)
    expect(connection.text).not.toContain('400 Bad Request')
    connection.read()
    await until(() => connection.closed !== undefined)
    expect(connection.closed).toEqual({ kind: 'finished' })
    const [, first = '', second = '', third = ''] = connection.text.split('HTTP/1.1 ')
    expect([first, second].map((answer) => answer.length - answer.indexOf('\r\n\r\n') - 4)).toEqual([260_000, 4_000])
    expect(third).toMatch(/^400 Bad Request\r\n.*\r\n\r\nThe request is not accepted: its body is malformed\n$/s)
    expect(bodies).toHaveLength(2)
  })

  it('PR-112 cannot be called past the filter by another way to write the path', async () => {
    await start()
    for (const written of [
      '/sap/bc/soap/./rfc',
      '/sap/bc/soap/x/../rfc',
      '/sap/bc/soap/%72fc',
      '/sap/bc/./soap/rfc',
      '/sap/bc/soap/rfc/x/..',
    ]) {
      const head = `POST ${written} HTTP/1.1\r\nHost: s4.demo:443\r\nConnection: close\r\nContent-Type: text/xml\r\n`
      const text = envelope('Z_SECRET')
      const stream = bench.connect()
      let answer = ''
      stream.on('data', (chunk: Buffer) => (answer += chunk.toString()))
      stream.on('error', () => {})
      stream.write(`${head}Content-Length: ${text.length}\r\n\r\n${text}`)
      await until(() => answer.includes('\r\n\r\n'))
      expect(answer, written).toMatch(/^HTTP\/1\.1 40[03]/)
      stream.destroy()
    }
    expect(connections).toBe(0)
  })

  it('are refused when the framing of a body is much longer than the body', async () => {
    await start()
    const stream = bench.connect()
    let answer = ''
    stream.on('data', (chunk: Buffer) => (answer += chunk.toString()))
    stream.on('error', () => {})
    stream.write(`POST ${path} HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Type: text/xml\r\nTransfer-Encoding: chunked\r\n\r\n`)
    const chunk = `1;${'x'.repeat(8000)}\r\n \r\n`
    for (let sent = 0; sent < 40; sent++) {
      stream.write(chunk)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => answer.includes('\r\n\r\n'))
    expect(answer).toMatch(/^HTTP\/1\.1 403/)
    expect(connections).toBe(0)
  })

  it('cannot be taken past the filter by other paths, which the configuration refuses', async () => {
    await start()
    const configured = (resources: unknown, more: Readonly<Record<string, unknown>> = {}): Promise<void> =>
      bench.configure({
        mappings: [{ virtual: 's4.demo:443', internal: 'http://127.0.0.1:1', resources, soapFunctionFilter: true, ...more }],
      })
    for (const other of [
      '/SAP/BC/SOAP/RFC',
      `${path}/`,
      '/sap/bc/soap%2Frfc',
      '/sap/bc//soap/rfc',
      '/sap/bc;x/soap/rfc',
      '/sap(bD1)/bc/soap/rfc',
      '/sap/bc/soap/%72fc',
    ])
      await expect(configured([{ path: other }]), other).rejects.toThrow(/resources\[0\]/)
    await expect(configured([{ path: '/', subPaths: true }])).rejects.toThrow(/admits single paths/)
    await expect(configured([{ path }], { soapFunctionFilter: false, functions: [{ name: 'A' }] })).rejects.toThrow(
      /only with soapFunctionFilter/,
    )
    await configured([{ path }, { path: '/sap/bc/soap/wsdl' }])
  })
})
