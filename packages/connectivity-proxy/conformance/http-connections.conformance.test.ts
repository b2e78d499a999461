import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createManualClock, type ManualClock } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { defaultProxyLimits } from '../src/index.ts'
import { startHttpBackend, startRawBackend } from './backends.ts'
import { openRawClient, readAnswer } from '@sallyport/conformance/cases'
import { type Rig, startRig } from './rig.ts'

function head(rig: Rig, line: string, lines: readonly string[] = [], token: string = rig.bearer()): string {
  const host = /http:\/\/([^/ ]+)/.exec(line)?.[1] ?? ''
  return [line, `Host: ${host}`, `Proxy-Authorization: ${token}`, ...lines, '', ''].join('\r\n')
}

async function text(socket: Socket, wanted: string): Promise<string> {
  let got = ''
  while (!got.includes(wanted)) got += ((await once(socket, 'data')) as [Buffer])[0].toString('latin1')
  return got
}

const ok = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

describe('one connection', () => {
  it('CP-083 of an application is one backend connection, whatever the number of requests', async () => {
    await using backend = await startHttpBackend()
    await using rig = await startRig()
    const connector = await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    const token = rig.bearer()
    for (let round = 0; round < 5; round += 1) {
      client.write(head(rig, `POST http://erp.demo/${round} HTTP/1.1`, ['Content-Length: 4'], token) + 'body')
      expect((await readAnswer(client)).body).toContain(`"/${round}"`)
    }
    await using second = await openRawClient(rig.http)
    second.write(head(rig, 'GET http://erp.demo/other HTTP/1.1', [], token))
    await readAnswer(second)
    expect(backend.requests.map((request) => request.connection)).toEqual([1, 1, 1, 1, 1, 2])
    expect(connector.openings).toHaveLength(2)
  })

  it('ends the backend connection when the application ends its own, and the other way round', async () => {
    await using backend = await startRawBackend((socket) => socket.on('data', () => socket.write(ok)))
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using first = await openRawClient(rig.http)
    first.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    await readAnswer(first)
    const socket = await backend.accept()
    const backendEnd = once(socket, 'end')
    first.socket.end()
    await backendEnd
    expect(await first.ended).toBe('end')

    await using second = await openRawClient(rig.http)
    second.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    await readAnswer(second)
    ;(await backend.accept()).end()
    expect(await second.ended).toBe('end')
  })

  it('is closed behind the answer when the application asked for it, and the backend is told', async () => {
    await using backend = await startRawBackend()
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1', ['Proxy-Connection: close']))
    const socket = await backend.accept()
    expect(await text(socket, '\r\n\r\n')).toMatch(/^connection: close\r$/im)
    socket.write(ok)
    expect(await client.ended).toBe('end')
    expect(client.text).toBe(ok)
  })

  it('answers pipelined requests in order, one after the other', async () => {
    await using backend = await startRawBackend()
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    const token = rig.bearer()
    client.write(
      head(rig, 'POST http://erp.demo/1 HTTP/1.1', ['Content-Length: 3'], token) +
        'one' +
        head(rig, 'GET http://erp.demo/2 HTTP/1.1', [], token) +
        head(rig, 'POST http://erp.demo/3 HTTP/1.1', ['Transfer-Encoding: chunked'], token) +
        '5\r\nthree\r\n0\r\n\r\n',
    )
    const socket = await backend.accept()
    expect(await text(socket, 'one')).not.toContain('/2')
    socket.write(ok)
    expect(await text(socket, '\r\n\r\n')).not.toContain('/3')
    socket.write(ok)
    expect(await text(socket, '0\r\n\r\n')).toMatch(/^POST \/3 /)
    socket.write(ok)
    for (let round = 0; round < 3; round += 1) expect((await readAnswer(client)).body).toBe('ok')
  })

  it('answers everything that an application had sent before it ended its side', async () => {
    await using backend = await startRawBackend((socket) => socket.on('data', () => socket.write(ok)))
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    const token = rig.bearer()
    // The first token has to be verified, so the rest and the end arrive while the connection is waiting.
    client.socket.end([1, 2, 3].map((at) => head(rig, `GET http://erp.demo/${at} HTTP/1.1`, [], token)).join(''))
    expect(await client.ended).toBe('end')
    expect(client.text).toBe(ok.repeat(3))
  })

  it('passes an early answer on while the upload is still running, and serves the next request', async () => {
    await using backend = await startRawBackend()
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    const token = rig.bearer()
    client.write(head(rig, 'POST http://erp.demo/early HTTP/1.1', ['Content-Length: 10'], token) + 'first')
    const socket = await backend.accept()
    await text(socket, 'first')
    socket.write(ok)
    expect((await readAnswer(client)).status).toBe(200)
    client.write('later')
    await text(socket, 'later')
    client.write(head(rig, 'GET http://erp.demo/next HTTP/1.1', [], token))
    expect(await text(socket, '\r\n\r\n')).toMatch(/^GET \/next /)
    socket.write(ok)
    expect((await readAnswer(client)).status).toBe(200)
  })

  it('delivers an early refusal of a large upload although nobody reads the rest', async () => {
    await using rig = await startRig()
    await using client = await openRawClient(rig.http)
    client.write('POST http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\nContent-Length: 8000000\r\n\r\n')
    client.write(Buffer.alloc(4_000_000))
    expect(await client.read('\r\n\r\n')).toMatch(/^HTTP\/1.1 407 [\s\S]*connection: close\r\n/i)
    await client.ended
  })

  it('drops an application that ends in the middle of a body, and tells the backend by a reset', async () => {
    await using backend = await startRawBackend()
    await using rig = await startRig()
    const connector = await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'POST http://erp.demo/ HTTP/1.1', ['Content-Length: 10']) + 'half')
    const socket = await backend.accept()
    await text(socket, 'half')
    const gone = once(socket, 'error')
    client.socket.end()
    expect(((await gone) as [NodeJS.ErrnoException])[0].code).toBe('ECONNRESET')
    expect(connector.streams.size).toBe(0)
  })

  it('cuts an answer that breaks off, so that nobody takes it for complete', async () => {
    await using backend = await startRawBackend((socket) => {
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart', () => socket.end()))
    })
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    expect(await client.ended).toBe('reset')
    expect(client.text).toMatch(/part$/)
  })

  it('never takes an answer that nobody asked for as the next one', async () => {
    await using backend = await startRawBackend()
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    const socket = await backend.accept()
    await text(socket, '\r\n\r\n')
    socket.write(`${ok}HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong`)
    expect(await client.ended).toBe('end')
    expect(client.text).toBe(ok)
  })
})

