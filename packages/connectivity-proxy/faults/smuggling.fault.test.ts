import { once } from 'node:events'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type RawBackend, startRawBackend } from '../conformance/backends.ts'
import { openRawClient } from '@sallyport/conformance/cases'
import { type Rig, startRig } from '../conformance/rig.ts'

let rig: Rig
let backend: RawBackend
let seen = ''

beforeAll(async () => {
  backend = await startRawBackend((socket) => {
    socket.on('data', (chunk: Buffer) => {
      seen += chunk.toString('latin1')
      socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    })
  })
  rig = await startRig()
  await rig.connect({ mappings: { 'erp.demo:80': backend.port } })
})
afterAll(async () => {
  await rig[Symbol.asyncDispose]()
  await backend[Symbol.asyncDispose]()
})

/** Sends everything, ends, and returns what came back. */
async function exchange(bytes: string): Promise<string> {
  seen = ''
  await using client = await openRawClient(rig.http)
  client.write(bytes)
  client.socket.end()
  await client.ended
  return client.text
}

const authorised = (): string => `Host: erp.demo\r\nProxy-Authorization: ${rig.bearer()}\r\n`
const second = 'GET http://erp.demo/smuggled HTTP/1.1\r\n\r\n'

describe('requests that two readers could understand differently', () => {
  it.each([
    ['Content-Length with Transfer-Encoding', 'POST', 'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'],
    ['Transfer-Encoding with Content-Length', 'POST', 'Transfer-Encoding: chunked\r\nContent-Length: 5\r\n'],
    ['two lengths', 'POST', 'Content-Length: 5\r\nContent-Length: 6\r\n'],
    ['two equal lengths', 'POST', 'Content-Length: 5\r\nContent-Length: 5\r\n'],
    ['a list of lengths', 'POST', 'Content-Length: 5, 5\r\n'],
    ['a signed length', 'POST', 'Content-Length: +5\r\n'],
    ['a hexadecimal length', 'POST', 'Content-Length: 0x5\r\n'],
    ['a coding in disguise', 'POST', 'Transfer-Encoding: xchunked\r\n'],
    ['two codings', 'POST', 'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n'],
    ['a coding with a vertical tab', 'POST', 'Transfer-Encoding: \x0bchunked\r\n'],
    ['a blank before the colon', 'POST', 'Transfer-Encoding : chunked\r\n'],
    ['a folded line', 'POST', 'X-A: 1\r\n Transfer-Encoding: chunked\r\n'],
    ['a bare line feed', 'POST', 'X-A: 1\nTransfer-Encoding: chunked\r\n'],
    ['a bare carriage return', 'POST', 'X-A: 1\rX-B: 2\r\n'],
    ['a NUL', 'GET', 'X-A: 1\0\r\n'],
    ['a line without a name', 'GET', ': 1\r\n'],
    ['two hosts', 'GET', 'Host: other.demo\r\n'],
    ['Connection that names the length', 'POST', 'Content-Length: 5\r\nConnection: Content-Length\r\n'],
    ['Connection that names the host', 'GET', 'Connection: host\r\n'],
  ])('%s gets 4xx, the connection is closed, and nothing reaches a backend', async (_, method, lines) => {
    const answer = await exchange(`${method} http://erp.demo/ HTTP/1.1\r\n${authorised()}${lines}\r\n${second}`)
    expect(answer).toMatch(/^HTTP\/1.1 (400|501) /)
    expect(answer).toMatch(/^connection: close\r$/im)
    expect(answer.match(/^HTTP\/1/gm)).toHaveLength(1)
    expect(seen).toBe('')
  })

  it.each([
    ['a chunk size that is none', 'zz\r\nhello\r\n0\r\n\r\n'],
    ['a negative chunk size', '-5\r\nhello\r\n0\r\n\r\n'],
    ['a chunk size with a bare line feed', '5\nhello\r\n0\r\n\r\n'],
    ['a chunk longer than it says', '5\r\nhelloo\r\n0\r\n\r\n'],
    ['an endless chunk size', `${'0'.repeat(20_000)}5\r\nhello\r\n0\r\n\r\n`],
    ['an endless extension', `5;${'e'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`],
    ['a trailer for the proxy', '5\r\nhello\r\n0\r\nSAP-Connectivity-Authentication: x\r\n\r\n'],
    ['a certificate in the trailers', '5\r\nhello\r\n0\r\nSSL_CLIENT_CERT: x\r\n\r\n'],
    ['a length in the trailers', '5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n'],
  ])('a body with %s ends the connection, and nothing behind it is a request', async (_, body) => {
    const answer = await exchange(`POST http://erp.demo/ HTTP/1.1\r\n${authorised()}Transfer-Encoding: chunked\r\n\r\n${body}${second}`)
    expect(answer).not.toMatch(/^HTTP\/1.1 200[\s\S]*^HTTP\/1.1 200/m)
    expect(seen).not.toContain('smuggled')
  })

  it('a certificate header that a Connection header hides stays out', async () => {
    await exchange(`GET http://erp.demo/ HTTP/1.1\r\n${authorised()}SSL_CLIENT_CERT: x\r\nConnection: ssl_client_cert, close\r\n\r\n`)
    // In front of it may stand what the request before it, which was given up, has left on its way.
    expect(seen).toMatch(/GET \/ HTTP\/1.1\r\nHost: erp.demo\r\nConnection: close\r\n\r\n$/)
  })
})

describe('hostile bytes', () => {
  it('never break the listener and never reach a backend unauthorised', async () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'GET ',
        'POST ',
        'CONNECT ',
        'http://erp.demo/',
        ' HTTP/1.1',
        ' HTTP/1.0',
        ' HTTP/2.0',
        '\r\n',
        '\n',
        '\r',
        '\r\n\r\n',
      ),
      fc.constantFrom(
        'Host: erp.demo',
        'Content-Length: 4',
        'Transfer-Encoding: chunked',
        'Proxy-Authorization: Bearer x',
        ': ',
        'Expect: 100-continue',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 14 }), async (pieces) => {
        const answer = await exchange(pieces.join(''))
        expect(answer === '' || answer.startsWith('HTTP/1.1 4') || answer.startsWith('HTTP/1.1 5')).toBe(true)
        expect(seen).toBe('')
      }),
      { numRuns: 250 },
    )
    const answer = await exchange(`GET http://erp.demo/ HTTP/1.1\r\n${authorised()}Connection: close\r\n\r\n`)
    expect(answer).toContain(' 200 ')
  })

  it('a flood of pipelined refusals to an application that does not read stays bounded', async () => {
    await using client = await openRawClient(rig.http)
    client.socket.pause()
    const flood = Buffer.from('GET http://erp.demo/ HTTP/1.1\r\nHost: erp.demo\r\n\r\n'.repeat(20_000))
    const before = rig.proxy.counters().http.requests
    client.write(flood)
    while (rig.proxy.counters().http.requests === before) await new Promise((resolve) => setImmediate(resolve))
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve))
    const held = rig.proxy.counters().http.requests - before
    client.socket.resume()
    client.socket.end()
    await client.ended
    expect(client.text.match(/^HTTP\/1.1 407 /gm)).toHaveLength(20_000)
    expect(held).toBeLessThan(20_000)
    await once(client.socket, 'close').catch(() => {})
  })
})
