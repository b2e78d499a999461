import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type IncomingMessage, request as httpRequest, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { createHttpBackend, type HttpBackend } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench, until } from './connector-bench.ts'

const open: { close(): unknown }[] = []
let bench: ConnectorBench
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  for (const each of open.splice(0)) each.close()
})

async function listen(server: Server | TcpServer): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push({
    close() {
      if ('closeAllConnections' in server) server.closeAllConnections()
      server.close()
    },
  })
  return (server.address() as AddressInfo).port
}

/** A backend that speaks bytes. */
async function startRaw(onConnection: (socket: Socket) => void): Promise<{ readonly port: number; readonly sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createTcpServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    onConnection(socket)
  })
  const port = await listen(server)
  open.push({ close: () => sockets.forEach((socket) => socket.destroy()) })
  return { port, sockets }
}

async function startEcho(): Promise<HttpBackend> {
  const backend = await createHttpBackend({ answer: ({ body, connection }) => ({ body: `${connection}:${body.length}` }) })
  open.push({ close: () => backend[Symbol.asyncDispose]() })
  return backend
}

/** Writes `size` bytes as fast as they are taken. */
function pour(target: Writable, block: Buffer, size: number): { readonly sent: () => number } {
  let sent = 0
  const more = (): void => {
    while (sent < size) {
      sent += block.length
      if (!target.write(block)) return void target.once('drain', more)
    }
    target.end()
  }
  more()
  return { sent: () => sent }
}

/** Waits until a figure has begun to grow and then not grown for many turns of the event loop. */
async function standsStill(figure: () => number): Promise<number> {
  let last = -1
  for (let still = 0; still < 300;) {
    await new Promise((resolve) => setImmediate(resolve))
    const now = figure()
    still = now === last && now > 0 ? still + 1 : 0
    last = now
  }
  return last
}

