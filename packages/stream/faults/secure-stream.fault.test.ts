import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { createSecret, strictTlsRules, type TlsRules } from '@sallyport/core'
import { createMemoryPair, createTestCa } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { secureStream, type TlsOptions } from '../src/index.ts'

const ca = createTestCa()
const stranger = createTestCa({ subject: '/O=Test/CN=Stranger' })
const server = ca.issue({ subject: '/CN=relay', names: ['relay.acme.test'] })

/** One handshake with a server that has the certificate of relay.acme.test. */
async function handshake(host: string, { tls = {}, rules = {} }: { readonly tls?: TlsOptions; readonly rules?: Partial<TlsRules> } = {}) {
  const [near, far] = createMemoryPair()
  const secured = new TLSSocket(far, { isServer: true, cert: server.certificate, key: server.key })
  secured.on('error', () => {})
  try {
    const socket = await secureStream(near, {
      host,
      tls: { ca: [ca.certificate], ...tls },
      rules: { ...strictTlsRules, ...rules },
      signal: AbortSignal.timeout(5000),
      attempt: 'connect to the relay',
    })
    const { servername } = socket as { servername?: string }
    const protocol = socket.getProtocol()
    socket.destroy()
    return { servername, protocol }
  } finally {
    near.destroy()
    far.destroy()
  }
}

const untrusted = { code: 'BACKEND_UNTRUSTED' }

describe('TLS on a stream', () => {
  it('verifies the name of the host, or that of tls.servername where the host is a virtual one', async () => {
    await expect(handshake('relay.acme.test')).resolves.toMatchObject({ protocol: 'TLSv1.3' })
    await expect(handshake('relay.virtual')).rejects.toMatchObject(untrusted)
    await expect(handshake('relay.virtual', { tls: { servername: 'relay.acme.test' } })).resolves.toBeDefined()
    await expect(handshake('relay.acme.test', { tls: { servername: 'relay.virtual' } })).rejects.toMatchObject(untrusted)
    await expect(handshake('127.0.0.1')).rejects.toMatchObject(untrusted)
  })

  it('takes other names only of certificates from an authority that is trusted', async () => {
    const rules = { acceptedNames: ['other.acme.test', 'relay.acme.test'] }
    await expect(handshake('relay.virtual', { rules })).resolves.toBeDefined()
    await expect(handshake('relay.virtual', { rules: { acceptedNames: ['other.acme.test'] } })).rejects.toMatchObject(untrusted)
    await expect(handshake('relay.virtual', { rules, tls: { ca: [stranger.certificate] } })).rejects.toMatchObject(untrusted)
  })

  it('waives the name, or the authority, where the destination says so and nowhere else', async () => {
    await expect(handshake('relay.virtual', { rules: { checkName: false } })).resolves.toBeDefined()
    const unknown = { tls: { ca: [stranger.certificate] } }
    await expect(handshake('relay.acme.test', { ...unknown, rules: { checkName: false } })).rejects.toMatchObject(untrusted)
    await expect(handshake('relay.virtual', { ...unknown, rules: { checkAuthority: false } })).resolves.toBeDefined()
  })

  it('speaks the versions that the destination allows', async () => {
    await expect(handshake('relay.acme.test', { rules: { maxVersion: 'TLSv1.2' } })).resolves.toMatchObject({ protocol: 'TLSv1.2' })
    await expect(handshake('relay.acme.test', { rules: { minVersion: 'TLSv1.3' } })).resolves.toMatchObject({ protocol: 'TLSv1.3' })
  })

  it.each([
    ['speaks no TLS', (far: Duplex) => void far.write('220 relay ESMTP\r\n'), 'PROTOCOL_VIOLATION'],
    ['goes away', (far: Duplex) => void far.destroy(), 'BACKEND_UNREACHABLE'],
    ['is silent', () => {}, 'DEADLINE_EXCEEDED'],
  ])('destroys the stream of a peer that %s', async (_what, play, code) => {
    const [near, far] = createMemoryPair()
    far.on('error', () => {}).resume()
    const attempt = secureStream(near, { host: 'relay', tls: {}, signal: AbortSignal.timeout(200), attempt: 'connect to the relay' })
    play(far)
    await expect(attempt).rejects.toMatchObject({ code, message: expect.stringContaining('connect to the relay') })
    if (!near.closed) await once(near, 'close')
    far.destroy()
  })

  it('does not show a key that cannot be read', async () => {
    const [near] = createMemoryPair()
    const attempt = secureStream(near, {
      host: 'relay',
      tls: { certificate: server.certificate, key: createSecret('no key at all') },
      signal: AbortSignal.timeout(1000),
      attempt: 'connect to the relay',
    })
    const error = await attempt.catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'CONFIGURATION_INVALID' })
    expect(inspect(error)).not.toContain('no key at all')
    expect(error).not.toHaveProperty('cause')
    expect(near.destroyed).toBe(true)
  })
})
