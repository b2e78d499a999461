import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { createTestCa, createTestIssuer } from '@sallyport/test-fixtures'
import type { WirePrincipal } from '@sallyport/tunnel'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, startConnectorBench, until } from './connector-bench.ts'

const ca = createTestCa()
const identity = ca.issue({ subject: '/CN=localhost' })
const userCa = createTestCa({ subject: '/O=Test/CN=User CA' })
const system = ca.issue({ subject: '/CN=connector system', names: [] })
const issuer = createTestIssuer()
const jane: WirePrincipal = { kind: 'business', token: issuer.user('jane@acme.test') }

let server: Server
let bench: ConnectorBench
/** Requests to upgrade that have reached the backend: `path subprotocol host`. */
let upgrades: string[]
/** Who came with them: the name in the certificate of the handshake, and every user certificate in a header. */
let peers: { readonly handshake: string; readonly headers: readonly string[] }[]
afterEach(async () => {
  await bench[Symbol.asyncDispose]()
  server.closeAllConnections()
  server.close()
})

async function start(fields: Readonly<Record<string, unknown>>, { asksForCertificate = true } = {}): Promise<void> {
  upgrades = []
  peers = []
  const clients = asksForCertificate ? { requestCert: true, rejectUnauthorized: false, ca: ca.certificate } : {}
  server = createServer({ cert: identity.certificate, key: identity.key, ...clients }, (_request, response) => response.end('plain'))
  server.on('upgrade', ({ headers, rawHeaders, url }, socket) => {
    const certificate = (socket as TLSSocket).getPeerCertificate()
    peers.push({
      handshake: certificate.subject?.CN?.toString() ?? '',
      headers: rawHeaders.filter((_, at) => at % 2 === 1 && rawHeaders[at - 1]?.toUpperCase() === 'SSL_CLIENT_CERT'),
    })
    upgrades.push(`${url} ${headers['sec-websocket-protocol']} ${headers.host}`)
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
    socket.pipe(socket)
  })
  server.listen(0)
  await once(server, 'listening')
  const mapping = {
    virtual: 'erp.demo:443',
    internal: `rfcws://localhost:${(server.address() as AddressInfo).port}`,
    backendType: 'abapSys',
  }
  bench = await startConnectorBench({
    connector: {
      backendTrust: { authorities: [{ file: 'ca.pem' }] },
      systemCertificate: { certificate: { file: 'system.pem' }, key: { file: 'system.key' } },
      principalPropagation: { ca: { certificate: { file: 'users.pem' }, key: { file: 'users.key' } } },
      mappings: [{ ...mapping, ...fields }],
    },
    files: {
      'ca.pem': ca.certificate,
      'system.pem': system.certificate,
      'system.key': system.key,
      'users.pem': userCa.certificate,
      'users.key': userCa.key,
    },
    issuers: [{ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }],
  })
}

/** Everything that comes back for an upgrade, and for what is said behind it. */
async function upgrade(
  path: string,
  isDone: (text: string) => boolean,
  { lines = [], principal }: { readonly lines?: readonly string[]; readonly principal?: WirePrincipal } = {},
): Promise<string> {
  const stream = bench.connect({ host: 'erp.demo', port: 443, ...(principal === undefined ? {} : { principal }) })
  let text = ''
  stream.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  const head = ['Host: erp.demo:443', 'Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==', ...lines]
  stream.write(
    `GET ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: rfc.sap.com\r\n\r\nframes`,
  )
  await until(() => isDone(text))
  stream.destroy()
  return text
}

const path = '/sap/bc/rfc?sap-apc-stateful=true'
const isWhole = (text: string): boolean => text.includes('frames') || /^HTTP\/1\.1 (?:403|502)[^]*\n$/.test(text)

