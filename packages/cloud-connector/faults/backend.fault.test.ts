import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { createManualClock, type ManualClock } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench, until } from '../conformance/connector-bench.ts'

let server: Server | undefined
const sockets: Socket[] = []
let bench: ConnectorBench
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  for (const socket of sockets.splice(0)) socket.destroy()
  server?.close()
})

const request = 'GET / HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n'

/** A backend that does what the test says with every connection. */
async function start(
  onRequest: (socket: Socket, request: string) => void,
  clock?: ManualClock,
  connector: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  server = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => onRequest(socket, chunk.toString('latin1')))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  bench = await startConnectorBench({
    connector: { ...connector, mappings: [mappingTo(`http://127.0.0.1:${port}`)] },
    ...(clock === undefined ? {} : { clock }),
    wantsEvents: true,
  })
}

describe('answers that are no HTTP', () => {
  it.each([
    ['garbage', 'hello, this is not HTTP\r\n\r\n'],
    ['a bare line feed', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    ['a length and chunks', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded header', 'HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n'],
    ['a blank before the colon', 'HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n'],
    ['an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n'],
    ['HTTP/2', 'HTTP/2 200 OK\r\n\r\n'],
    ['an endless header', `HTTP/1.1 200 OK\r\nX: ${'x'.repeat(70_000)}\r\n\r\n`],
    ['a thousand headers', `HTTP/1.1 200 OK\r\n${'X: y\r\n'.repeat(1000)}\r\n`],
    ['a switch of protocols nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n'],
    ['interim answers without end', 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(500)],
  ])('answers 502 for %s and closes the backend connection', async (_, text) => {
    await start((socket) => socket.write(text, 'latin1'))
    const connection = bench.raw()
    connection.write(request)
    await until(() => /HTTP\/1\.1 502 /.test(connection.text))
    expect(connection.text).toContain('x-connectivity-error-origin: connector')
    expect(connection.text).toMatch(/The answer of backend system s4\.demo:443 is not usable: .*\n$/)
    await until(() => sockets[0]?.destroyed === true)
    expect(bench.events.some((event) => event.type === 'backend-failed')).toBe(true)
  })

  it('goes on serving the same application after a broken answer', async () => {
    let count = 0
    await start((socket) => socket.write(count++ === 0 ? 'rubbish\r\n\r\n' : 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
    const agent = bench.keepAlive()
    expect((await bench.request({ agent })).status).toBe(502)
    expect((await bench.request({ agent })).body).toBe('ok')
  })
})

describe('smuggled answers', () => {
  it('never gives bytes behind one answer to the next request', async () => {
    await start((socket) =>
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'),
    )
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.closed !== undefined)
    expect(connection.text).not.toContain('forged')
  })

  it('never gives an answer that came before the request to that request', async () => {
    await start((socket, text) => {
      if (text.includes('/first')) {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        setImmediate(() => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'))
      }
    })
    const connection = bench.raw()
    connection.write(request.replace('/', '/first'))
    await until(() => sockets[0]?.destroyed === true)
    connection.write(request)
    connection.stream.end()
    await until(() => connection.closed !== undefined)
    expect(connection.text).not.toContain('forged')
  })

  it('does not take the body of an answer to HEAD for another answer', async () => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 48\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged'))
    const connection = bench.raw()
    connection.write(request.replace('GET', 'HEAD'))
    await until(() => connection.closed !== undefined)
    expect(connection.text).not.toContain('forged')
  })

  it('refuses malformed chunks in an answer by cutting it off, never by ending it', async () => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n'))
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.closed !== undefined)
    expect(connection.closed).toEqual({ kind: 'reset', by: 'peer', code: 'failed' })
  })
})

describe('connections that break', () => {
  it.each<[string, (socket: Socket) => unknown]>([
    ['a reset', (socket) => socket.resetAndDestroy()],
    ['an end', (socket) => socket.end()],
  ])('cuts an answer off on %s in the middle of its body', async (_, breakOff) => {
    await start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart', () => setImmediate(() => breakOff(socket)))
    })
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.closed !== undefined)
    expect(connection.closed).toEqual({ kind: 'reset', by: 'peer', code: 'failed' })
    expect(connection.text).toMatch(/part$/)
  })

  it('does not take a reset for the end of an answer that ends with its connection', async () => {
    await start((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart', () => setImmediate(() => socket.resetAndDestroy()))
    })
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.closed !== undefined)
    expect(connection.closed).toEqual({ kind: 'reset', by: 'peer', code: 'failed' })
  })

  it.each<[string, (socket: Socket) => unknown]>([
    ['resets', (socket) => socket.resetAndDestroy()],
    ['ends', (socket) => socket.end()],
  ])('answers 502 when the backend %s instead of answering', async (_, breakOff) => {
    await start((socket) => breakOff(socket))
    const answer = await bench.request({})
    expect([answer.status, answer.headers['x-connectivity-error-origin']]).toEqual([502, 'connector'])
    expect(sockets).toHaveLength(1)
  })

  it('closes the backend connection when the tunnel breaks in the middle of an answer', async () => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\npart'))
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.text.endsWith('part'))
    await bench.cloudSide.close({ graceMs: 0 })
    await until(() => sockets[0]?.destroyed === true)
    expect(bench.openStreams).toBe(0)
  })
})

