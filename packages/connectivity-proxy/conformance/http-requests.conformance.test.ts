import { lookup } from 'node:dns'
import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { syncBuiltinESMExports } from 'node:module'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type HttpBackend, startHttpBackend, startRawBackend } from './backends.ts'
import { openRawClient, readAnswer } from '@sallyport/conformance/cases'
import { type Rig, type RigConnector, startRig } from './rig.ts'

let rig: Rig
let backend: HttpBackend
let connector: RigConnector

beforeAll(async () => {
  backend = await startHttpBackend()
  rig = await startRig()
  connector = await rig.connect({ mappings: { 'erp.demo:8000': backend.port, 'erp.demo:80': backend.port, 'under_score:1': backend.port } })
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

/** A request with a fresh token; `lines` follow the obligatory headers. */
function head(requestLine: string, lines: readonly string[] = [], host = 'erp.demo:8000'): string {
  return [requestLine, `Host: ${host}`, `Proxy-Authorization: ${rig.bearer()}`, ...lines, '', ''].join('\r\n')
}

async function send(text: string): Promise<{ head: string; status: number; body: string }> {
  await using client = await openRawClient(rig.http)
  client.write(text)
  return await readAnswer(client)
}

function lastSeen() {
  const seen = backend.requests.at(-1)
  if (seen === undefined) throw new Error('the backend has seen nothing')
  return seen
}

describe('request forms', () => {
  it('CP-015 an absolute-form https request gets 405', async () => {
    const answer = await send(head('GET https://erp.demo:8000/ HTTP/1.1'))
    expect(answer.status).toBe(405)
    expect(answer.body).toContain('HTTPS is not supported')
    expect(answer.head).toMatch(/^content-type: text\/plain; charset=utf-8\r$/im)
    expect(answer.head).toMatch(/^x-connectivity-error-origin: proxy\r$/im)
    expect(answer.head).toMatch(/^x-request-id: .+\r$/im)
  })

  it('CP-016 CONNECT gets 405 and the connection stays usable', async () => {
    await using client = await openRawClient(rig.http)
    client.write('CONNECT erp.demo:443 HTTP/1.1\r\nHost: erp.demo:443\r\n\r\n')
    const refused = await readAnswer(client)
    expect(refused.status).toBe(405)
    expect(refused.head).toMatch(/^allow: /im)
    client.write(head('GET http://erp.demo:8000/after HTTP/1.1'))
    expect((await readAnswer(client)).status).toBe(200)
  })

  it('routes OPTIONS * by its Host, and gives an absolute OPTIONS without path its asterisk back', async () => {
    expect((await send(head('OPTIONS * HTTP/1.1'))).status).toBe(200)
    expect(lastSeen()).toMatchObject({ method: 'OPTIONS', url: '*' })
    await send(head('OPTIONS http://erp.demo:8000 HTTP/1.1'))
    expect(lastSeen()).toMatchObject({ method: 'OPTIONS', url: '*' })
  })

  it('CP-018 a virtual host needs no DNS entry, and none is looked up', async () => {
    const found = await new Promise<boolean>((resolve) => lookup('erp.demo', (error) => resolve(error === null)))
    expect(found).toBe(false)
    const dns = await import('node:dns')
    const asked = vi.spyOn(dns.default, 'lookup')
    const promised = vi.spyOn(dns.default.promises, 'lookup')
    // Named imports elsewhere follow only now.
    syncBuiltinESMExports()
    expect((await send(head('GET http://erp.demo:8000/ HTTP/1.1'))).status).toBe(200)
    const names = [...asked.mock.calls, ...promised.mock.calls].map(([name]) => name)
    expect(names.filter((name) => name !== '127.0.0.1')).toEqual([])
    vi.restoreAllMocks()
    syncBuiltinESMExports()
  })

  it('CL-120 the request line decides, not a Host that differs, and its port may be missing', async () => {
    const answer = await send(head('GET http://erp.demo/x HTTP/1.1', [], 'www.shop.example'))
    expect(answer.status).toBe(200)
    expect(connector.openings.at(-1)).toMatchObject({ virtualHost: 'erp.demo', virtualPort: 80 })
    expect(lastSeen().rawHeaders).toEqual(expect.arrayContaining(['Host', 'erp.demo']))
    expect(lastSeen().rawHeaders).not.toContain('www.shop.example')
  })

  it('takes upper case and underscores in virtual hosts', async () => {
    expect((await send(head('GET http://ERP.Demo:8000/ HTTP/1.1', [], 'ERP.Demo:8000'))).status).toBe(200)
    expect(connector.openings.at(-1)).toMatchObject({ virtualHost: 'erp.demo' })
    expect(lastSeen().rawHeaders).toContain('ERP.Demo:8000')
    expect((await send(head('GET http://under_score:1/ HTTP/1.1', [], 'under_score:1'))).status).toBe(200)
  })

  it.each([
    '/sap/opu/odata//x/%2e%2e/%2F%zz?a=%20&b=+;c',
    "/O('1')/$value?$filter=Name%20eq%20'x'",
    '/a/../b/./c',
    '//double//slash',
    '/?',
    '/%C3%A4?q=%',
  ])('CP-019 CL-126 path and query %s arrive byte for byte', async (path) => {
    await send(head(`GET http://erp.demo:8000${path} HTTP/1.1`))
    expect(lastSeen().url).toBe(path)
  })

  it.each([
    ['a target with a user', 'GET http://user:secret@erp.demo:8000/ HTTP/1.1'],
    ['another scheme', 'GET ftp://erp.demo:8000/ HTTP/1.1'],
    ['an IPv6 address', 'GET http://[::1]:8000/ HTTP/1.1'],
  ])('refuses %s with 400', async (_, line) => {
    expect((await send(head(line))).status).toBe(400)
  })
})

describe('limits of a head', () => {
  const filler = (line: string, bytes: number): string => line.replace('FILL', 'x'.repeat(bytes - line.length + 4))

  it('CP-020 a request line of 8192 bytes passes, one of 8193 gets 414', async () => {
    const line = 'GET http://erp.demo:8000/FILL HTTP/1.1'
    expect((await send(head(filler(line, 8192)))).status).toBe(200)
    expect((await send(head(filler(line, 8193)))).status).toBe(414)
  })

  it('CP-021 a header line of 8192 bytes passes, one of 8193 gets 431', async () => {
    expect((await send(head('GET http://erp.demo:8000/ HTTP/1.1', [filler('x-long: FILL', 8192)]))).status).toBe(200)
    expect((await send(head('GET http://erp.demo:8000/ HTTP/1.1', [filler('x-long: FILL', 8193)]))).status).toBe(431)
  })

  it('CL-129 takes 32 KiB of headers', async () => {
    const backendWithRoom = await startRawBackend((socket) => {
      socket.once('data', () => {
        socket.on('data', () => {})
        socket.end('HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n')
      })
    })
    connector.mappings.set('roomy:80', backendWithRoom.port)
    const lines = Array.from({ length: 4 }, (_, at) => `cookie-${at}: ${'c'.repeat(8000)}`)
    expect((await send(head('GET http://roomy/ HTTP/1.1', lines, 'roomy'))).status).toBe(204)
    await backendWithRoom[Symbol.asyncDispose]()
  })
})

describe('methods and bodies', () => {
  it('CL-125 every method passes, with bodies of several MiB both ways, with length and chunked', async () => {
    await using echo = await startHttpBackend((_request, response, seen) => {
      response.writeHead(200, { 'x-seen': `${seen.method} ${seen.body.length}` })
      response.end(seen.body)
    })
    connector.mappings.set('echo:80', echo.port)
    const body = Buffer.alloc(4 << 20, 'sallyport ')
    for (const method of ['HEAD', 'OPTIONS', 'PATCH', 'MERGE', 'PUT', 'POST', 'DELETE']) {
      for (const framing of [{ 'content-length': body.length }, { 'transfer-encoding': 'chunked' }]) {
        const headers = { host: 'echo', 'proxy-authorization': rig.bearer(), ...framing }
        const request = httpRequest({ host: '127.0.0.1', port: rig.http, method, path: 'http://echo/big', headers })
        request.end(body)
        const [response] = (await once(request, 'response')) as [IncomingMessage]
        const chunks: Buffer[] = []
        for await (const chunk of response) chunks.push(chunk as Buffer)
        expect(response.headers['x-seen']).toBe(`${method} ${body.length}`)
        expect(Buffer.concat(chunks).equals(method === 'HEAD' ? Buffer.alloc(0) : body)).toBe(true)
      }
    }
  })
})

describe('answers', () => {
  it.each(['304 Not Modified\r\nContent-Length: 10', '204 No Content'])('knows that %s has no body', async (status) => {
    await using raw = await startRawBackend((socket) => socket.on('data', () => socket.write(`HTTP/1.1 ${status}\r\n\r\n`)))
    connector.mappings.set('nobody:80', raw.port)
    await using client = await openRawClient(rig.http)
    for (let round = 0; round < 2; round += 1) {
      client.write(head('GET http://nobody/ HTTP/1.1', [], 'nobody'))
      await client.read('\r\n\r\n')
    }
    expect(raw.sockets).toHaveLength(1)
  })
})

describe('HTTP/1.0 applications', () => {
  it('get no interim answer, no chunks, and their connection closed', async () => {
    const answer =
      'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: 1\r\n\r\n5;e\r\nhello\r\n7\r\n, there\r\n0\r\nT: x\r\n\r\n'
    await using raw = await startRawBackend((socket) => socket.once('data', () => socket.write(answer)))
    connector.mappings.set('old:80', raw.port)
    await using client = await openRawClient(rig.http)
    client.write(`GET http://old/ HTTP/1.0\r\nProxy-Authorization: ${rig.bearer()}\r\n\r\n`)
    expect(await client.ended).toBe('end')
    expect(client.text).toBe('HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: close\r\n\r\nhello, there')
  })

  it('without a Host get that of their target, and one request per connection', async () => {
    await using raw = await startRawBackend()
    connector.mappings.set('old:80', raw.port)
    await using client = await openRawClient(rig.http)
    client.write(`GET http://old/ HTTP/1.0\r\nProxy-Authorization: ${rig.bearer()}\r\nConnection: keep-alive\r\n\r\n`)
    const socket = await raw.accept()
    expect(await gather(socket).until('\r\n\r\n')).toBe('GET / HTTP/1.1\r\nHost: old\r\nConnection: close\r\n\r\n')
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    expect(await client.ended).toBe('end')
    expect(client.text).toMatch(/\r\n\r\nok$/)
  })
})

/** Bytes of a socket as text, to wait for. */
function gather(socket: NodeJS.ReadableStream): { until(text: string): Promise<string> } {
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  return {
    async until(wanted) {
      while (!text.includes(wanted)) await once(socket, 'data')
      return text
    },
  }
}
