import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { connect, createServer } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { createManualClock, createTestCa } from './index.ts'
import { opensslIsThere, signsWithOpenssl } from './openssl-authority.ts'
import { signsWithOwnCode } from './own-authority.ts'

describe.each([
  ['openssl', signsWithOpenssl],
  ['our own code', signsWithOwnCode],
] as const)('a test authority signed for by %s', (name, signs) => {
  const missing = name === 'openssl' && !opensslIsThere()

  it.skipIf(missing)('issues certificates that its own certificate verifies', () => {
    const ca = createTestCa({ signs })
    const leaf = new X509Certificate(ca.issue({ subject: '/O=Test/CN=leaf' }).certificate)
    const authority = new X509Certificate(ca.certificate)
    expect(authority.ca).toBe(true)
    expect(leaf.ca).toBe(false)
    expect(leaf.checkIssued(authority) && leaf.verify(authority.publicKey)).toBe(true)
    expect(leaf.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1')
    expect(leaf.subject).toBe('O=Test\nCN=leaf')
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  })

  it.skipIf(missing).each(['ec', 'rsa'] as const)('serves both ends of mutual TLS with %s keys', async (keyType) => {
    const ca = createTestCa({ signs, keyType })
    const [server, client] = [ca.issue({ subject: '/CN=server', keyType }), ca.issue({ subject: '/CN=client', keyType })]
    const listener = createServer({ cert: server.certificate, key: server.key, ca: ca.certificate, requestCert: true })
    listener.on('secureConnection', (socket) => socket.end(socket.getPeerCertificate().subject.CN))
    await once(listener.listen(0, '127.0.0.1'), 'listening')
    const { port } = listener.address() as AddressInfo
    const socket = connect({ port, host: '127.0.0.1', ca: ca.certificate, cert: client.certificate, key: client.key })
    expect(await text(socket)).toBe('client')
    listener.close()
  })
})

it('runs due timers in order when time moves on', () => {
  const clock = createManualClock(0)
  const order: number[] = []
  clock.after(20, () => order.push(20))
  clock.after(10, () => order.push(10))
  const cancel = clock.after(5, () => order.push(5))
  cancel()
  clock.advance(15)
  expect(order).toEqual([10])
  clock.advance(5)
  expect(order).toEqual([10, 20])
})