describe('connections', () => {
  it('CC-097 two requests on one connection reuse one backend connection, and two connections do not share one', async () => {
    const backend = await startEcho()
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(backend.url)] } })
    const agent = bench.keepAlive()
    expect((await bench.request({ agent })).body).toBe('1:0')
    expect((await bench.request({ agent, method: 'POST', body: 'abc' })).body).toBe('1:3')
    expect((await bench.request({ agent })).body).toBe('1:0')
    expect((await bench.request({})).body).toBe('2:0')
  })

  it('CC-098 closing the connection closes the backend connection, within a request and between requests', async () => {
    const { port, sockets } = await startRaw((socket) => {
      // An answer that nobody has read would turn the end of the connection into a reset.
      socket.once('data', (head: Buffer) => {
        if (head.toString().startsWith('GET')) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
      })
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const idle = bench.connect()
    idle.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
    await once(idle, 'data')
    const closed = once(sockets[0] as Socket, 'end')
    idle.end()
    await closed
    const busy = bench.connect()
    busy.write('POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 10\r\n\r\n12345')
    await until(() => sockets.length === 2)
    const reset = once(sockets[1] as Socket, 'end')
    busy.destroy()
    await reset
    expect(bench.openStreams).toBe(0)
  })

  it('a backend that closes an idle connection closes the connection of the application', async () => {
    const { port } = await startRaw((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const stream = bench.connect()
    stream.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
    let text = ''
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString()
    expect(text).toMatch(/\r\n\r\nok$/)
  })

  it('repeats a GET once when the kept backend connection turns out to be closed', async () => {
    let count = 0
    const { port } = await startRaw((socket) => {
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n${++count}`
      socket.once('data', () => {
        socket.write(answer)
        socket.once('data', () => socket.resetAndDestroy())
      })
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const agent = bench.keepAlive()
    expect((await bench.request({ agent })).body).toBe('1')
    expect((await bench.request({ agent })).body).toBe('2')
    const withBody = await bench.request({ agent, method: 'GET', headers: { 'content-length': '1' }, body: 'x' })
    expect([withBody.status, withBody.headers['x-connectivity-error-origin']]).toEqual([502, 'connector'])
    expect((await bench.request({ agent })).body).toBe('3')
    const post = await bench.request({ agent, method: 'POST', body: 'x' })
    expect([post.status, post.headers['x-connectivity-error-origin']]).toEqual([502, 'connector'])
    expect(count).toBe(3)
  })

  it('serves pipelined requests one after the other', async () => {
    const backend = await startEcho()
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(backend.url)] } })
    const stream = bench.connect()
    stream.end(
      'POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\nGET /x HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n',
    )
    let text = ''
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString()
    expect(text.match(/\r\n\r\n1:\d/g)).toEqual(['3', '0', '0'].map((length) => `\r\n\r\n1:${length}`))
  })

  it('takes a body of length 0 for no body', async () => {
    const backend = await startEcho()
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(backend.url)] } })
    const connection = bench.raw()
    connection.write('POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
    await until(() => connection.ended)
    expect(connection.text).toMatch(/1:0$/)
  })

  it('reads a request that drips in byte by byte', async () => {
    const backend = await startEcho()
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(backend.url)] } })
    const stream = bench.connect()
    for (const byte of 'POST /x HTTP/1.1\r\nHost: s4.demo:443\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n') {
      stream.write(byte)
      await new Promise((resolve) => setImmediate(resolve))
    }
    const [chunk] = (await once(stream, 'data')) as [Buffer]
    expect(chunk.toString()).toContain('HTTP/1.1 200')
    expect(backend.requests[0]?.body).toBe('abc')
  })

  it('lets an answer finish after the application has ended its side', async () => {
    const { port } = await startRaw((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfirst ')
        setImmediate(() => socket.end('second'))
      })
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const stream = bench.connect()
    stream.end('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
    let text = ''
    for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString()
    expect(text).toMatch(/first second$/)
  })

  it('drains: what is under way is finished, idle connections end, nothing is left open', async () => {
    let answer = (): void => {}
    const { port } = await startRaw((socket) => {
      socket.on('data', () => {
        answer = () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        if (bench.openStreams === 1) answer()
      })
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const idle = bench.keepAlive()
    await bench.request({ agent: idle })
    const busy = bench.request({ agent: bench.keepAlive() })
    await until(() => bench.openStreams === 2)
    const drained = bench.connector.stop()
    await until(() => bench.openStreams === 1)
    answer()
    expect((await busy).body).toBe('ok')
    await drained
    expect(bench.openStreams).toBe(0)
  })
})

describe('bodies', () => {
  it('CC-096 passes bodies of any size, and holds a bounded part of them while the other side does not read', async () => {
    const size = 96 * 1024 * 1024
    const block = Buffer.alloc(65_536, 'sallyport ')
    const digest = createHash('sha256')
    for (let left = size; left > 0; left -= block.length) digest.update(block)
    const expected = digest.digest('hex')
    let incoming: IncomingMessage | undefined
    const { promise: received, resolve: onReceived } = Promise.withResolvers<ServerResponse>()
    const port = await listen(
      createHttpServer((request, response) => {
        incoming = request.pause()
        const hash = createHash('sha256')
        request.on('data', (chunk: Buffer) => void hash.update(chunk))
        request.on('end', () => onReceived(response.setHeader('x-received', hash.digest('hex'))))
      }),
    )
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const request = httpRequest({
      method: 'POST',
      path: '/',
      headers: { host: 's4.demo:443', 'content-length': size },
      createConnection: () => bench.connect(),
    })
    const answered = once(request, 'response') as Promise<[IncomingMessage]>
    // The connection ends with the bench.
    request.on('error', () => {})

    const upload = pour(request, block, size)
    await until(() => incoming !== undefined)
    incoming?.pause()
    await standsStill(() => upload.sent())
    expect(upload.sent()).toBeLessThan(size / 2)
    incoming?.resume()
    const response = await received
    expect(response.getHeader('x-received')).toBe(expected)

    const download = pour(response, block, size)
    const [answer] = await answered
    answer.pause()
    await standsStill(() => download.sent())
    expect(download.sent()).toBeLessThan(size / 2)
    const hash = createHash('sha256')
    for await (const chunk of answer as AsyncIterable<Buffer>) hash.update(chunk)
    expect(hash.digest('hex')).toBe(expected)
  })

  it('does not read from a backend whose answer nobody takes', async () => {
    const { port, sockets } = await startRaw((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n')
        const block = Buffer.alloc(65_536)
        const more = (): void => {
          while (socket.write(block));
        }
        socket.on('drain', more)
        more()
      })
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const stream = bench.connect()
    stream.pause()
    stream.write('GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n')
    const sent = await standsStill(() => sockets[0]?.bytesWritten ?? 0)
    expect(sent).toBeLessThan(40_000_000)
    stream.destroy()
  })

  it('CC-095 Expect: 100-continue works end to end', async () => {
    const port = await listen(
      createHttpServer().on('checkContinue', (request, response) => {
        response.writeContinue()
        request.pipe(response)
      }),
    )
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const request = httpRequest({
      method: 'POST',
      path: '/',
      headers: { host: 's4.demo:443', expect: '100-continue', 'content-length': 5 },
      createConnection: () => bench.connect(),
    })
    request.flushHeaders()
    await once(request, 'continue')
    request.end('hello')
    request.on('error', () => {})
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    let body = ''
    for await (const chunk of response as AsyncIterable<Buffer>) body += chunk.toString()
    expect(body).toBe('hello')
  })

  it('passes on other interim answers', async () => {
    const { port } = await startRaw((socket) => {
      socket.once('data', () =>
        socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'),
      )
    })
    bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
    const request = httpRequest({ path: '/', headers: { host: 's4.demo:443' }, createConnection: () => bench.connect() })
    const hints = once(request, 'information') as Promise<[{ statusCode: number; headers: Record<string, string> }]>
    const response = once(request, 'response')
    request.on('error', () => {})
    request.end()
    const [{ headers, statusCode }] = await hints
    expect([statusCode, headers['link']]).toEqual([103, '</a.css>'])
    await response
  })

  it.each(['http server that closes', 'raw socket that resets'])(
    'does not lose an answer that comes before the request body is read: %s',
    async (kind) => {
      const refusal = 'HTTP/1.1 413 Payload Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo much'
      const port =
        kind === 'http server that closes'
          ? await listen(
              createHttpServer((_request, response) => {
                response.writeHead(413, { connection: 'close', 'content-length': 8 }).end('too much')
              }),
            )
          : (
              await startRaw((socket) => {
                socket.once('data', () => {
                  socket.pause()
                  socket.write(refusal, () => socket.destroy())
                })
              })
            ).port
      bench = await startConnectorBench({ connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`)] } })
      for (let round = 0; round < 25; round++) {
        const stream = bench.connect()
        stream.write('POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 50000000\r\n\r\n')
        const block = Buffer.alloc(65_536)
        let left = 50_000_000
        const more = (): void => {
          while (left > 0 && !stream.destroyed) {
            left -= block.length
            if (!stream.write(left < 0 ? block.subarray(0, block.length + left) : block)) return void stream.once('drain', more)
          }
        }
        more()
        let text = ''
        for await (const chunk of stream as AsyncIterable<Buffer>) text += chunk.toString()
        expect(text, `round ${round}`).toMatch(/^HTTP\/1\.1 413 [\s\S]*too much$/)
        stream.destroy()
      }
    },
  )
})