describe('backends that are silent', () => {
  it.each([
    ['ahead', 86_400_000],
    ['behind', -86_400_000],
  ])('are waited for as long as ever when the clock is set a day %s', async (_, milliseconds) => {
    const clock = createManualClock()
    await start(() => {}, clock, { backendResponseTimeoutSeconds: 7 })
    const connection = bench.raw()
    connection.write(request)
    await until(() => sockets.length === 1 && sockets[0]?.bytesRead !== undefined && sockets[0].bytesRead > 0)
    clock.shift(milliseconds)
    clock.advance(6000)
    sockets[0]?.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')
    await until(() => connection.text !== '')
    expect(connection.text).toMatch(/^HTTP\/1\.1 200/)
    connection.write(request)
    await until(() => (sockets[0]?.bytesRead ?? 0) > request.length)
    clock.shift(milliseconds)
    clock.advance(8000)
    await until(() => connection.text.includes('HTTP/1.1 504'))
  })

  it('answers 504 when there is no answer within the limit', async () => {
    const clock = createManualClock()
    await start(() => {}, clock, { backendResponseTimeoutSeconds: 7 })
    const connection = bench.raw()
    connection.write(request)
    await until(() => sockets.length === 1 && sockets[0]?.bytesRead !== undefined && sockets[0].bytesRead > 0)
    clock.advance(6000)
    await new Promise((resolve) => setImmediate(resolve))
    expect(connection.text).toBe('')
    clock.advance(2000)
    await until(() => connection.text.includes('\n\r\n'))
    expect(connection.text).toMatch(/^HTTP\/1\.1 504 Gateway Timeout/)
    expect(connection.text).toMatch(/Backend system s4\.demo:443 did not answer in time\n$/)
    await until(() => sockets[0]?.destroyed === true)
  })

  it('cuts an answer off that stops in the middle', async () => {
    const clock = createManualClock()
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart'), clock)
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.text.endsWith('part'))
    clock.advance(301_000)
    await until(() => connection.closed !== undefined)
    expect(connection.closed).toEqual({ kind: 'reset', by: 'peer', code: 'failed' })
  })

  it('does not wait for ever for the rest of a request head or body', async () => {
    const clock = createManualClock()
    await start(() => {}, clock)
    for (const part of ['GET / HT', 'POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 10\r\n\r\nabc']) {
      const connection = bench.raw()
      connection.write(part)
      await until(() => bench.openStreams === 1)
      if (part.startsWith('POST')) await until(() => sockets.some((socket) => socket.bytesRead > 0))
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve))
      clock.advance(301_000)
      await until(() => connection.closed !== undefined)
      expect(connection.closed).toEqual({ kind: 'reset', by: 'peer', code: 'cancelled' })
    }
  })

  it('does not read for ever what comes behind the last answer of a connection', async () => {
    const clock = createManualClock()
    await start((socket) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbye'), clock)
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.ended)
    for (let second = 0; second < 7 && connection.closed === undefined; second++) {
      connection.write('more')
      await new Promise((resolve) => setImmediate(resolve))
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(1000)
    }
    await until(() => connection.closed !== undefined)
    expect(connection.closed).toEqual({ kind: 'reset', by: 'peer', code: 'cancelled' })
  })

  it('keeps an idle connection as long as the application does', async () => {
    const clock = createManualClock()
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'), clock)
    const connection = bench.raw()
    connection.write(request)
    await until(() => connection.text.endsWith('\r\n\r\n'))
    clock.advance(24 * 3_600_000)
    connection.write(request)
    await until(() => connection.text.split('200 OK').length === 3)
    expect(connection.closed).toBeUndefined()
  })
})

describe('requests that are no HTTP', () => {
  it.each([
    ['two lengths', 'POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: s4.demo:443\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: s4.demo:443\r\nHost: other\r\n\r\n', 400],
    ['an absolute target', 'GET http://other/ HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n', 400],
    ['CONNECT', 'CONNECT other:443 HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n', 400],
    ['a long line', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: s4.demo:443\r\n\r\n`, 414],
    ['many headers', `GET / HTTP/1.1\r\nHost: s4.demo:443\r\n${'X: y\r\n'.repeat(300)}\r\n`, 431],
    ['bad chunks', 'POST / HTTP/1.1\r\nHost: s4.demo:443\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n', 400],
  ])('refuses %s and closes', async (_, text, status) => {
    await start((socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'))
    const connection = bench.raw()
    connection.write(text)
    await until(() => connection.text.includes('Connection: close'))
    expect(connection.text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(connection.text).toContain('x-connectivity-error-origin: connector')
  })

  it('refuses a stream whose opening it does not understand, or which is for somebody else', async () => {
    await start(() => {})
    const openings = [
      'not json',
      '{"kind":"rfc"}',
      '{"kind":"http"}',
      JSON.stringify({ kind: 'http', subaccount: 'other', locationId: '', virtualHost: 's4.demo', virtualPort: 443, correlationId: '' }),
      JSON.stringify({
        kind: 'http',
        subaccount: 'demo',
        locationId: 'elsewhere',
        virtualHost: 's4.demo',
        virtualPort: 443,
        correlationId: '',
      }),
    ]
    for (const opening of openings) {
      const { promise, resolve } = Promise.withResolvers<unknown>()
      bench.tunnel.openStream(Buffer.from(opening), { onData: () => true, onEnd: () => {}, onDrain: () => {}, onClose: resolve })
      expect(await promise, opening).toMatchObject({ kind: 'reset', by: 'peer' })
    }
    expect(sockets).toEqual([])
  })
})
