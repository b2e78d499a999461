import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { createTestCa } from '@sallyport/test-fixtures'
import { afterEach, expect, it } from 'vitest'
import { callPeer, type PeerRequest } from '../src/high-availability/peer-call.ts'

const own = createTestCa().issue({ subject: '/CN=peer' })
let server: Server
afterEach(() => server.close())

/** A peer that does something odd with each connection, once a request has come. */
async function call(odd: (socket: TLSSocket) => void, others: Partial<PeerRequest> = {}): Promise<unknown> {
  server = createServer({ cert: own.certificate, key: own.key }, (socket) => {
    socket.on('error', () => {})
    socket.once('data', () => odd(socket))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return await callPeer({
    host: '127.0.0.1',
    port,
    authorization: 'Bearer x',
    method: 'GET',
    path: '/',
    connectTimeoutMs: 2_000,
    requestTimeoutMs: 300,
    ...others,
  }).catch((error: { readonly code: string }) => error.code)
}

const head = 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{'

it.each<[string, (socket: TLSSocket) => void, string]>([
  ['ends in the middle of its answer', (socket) => socket.end(head), 'PEER_UNREACHABLE'],
  ['resets in the middle of its answer', (socket) => socket.write(head, () => socket.destroy()), 'PEER_UNREACHABLE'],
  ['falls silent in the middle of its answer', (socket) => socket.write(head), 'DEADLINE_EXCEEDED'],
  ['says nothing', () => {}, 'DEADLINE_EXCEEDED'],
  ['ends without an answer', (socket) => socket.end(), 'PEER_UNREACHABLE'],
])('a peer that %s fails the call', async (_what, odd, code) => {
  expect(await call(odd)).toBe(code)
})

it.each([
  ['in the middle of', (socket: TLSSocket) => void socket.write(head)],
  ['before', () => {}],
])('a peer that stands still %s its answer is given up long before the time for all of it is over', async (_, odd) => {
  expect(await call(odd, { requestTimeoutMs: 3_600_000, stallTimeoutMs: 200 })).toBe('DEADLINE_EXCEEDED')
})

it('a peer with another certificate, or an expectation that is none, gets nothing', async () => {
  let asked = 0
  expect(await call(() => asked++, { certificate: createTestCa().issue({ subject: '/CN=other' }).certificate })).toBe('PEER_UNTRUSTED')
  server.close()
  expect(await call(() => asked++, { certificate: 'x' })).toBe('PEER_UNTRUSTED')
  expect(asked).toBe(0)
})