describe('a connection is bound by its first request', () => {
  async function startTwo(rebinding: 'refuse' | 'reopen') {
    const a = await startHttpBackend((_request, response) => response.writeHead(200, { 'content-length': 1 }).end('a'))
    const b = await startHttpBackend((_request, response) => response.writeHead(200, { 'content-length': 1 }).end('b'))
    const rig = await startRig({ rebinding })
    const connector = await rig.connect({ mappings: { 'a.demo:80': a.port, 'b.demo:80': b.port } })
    const located = await rig.connect({ locationId: 'loc', mappings: { 'a.demo:80': b.port } })
    return {
      a,
      b,
      rig,
      connector,
      located,
      [Symbol.asyncDispose]: async () => {
        await rig[Symbol.asyncDispose]()
        await a[Symbol.asyncDispose]()
        await b[Symbol.asyncDispose]()
      },
    }
  }

  it('CP-085 another virtual host gets 403 and never the connection of the first; then the first goes on', async () => {
    await using two = await startTwo('refuse')
    await using client = await openRawClient(two.rig.http)
    client.write(head(two.rig, 'GET http://a.demo/1 HTTP/1.1'))
    expect((await readAnswer(client)).body).toBe('a')
    client.write(head(two.rig, 'GET http://b.demo/path?q=1 HTTP/1.1'))
    const refused = await readAnswer(client)
    expect(refused).toMatchObject({ status: 403, body: 'Access denied to resource /path on system b.demo:80\n' })
    const denied = two.rig.audit.filter(({ type }) => type === 'access-denied')
    expect(denied).toMatchObject([
      { subaccount: 'demo', message: 'http 403 connection rebound: it is bound to a.demo:80, and the request is for b.demo:80' },
    ])
    client.write(head(two.rig, 'GET http://a.demo/2 HTTP/1.1'))
    expect((await readAnswer(client)).body).toBe('a')
    expect(two.a.requests.map((request) => request.connection)).toEqual([1, 1])
    expect(two.b.requests).toEqual([])
  })

  it('another location or tenant gets 400 with the tunnel it belongs to', async () => {
    await using two = await startTwo('refuse')
    const expected =
      'One of the headers [SAP-Connectivity-ConsumerAccount, SAP-Connectivity-SCC-Location_ID] was set with a different value compared to the value which was already used for this connection. Original tunnel ID: account:///demo/loc\n'
    await using client = await openRawClient(two.rig.http)
    client.write(head(two.rig, 'GET http://a.demo/ HTTP/1.1', ['SAP-Connectivity-SCC-Location_ID: loc']))
    expect((await readAnswer(client)).body).toBe('b')
    client.write(head(two.rig, 'GET http://a.demo/ HTTP/1.1'))
    expect(await readAnswer(client)).toMatchObject({ status: 400, body: expected })
    client.write(head(two.rig, 'GET http://a.demo/ HTTP/1.1', ['SAP-Connectivity-SCC-Location_ID: loc'], two.rig.bearer({ zid: 'other' })))
    expect(await readAnswer(client)).toMatchObject({ status: 400, body: expected })
  })

  it('another user gets 403, and so does a user after none', async () => {
    await using two = await startTwo('refuse')
    const { rig } = two
    const as = (name: string): string[] => [`SAP-Connectivity-Authentication: Bearer ${rig.issuer.user(name)}`]
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://a.demo/ HTTP/1.1', as('jane')))
    expect((await readAnswer(client)).status).toBe(200)
    client.write(head(rig, 'GET http://a.demo/ HTTP/1.1', as('john')))
    expect((await readAnswer(client)).status).toBe(403)
    expect(rig.audit.at(-1)?.message).toBe('http 403 connection rebound: it is bound to another principal for a.demo:80')
    client.write(head(rig, 'GET http://a.demo/ HTTP/1.1'))
    expect((await readAnswer(client)).status).toBe(403)
    expect(two.connector.openings).toHaveLength(1)
  })

  it('a renewed token of the same user goes on, and the connector learns it before the request', async () => {
    await using two = await startTwo('refuse')
    const { rig, connector } = two
    const tokens = [rig.issuer.user('jane'), rig.issuer.user('jane', { cid: 'sb-other-app', scope: ['more'] })]
    await using client = await openRawClient(rig.http)
    for (const token of tokens) {
      client.write(head(rig, 'GET http://a.demo/ HTTP/1.1', [`SAP-Connectivity-Authentication: Bearer ${token}`]))
      expect((await readAnswer(client)).status).toBe(200)
    }
    expect(connector.openings[0]).toMatchObject({ principal: { kind: 'business', token: tokens[0] } })
    expect(connector.messages).toEqual([
      { kind: 'principal', principal: { kind: 'business', token: tokens[1] }, correlationId: connector.openings[0]?.correlationId },
    ])
    expect(two.a.connections).toBe(1)
  })

  it('CP-085 in lenient mode another target gets a connection of its own, and the first one is closed', async () => {
    await using two = await startTwo('reopen')
    const { rig } = two
    await using client = await openRawClient(rig.http)
    const answers: string[] = []
    for (const line of ['GET http://a.demo/ HTTP/1.1', 'GET http://b.demo/ HTTP/1.1', 'GET http://a.demo/ HTTP/1.1']) {
      client.write(head(rig, line))
      answers.push((await readAnswer(client)).body)
    }
    client.write(head(rig, 'GET http://a.demo/ HTTP/1.1', ['SAP-Connectivity-SCC-Location_ID: loc']))
    answers.push((await readAnswer(client)).body)
    expect(answers).toEqual(['a', 'b', 'a', 'b'])
    expect(two.a.requests.map((request) => request.connection)).toEqual([1, 2])
    expect(two.connector.openings.map((opening) => opening.virtualHost)).toEqual(['a.demo', 'b.demo', 'a.demo'])
  })
})