describe('mappings of protocol RFCWS', () => {
  it('lead WebSocket RFC over TLS to the system, where they let it pass unread', async () => {
    await start({ passUnread: true })
    expect(await upgrade(path, isWhole)).toMatch(/^HTTP\/1\.1 101 [^]*frames$/)
    expect(upgrades).toEqual([`${path} rfc.sap.com erp.demo:443`])
  })

  it('refuse it otherwise, because no function in it could be decided', async () => {
    await start({})
    expect(await upgrade(path, isWhole)).toMatch(/^HTTP\/1\.1 403 /)
    expect(upgrades).toEqual([])
    expect(bench.audit.at(-1)?.message).toMatch(
      /Access denied to resource \/sap\/bc\/rfc on system erp\.demo:443: the functions of WebSocket RFC cannot be read/,
    )
  })

  it('admit nothing else: no other path, and no request that does not upgrade', async () => {
    await start({ passUnread: true })
    for (const other of ['/sap/bc/rfc/', '/sap/bc/ping', '/sap/bc/rfc/../gui'])
      expect(await upgrade(other, isWhole), other).toMatch(/^HTTP\/1\.1 403 /)
    expect((await bench.request({ path: '/sap/bc/rfc', host: 'erp.demo', port: 443 })).status).toBe(403)
    expect(upgrades).toEqual([])
    expect((await bench.tcp({ host: 'erp.demo', port: 443 })).answer).toMatchObject({ kind: 'refused', code: 'ACCESS_DENIED' })
  })
})

describe('the user of WebSocket RFC', () => {
  it('PP-050 goes as a certificate in the upgrade request, over TLS with the system certificate', async () => {
    await start({ passUnread: true, principalType: 'X509_GENERAL' })
    expect(await upgrade(path, isWhole, { principal: jane, lines: ['SSL_CLIENT_CERT: forged'] })).toMatch(/^HTTP\/1\.1 101 [^]*frames$/)
    expect(peers).toMatchObject([{ handshake: 'connector system', headers: [expect.any(String)] }])
    const certificate = new X509Certificate(Buffer.from(peers[0]?.headers[0] ?? '', 'base64'))
    expect(certificate.subject).toBe('CN=jane@acme.test')
    expect(certificate.verify(new X509Certificate(userCa.certificate).publicKey)).toBe(true)
    // Nobody is logged on without a principal, and nobody where the mapping does not propagate.
    await upgrade(path, isWhole, { lines: ['SSL_CLIENT_CERT: forged'] })
    expect(peers[1]).toEqual({ handshake: 'connector system', headers: [] })
  })

  it('is not sent where the mapping has the mode NONE, which still speaks TLS with the system certificate', async () => {
    await start({ passUnread: true, principalType: 'NONE' })
    await upgrade(path, isWhole, { principal: jane })
    expect(peers).toEqual([{ handshake: 'connector system', headers: [] }])
  })

  it('is not sent to a system that has not asked for the system certificate: 502, and no upgrade', async () => {
    await start({ passUnread: true, principalType: 'X509_GENERAL' }, { asksForCertificate: false })
    expect(await upgrade(path, isWhole, { principal: jane })).toMatch(
      /^HTTP\/1\.1 502 [^]*Principal propagation forbidden for user jane@acme\.test on system erp\.demo:443/,
    )
    expect(upgrades).toEqual([])
  })

  it('is refused with a token that nobody trusts, and no upgrade reaches the system', async () => {
    await start({ passUnread: true, principalType: 'X509_GENERAL' })
    const foreign = createTestIssuer({ issuer: issuer.issuer }).user('jane@acme.test')
    expect(await upgrade(path, isWhole, { principal: { kind: 'business', token: foreign } })).toMatch(
      /^HTTP\/1\.1 403 [^]*SSO token validation failed/,
    )
    expect(upgrades).toEqual([])
  })

  it.each(['X509_RESTRICTED', 'NONE_RESTRICTED', 'KERBEROS'])('knows no mode %s', async (principalType) => {
    await start({ passUnread: true })
    await expect(
      bench.configure({ mappings: [{ virtual: 'erp.demo:443', internal: 'rfcws://erp', backendType: 'abapSys', principalType }] }),
    ).rejects.toThrow(`${principalType} needs another protocol than RFCWS`)
  })
})
