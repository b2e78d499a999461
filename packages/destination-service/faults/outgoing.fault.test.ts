import { createServer, type Server, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, describe, expect, it } from 'vitest'
import { createOutgoing, type OutgoingAnswer, type OutgoingOptions, type OutgoingRequest } from '../src/index.ts'
import { startTokenServer } from '../conformance/token-server.ts'

const servers: Server[] = []
const sockets = new Set<Socket>()
afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))))
})

/** A peer that does to each connection what the test says. */
async function peer(
  behaviour: (socket: Socket, index: number) => void,
): Promise<{ readonly origin: string; readonly connections: () => number }> {
  let count = 0
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).resume()
    behaviour(socket, count++)
  })
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, connections: () => count }
}

function form(origin: string): OutgoingRequest {
  return {
    method: 'POST',
    origin,
    path: '/',
    headers: {},
    body: 'a=b',
    route: { kind: 'internet' },
    tls: { trustAll: false, authorities: [], hostnames: 'Strict' },
    connectTimeoutMs: 5_000,
    readTimeoutMs: 5_000,
  }
}

function post(origin: string, request: Partial<OutgoingRequest> = {}, options: Partial<OutgoingOptions> = {}): Promise<OutgoingAnswer> {
  return createOutgoing({ privateAddresses: 'allow', ...options }).send({ ...form(origin), ...request }, new AbortController().signal)
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe('a peer that misbehaves', () => {
  it('is asked once more when it resets before it answers', async () => {
    const { origin, connections } = await peer((socket, index) => {
      socket.once('data', () => (index === 0 ? socket.resetAndDestroy() : socket.end(ok)))
    })
    expect(await post(origin)).toEqual({ status: 200, body: 'ok' })
    expect(connections()).toBe(2)
  })

  it('is not asked a third time', async () => {
    const { origin, connections } = await peer((socket) => socket.once('data', () => socket.resetAndDestroy()))
    await expect(post(origin)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(connections()).toBe(2)
  })

  it('is not asked again when it resets in the middle of its answer', async () => {
    const { origin, connections } = await peer((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', () => socket.resetAndDestroy())),
    )
    await expect(post(origin)).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
    expect(connections()).toBe(1)
  })

  it('does not hold us by a byte now and then', async () => {
    const { origin } = await peer((socket) => {
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n')
      const drip = setInterval(() => socket.write('x'), 20)
      socket.once('close', () => clearInterval(drip))
    })
    await expect(post(origin, { connectTimeoutMs: 100, readTimeoutMs: 150 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })

  it('does not hold us by silence, in the head or in the body', async () => {
    for (const said of ['', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nx']) {
      const { origin } = await peer((socket) => socket.write(said))
      await expect(post(origin, { readTimeoutMs: 100 })).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
    }
  })

  it('cannot make us read without end', async () => {
    for (const head of [
      'Content-Length: 100000000\r\n\r\n',
      'Transfer-Encoding: chunked\r\n\r\n',
      '\r\n',
      `X: ${'x'.repeat(200_000)}\r\n\r\n`,
    ]) {
      const { origin } = await peer((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}`)
        const chunk = head.startsWith('Transfer') ? `10000\r\n${'x'.repeat(65_536)}\r\n` : 'x'.repeat(65_536)
        const more = (): void => {
          while (socket.writable && socket.write(chunk));
        }
        socket.on('drain', more)
        more()
      })
      await expect(post(origin)).rejects.toMatchObject({ code: 'PROTOCOL_VIOLATION' })
    }
  })

  it.each([
    'SSH-2.0-OpenSSH_9\r\n',
    'HTTP/1.1 abc\r\n\r\n',
    'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n',
    '\0\0\0\0\r\n\r\n',
    '220 mail ESMTP\r\n',
  ])('is told from a token service when it says %j', async (said) => {
    const { origin } = await peer((socket) => socket.once('data', () => socket.end(said)))
    await expect(post(origin)).rejects.toMatchObject({ code: expect.stringMatching(/PROTOCOL_VIOLATION|PEER_UNREACHABLE/) as string })
  })

  it('speaks no TLS where TLS is expected', async () => {
    const { origin } = await peer((socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')))
    await expect(post(origin.replace('http:', 'https:'))).rejects.toMatchObject({
      code: 'PEER_UNTRUSTED',
      message: 'Failed to create SSL connection',
    })
  })

  it('presents a certificate for another host', async () => {
    const ca = createTestCa()
    const server = await startTokenServer(ca.issue({ subject: '/CN=other', names: ['other.example.test'] }))
    const options = { certificateAuthorities: [ca.certificate] }
    await expect(post(new URL(server.url).origin, {}, options)).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' })
    expect(server.calls).toEqual([])
    const resolve = () => Promise.resolve([{ address: '127.0.0.1', family: 4 as const }])
    expect(await post(`https://other.example.test:${server.port}`, {}, { ...options, resolve })).toMatchObject({ status: 200 })
    await server.close()
  })

  it('is left when the caller gives up', async () => {
    const accepted = Promise.withResolvers<void>()
    const { origin } = await peer(() => accepted.resolve())
    const controller = new AbortController()
    const request = { ...form(origin), connectTimeoutMs: 60_000, readTimeoutMs: 60_000 }
    const posted = createOutgoing({ privateAddresses: 'allow' }).send(request, controller.signal)
    await accepted.promise
    controller.abort()
    await expect(posted).rejects.toMatchObject({ code: 'DEADLINE_EXCEEDED' })
  })
})

describe('addresses that must not be called', () => {
  const refused = { code: 'ACCESS_DENIED', message: 'The token service URL leads to an address that must not be called' }

  it.each([
    '127.0.0.1',
    '2130706433',
    '0x7f.1',
    '127.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    'localhost',
    '10.0.0.1',
    '169.254.169.254',
    '0.0.0.0',
    '[::]',
  ])('are refused however they are written: %s', async (host) => {
    const { origin, connections } = await peer((socket) => socket.end(ok))
    const url = new URL(origin.replace('127.0.0.1', host))
    await expect(post(url.origin, {}, { privateAddresses: 'refuse' })).rejects.toMatchObject(refused)
    expect(connections()).toBe(0)
  })

  it('are refused behind a name, also when only one of several is private', async () => {
    const { origin, connections } = await peer((socket) => socket.end(ok))
    const url = origin.replace('127.0.0.1', 'auth.example.test')
    for (const addresses of [['127.0.0.1'], ['203.1.2.3', '127.0.0.1'], ['::1']]) {
      const resolve = () =>
        Promise.resolve(addresses.map((address) => ({ address, family: address.includes(':') ? (6 as const) : (4 as const) })))
      await expect(post(url, {}, { privateAddresses: 'refuse', resolve })).rejects.toMatchObject(refused)
    }
    expect(connections()).toBe(0)
  })

  it('cannot be slipped in after the check: the address that was checked is the one that is dialled', async () => {
    const { origin, connections } = await peer((socket) => socket.once('data', () => socket.end(ok)))
    let asked = 0
    const resolve = () => Promise.resolve([{ address: asked++ === 0 ? '127.0.0.1' : '127.0.0.2', family: 4 as const }])
    // The name does not exist: only the answer of `resolve` can have led there.
    expect(await post(origin.replace('127.0.0.1', 'auth.invalid'), {}, { resolve })).toEqual({ status: 200, body: 'ok' })
    expect([asked, connections()]).toEqual([1, 1])
  })

  it('never make us wait for a resolver that does not answer', async () => {
    const resolve = () => new Promise<never>(() => {})
    await expect(post('http://auth.example.test', { connectTimeoutMs: 50 }, { resolve })).rejects.toMatchObject({
      code: 'DEADLINE_EXCEEDED',
    })
  })
})