describe('upgrades', () => {
  const handshake =
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n'
  const startWebSocket = (): Promise<number> =>
    listen(
      createHttpServer((_request, response) => response.end('plain')).on('upgrade', (request, socket) => {
        socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: ${request.headers.upgrade ?? ''}\r\nConnection: Upgrade\r\n\r\nhello`)
        socket.pipe(socket)
      }),
    )

  it('CC-101 a WebSocket passes bytes in both directions through a resource that allows upgrades', async () => {
    const port = await startWebSocket()
    bench = await startConnectorBench({
      connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`, { resources: [{ path: '/ws', websocketUpgradeAllowed: true }] })] },
    })
    const stream = bench.connect()
    stream.write(`GET /ws HTTP/1.1\r\nHost: s4.demo:443\r\n${handshake}\r\nsent at once`)
    let text = ''
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    await until(() => text.endsWith('hellosent at once'))
    expect(text).toMatch(/^HTTP\/1\.1 101 /)
    const large = Buffer.alloc(3_000_000, 7)
    text = ''
    stream.write(large)
    await until(() => text.length === large.length)
    stream.end('last words')
    await once(stream, 'end')
    expect(text.endsWith('last words')).toBe(true)
  })

  it('CC-066 an upgrade is denied unless the resource allows it', async () => {
    const port = await startWebSocket()
    bench = await startConnectorBench({
      connector: {
        mappings: [
          mappingTo(`http://127.0.0.1:${port}`, { resources: [{ path: '/plain' }, { path: '/ws', websocketUpgradeAllowed: true }] }),
        ],
      },
    })
    const upgrade = async (path: string, headers: Readonly<Record<string, string>>): Promise<number> =>
      (await bench.request({ path, headers })).status
    expect(await upgrade('/plain', { connection: 'upgrade', upgrade: 'websocket' })).toBe(403)
    expect(await upgrade('/plain', { connection: 'keep-alive, Upgrade' })).toBe(403)
    expect(await upgrade('/plain', {})).toBe(200)
    expect(bench.audit.map((entry) => entry.message)).toMatchObject([
      expect.stringContaining('no resource that admits the path allows upgrades'),
      expect.stringContaining('no resource that admits the path allows upgrades'),
    ])
  })

  it('never grants an upgrade to HTTP/2, behind which nothing would be decided any more', async () => {
    const port = await startWebSocket()
    bench = await startConnectorBench({
      connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`, { resources: [{ path: '/ws', websocketUpgradeAllowed: true }] })] },
    })
    for (const upgrade of ['h2c', 'websocket, h2c']) {
      const answer = await bench.request({
        path: '/ws',
        headers: { connection: 'Upgrade, HTTP2-Settings', upgrade, 'http2-settings': 'AAMAAABkAAQAAP__' },
      })
      expect(answer.status, upgrade).toBe(403)
    }
  })

  it('goes on with HTTP when the backend does not upgrade', async () => {
    const port = await listen(createHttpServer((_request, response) => response.writeHead(426).end('no')))
    bench = await startConnectorBench({
      connector: { mappings: [mappingTo(`http://127.0.0.1:${port}`, { resources: [{ path: '/ws', websocketUpgradeAllowed: true }] })] },
    })
    const stream = bench.connect()
    stream.write(`GET /ws HTTP/1.1\r\nHost: s4.demo:443\r\n${handshake}\r\nGET /secret HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n`)
    let text = ''
    stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
    await until(() => /HTTP\/1\.1 403/.test(text))
    expect(text).toMatch(/^HTTP\/1\.1 426 /)
  })
})