describe('waiting for the application', () => {
  /** A clock that stands still and knows whether somebody waits for an application to read. */
  function watchedClock(): ManualClock & { readonly waiting: boolean } {
    const clock = createManualClock(Date.now())
    let waiting = 0
    return {
      ...clock,
      get waiting() {
        return waiting > 0
      },
      after(delayMs, callback) {
        if (delayMs !== defaultProxyLimits.writeTimeoutMs) return clock.after(delayMs, callback)
        waiting += 1
        let over = false
        const settle = (): void => {
          if (!over) waiting -= 1
          over = true
        }
        const cancel = clock.after(delayMs, () => {
          settle()
          callback()
        })
        return () => {
          settle()
          cancel()
        }
      },
    }
  }

  /** Sends for ever, and counts what its socket takes. */
  async function startFountain() {
    let taken = 0
    const backend = await startRawBackend((socket) => {
      socket.once('data', () => {
        const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 'x'), Buffer.from('\r\n')])
        const fill = (): void => {
          do taken += chunk.length
          while (socket.write(chunk))
        }
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
        socket.on('drain', fill)
        fill()
      })
    })
    return { port: backend.port, taken: () => taken, [Symbol.asyncDispose]: () => backend[Symbol.asyncDispose]() }
  }

  it('CP-086 an application that stops reading is cut after the write timeout', async () => {
    const clock = watchedClock()
    await using fountain = await startFountain()
    await using rig = await startRig({ clock })
    await rig.connect({ mappings: { 'erp.demo:80': fountain.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    await once(client.socket, 'data')
    client.socket.pause()
    while (!clock.waiting) await new Promise((resolve) => setImmediate(resolve))
    clock.advance(9999)
    expect(rig.proxy.counters().http.open).toBe(1)
    clock.advance(1)
    client.socket.resume()
    expect(await client.ended).toBe('reset')
    while (rig.proxy.counters().http.open > 0) await new Promise((resolve) => setImmediate(resolve))
  })

  it('one that reads slowly is not cut, and holds its backend back', async () => {
    const clock = watchedClock()
    await using fountain = await startFountain()
    await using rig = await startRig({ clock })
    await rig.connect({ mappings: { 'erp.demo:80': fountain.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    for (let round = 0; round < 20; round += 1) {
      client.socket.resume()
      const goal = client.text.length + 1_000_000
      while (client.text.length < goal) await once(client.socket, 'data')
      client.socket.pause()
      clock.advance(6000)
    }
    expect(client.socket.destroyed).toBe(false)
    expect(fountain.taken() - client.text.length).toBeLessThan(32 << 20)
  })
})

describe('tunnels that come and go', () => {
  it('CP-087 a tunnel that does not open in time fails the request with the documented words and is counted', async () => {
    const clock = createManualClock(Date.now())
    await using rig = await startRig({ clock })
    const connector = await rig.connect()
    await connector.drop()
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    await accepted(rig)
    clock.advance(9999)
    expect(client.text).toBe('')
    clock.advance(1)
    const answer = await readAnswer(client)
    expect(answer.status).toBe(504)
    expect(answer.body).toContain('Timed out waiting for tunnel to open')
    expect(rig.proxy.counters().tunnelOpeningTimeouts).toEqual(new Map([['account:///demo', 1]]))
  })

  it('CP-089 requests wait while a connector dials again', async () => {
    await using backend = await startHttpBackend()
    await using rig = await startRig()
    const connector = await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await connector.drop()
    await using client = await openRawClient(rig.http)
    await using second = await openRawClient(rig.http)
    for (const one of [client, second]) one.write(head(rig, 'POST http://erp.demo/ HTTP/1.1', ['Content-Length: 2']) + 'hi')
    await accepted(rig, 2)
    await connector.reconnect()
    expect((await readAnswer(client)).body).toContain('"hi"')
    expect((await readAnswer(second)).body).toContain('"hi"')
  })

  it('reads no body while a request waits', async () => {
    await using backend = await startHttpBackend((_request, response, seen) => response.end(String(seen.body.length)))
    await using rig = await startRig()
    const connector = await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await connector.drop()
    await using client = await openRawClient(rig.http)
    const size = 64 << 20
    client.write(head(rig, 'POST http://erp.demo/ HTTP/1.1', [`Content-Length: ${size}`, 'Connection: close']))
    client.write(Buffer.alloc(size))
    await accepted(rig)
    const before = process.memoryUsage().arrayBuffers
    for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    // Far more than the kernel takes for a socket is left with the application.
    expect(client.socket.writableLength).toBe(size)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20)
    await connector.reconnect()
    expect(await client.read(String(size))).toContain(' 200 ')
  })

  it('a tunnel that breaks before the answer gives 502, one that breaks within it a cut', async () => {
    await using backend = await startRawBackend()
    await using rig = await startRig()
    const connector = await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using early = await openRawClient(rig.http)
    early.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    await text(await backend.accept(), '\r\n\r\n')
    await using late = await openRawClient(rig.http)
    late.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    const socket = await backend.accept()
    await text(socket, '\r\n\r\n')
    socket.write('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')
    await late.read('half')
    await connector.drop()
    expect(await readAnswer(early)).toMatchObject({ status: 502 })
    expect(await late.ended).toBe('reset')
  })

  it('an idle connection of a broken tunnel is closed cleanly', async () => {
    await using backend = await startRawBackend((socket) => socket.on('data', () => socket.write(ok)))
    await using rig = await startRig()
    const connector = await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    await readAnswer(client)
    await connector.drop()
    expect(await client.ended).toBe('end')
  })

  it('a stream that the connector refuses gives 502', async () => {
    await using rig = await startRig()
    const connector = await rig.connect()
    connector.intercept = (stream) => {
      stream.refuse()
      return true
    }
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    expect(await readAnswer(client)).toMatchObject({ status: 502 })
  })

  it.each([
    ['no HTTP', 'SSH-2.0-OpenSSH_9.9\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'],
    ['an upgrade that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n'],
  ])('an answer with %s gives 502', async (_, answer) => {
    await using backend = await startRawBackend((socket) => socket.once('data', () => socket.write(answer)))
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    expect(await readAnswer(client)).toMatchObject({ status: 502 })
    expect(client.text).not.toContain('SSH')
  })

  it('a backend that closes without an answer gives 502', async () => {
    await using backend = await startRawBackend((socket) => socket.once('data', () => socket.end()))
    await using rig = await startRig()
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    expect(await readAnswer(client)).toMatchObject({ status: 502 })
  })
})

/** Until so many requests have passed authorization. */
async function accepted(rig: Rig, count = 1): Promise<void> {
  while (rig.events.filter((event) => event.type === 'proxy-accepted').length < count) await new Promise((resolve) => setImmediate(resolve))
}

describe('upgrades', () => {
  it('h2c is not passed on', async () => {
    await using backend = await startRawBackend()
    await using rig = await startRig()
    await rig.connect({ mappings: { 'ws.demo:80': backend.port } })
    await using client = await openRawClient(rig.http)
    client.write(
      head(rig, 'GET http://ws.demo/ HTTP/1.1', [
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAAP__',
        'Connection: Upgrade, HTTP2-Settings',
      ]),
    )
    expect(await text(await backend.accept(), '\r\n\r\n')).toBe('GET / HTTP/1.1\r\nHost: ws.demo\r\n\r\n')
  })
})

describe('stopping', () => {
  it('closes idle connections, finishes what is under way, refuses what is new, and then cuts', async () => {
    const clock = createManualClock(Date.now())
    await using backend = await startRawBackend()
    await using rig = await startRig({ clock })
    await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
    await using idle = await openRawClient(rig.http)
    await using busy = await openRawClient(rig.http)
    busy.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    const socket = await backend.accept()
    await text(socket, '\r\n\r\n')
    await using half = await openRawClient(rig.http)
    half.write('GET http://erp.demo/ HTTP/1.1\r\n')
    await using stuck = await openRawClient(rig.http)
    stuck.write(head(rig, 'GET http://erp.demo/ HTTP/1.1'))
    await text(await backend.accept(), '\r\n\r\n')

    const closed = rig.proxy.close({ graceMs: 5000 })
    expect(await idle.ended).toBe('end')
    half.write(`Host: erp.demo\r\nProxy-Authorization: ${rig.bearer()}\r\n\r\n`)
    const late = await readAnswer(half)
    expect(late.status).toBe(503)
    expect(late.head).toMatch(/^connection: close\r$/im)
    socket.write(ok)
    expect(await busy.ended).toBe('end')
    expect(busy.text).toBe(ok)
    await expect(openRawClient(rig.http)).rejects.toThrow('ECONNREFUSED')
    clock.advance(5000)
    await closed
    await stuck.ended
    expect(rig.audit.map((entry) => entry.type).filter((type) => type.startsWith('service-'))).toEqual([
      'service-started',
      'service-stopped',
    ])
  })
})
