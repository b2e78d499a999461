import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConnectivityError, createSecret, type Sealer, systemClock } from '@sallyport/core'
import { createManualClock, createTestCa } from '@sallyport/test-fixtures'
import { createTunnelServer } from '@sallyport/tunnel'
import { createMemoryTransport } from '@sallyport/tunnel/memory'
import { formatPem, issueCertificate, parseCertificationRequest } from '@sallyport/x509'
import { afterEach, describe, expect, it } from 'vitest'
import {
  type ConnectorIdentity,
  createCloudConnector,
  createConfigurationText,
  createMaterialFolder,
  createMaterialMemory,
  loadIdentities,
  pairConnector,
  saveIdentity,
  type ServerTrust,
} from '../src/index.ts'
import { until } from './connector-bench.ts'

const webCa = createTestCa({ subject: '/CN=Web CA' })
const web = webCa.issue({ subject: '/CN=connectivity service' })
const connectorCa = createTestCa({ subject: '/CN=Connector CA' })
const day = 86_400_000

/** Signs a request the way the connectivity service does. */
function sign(request: string, validFromMs: number, days: number): string {
  const certificate = issueCertificate(
    {
      subject: [{ type: 'CN', value: 'connector-1' }],
      publicKey: parseCertificationRequest(request).publicKey,
      notBefore: new Date(validFromMs),
      notAfter: new Date(validFromMs + days * day),
      extensions: { basicConstraints: { ca: false }, keyUsage: ['digitalSignature'], extendedKeyUsage: ['clientAuth'] },
    },
    { certificate: new X509Certificate(connectorCa.certificate).raw, privateKey: createPrivateKey(connectorCa.key) },
  )
  return formatPem('CERTIFICATE', certificate)
}

type Answer = (body: Readonly<Record<string, string>>) => readonly [number, unknown]
let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})
async function startService(answer: Answer): Promise<{ readonly url: URL; readonly received: Readonly<Record<string, string>>[] }> {
  const received: Readonly<Record<string, string>>[] = []
  server = createServer({ cert: web.certificate, key: web.key }, (request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      expect([request.method, request.url]).toEqual(['POST', '/api/v1/pairing'])
      const body = JSON.parse(text) as Readonly<Record<string, string>>
      received.push(body)
      const [status, result] = answer(body)
      response.writeHead(status, { 'content-type': 'application/json' }).end(typeof result === 'string' ? result : JSON.stringify(result))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: new URL(`https://127.0.0.1:${(server.address() as AddressInfo).port}`), received }
}
const granting: Answer = (body) => [
  200,
  {
    subaccount: 'demo',
    certificate: sign(body['certificationRequest'] ?? '', Date.now() - 3_600_000, 365),
    authorities: connectorCa.certificate,
    tunnelEndpoint: 'tls://proxy.example:8042',
  },
]
const pair = (server_: URL, trust: ServerTrust): Promise<ConnectorIdentity> =>
  pairConnector({ server: server_, trust, code: 'ABCDE-12345', connectorId: 'connector-1', locationId: 'here', description: 'test' })

/** A sealer that is good enough to see whether it is used. */
const sealer: Sealer = {
  seal: (plaintext, context) => Buffer.from(JSON.stringify([context, plaintext])).toString('base64'),
  open(sealed, context) {
    const [bound, plaintext] = JSON.parse(Buffer.from(sealed, 'base64').toString()) as [string, string]
    if (bound !== context) throw new ConnectivityError('STORE_FAILED', 'sealed for something else')
    return plaintext
  },
}

describe('pairing', () => {
  it('sends code and request, and returns an identity with a key that never left', async () => {
    const { received, url } = await startService(granting)
    const identity = await pair(url, { authorities: webCa.certificate })
    expect(identity).toMatchObject({
      subaccount: 'demo',
      locationId: 'here',
      connectorId: 'connector-1',
      tunnelEndpoint: 'tls://proxy.example:8042',
    })
    expect(new X509Certificate(identity.certificate).checkPrivateKey(createPrivateKey(identity.key.reveal()))).toBe(true)
    expect(received).toMatchObject([{ code: 'ABCDE-12345', connectorId: 'connector-1', locationId: 'here', description: 'test' }])
    expect(JSON.stringify([received, identity])).not.toContain('PRIVATE KEY')
  })

  it('trusts the server by its fingerprint, in any spelling', async () => {
    const { url } = await startService(granting)
    const fingerprint = new X509Certificate(web.certificate).fingerprint256
    for (const spelling of [fingerprint, fingerprint.replaceAll(':', '').toLowerCase(), `sha256:${fingerprint}`]) {
      expect((await pair(url, { fingerprint: spelling })).subaccount).toBe('demo')
    }
  })

  it('sends nothing to a server that is not the expected one', async () => {
    const { received, url } = await startService(granting)
    const wrong = new X509Certificate(connectorCa.certificate).fingerprint256
    for (const trust of [{ authorities: connectorCa.certificate }, { fingerprint: wrong }, { fingerprint: '' }, { fingerprint: 'AB:CD' }]) {
      await expect(pair(url, trust)).rejects.toMatchObject({ code: 'PEER_UNTRUSTED' })
    }
    await expect(pair(new URL(url.href.replace('https', 'http')), { authorities: webCa.certificate })).rejects.toMatchObject({
      code: 'PEER_UNTRUSTED',
    })
    expect(received).toEqual([])
  })

  it.each<[string, Answer, string]>([
    ['a refusal', () => [403, { code: 'PAIRING_REFUSED', message: 'the pairing code is not valid' }], 'PAIRING_REFUSED'],
    ['too many attempts', () => [429, { code: 'PAIRING_REFUSED', message: 'wait' }], 'PAIRING_REFUSED'],
    ['a bad request', () => [400, { code: 'MESSAGE_INVALID', message: 'no' }], 'MESSAGE_INVALID'],
    ['an outage', () => [503, 'gone'], 'SERVICE_UNAVAILABLE'],
    ['no JSON', () => [200, 'hello'], 'PROTOCOL_VIOLATION'],
    ['a missing member', () => [200, { subaccount: 'demo' }], 'PROTOCOL_VIOLATION'],
    ['an endless answer', () => [200, 'x'.repeat(1_000_000)], 'PROTOCOL_VIOLATION'],
    [
      'the certificate of somebody else',
      () => [200, { subaccount: 'demo', certificate: connectorCa.certificate, authorities: 'x', tunnelEndpoint: 'tls://x:1' }],
      'PROTOCOL_VIOLATION',
    ],
  ])('fails on %s', async (_, answer, code) => {
    const { url } = await startService(answer)
    await expect(pair(url, { authorities: webCa.certificate })).rejects.toMatchObject({ code })
  })

  it('says when nobody listens', async () => {
    const { url } = await startService(granting)
    server?.close()
    await expect(pair(url, { authorities: webCa.certificate })).rejects.toMatchObject({ code: 'PEER_UNREACHABLE' })
  })
})

describe('material on disk', () => {
  it('keeps identities sealed, for the owner only, and gives them back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-material-'))
    const material = createMaterialFolder({ folder: join(folder, 'state'), sealer })
    expect(await loadIdentities(material)).toEqual([])
    const { url } = await startService(granting)
    const identity = await pair(url, { authorities: webCa.certificate })
    await saveIdentity(material, identity)
    await saveIdentity(material, { ...identity, locationId: '' })
    const files = readdirSync(join(folder, 'state'))
    expect(files).toHaveLength(2)
    for (const file of files) {
      const path = join(folder, 'state', file)
      expect(statSync(path).mode & 0o777).toBe(0o600)
      expect(readFileSync(path, 'utf8')).not.toContain('PRIVATE KEY')
    }
    const loaded = await loadIdentities(material)
    expect(loaded.map((each) => each.locationId).toSorted()).toEqual(['', 'here'])
    expect(loaded[0]?.key.reveal()).toBe(identity.key.reveal())
    // One file cannot stand in for another.
    writeFileSync(join(folder, 'state', files[0] ?? ''), readFileSync(join(folder, 'state', files[1] ?? '')))
    await expect(loadIdentities(material)).rejects.toMatchObject({ code: 'STORE_FAILED' })
    rmSync(folder, { recursive: true })
  })
})

describe('renewal', () => {
  it('renews the certificate before it expires, stores it first, and dials with it', async () => {
    const clock = createManualClock(Date.now())
    const transport = createMemoryTransport({ clock: systemClock })
    const endpoint = new URL('memory://renewal')
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const first = formatPem(
      'CERTIFICATE',
      issueCertificate(
        {
          subject: [{ type: 'CN', value: 'connector-1' }],
          publicKey,
          notBefore: new Date(clock.now()),
          notAfter: new Date(clock.now() + 365 * day),
          extensions: {},
        },
        { certificate: new X509Certificate(connectorCa.certificate).raw, privateKey: createPrivateKey(connectorCa.key) },
      ),
    )
    let allowed = false
    const cloudSide = createTunnelServer({
      transport,
      endpoint,
      authorize: () => Promise.resolve({ allowed: true, subaccount: 'demo' }),
      trust: () => Promise.resolve([]),
      renewCertificate: async ({ request }) => {
        if (!allowed) throw new ConnectivityError('PAIRING_REFUSED', 'not today')
        return { certificate: sign(request, clock.now(), 365), authorities: 'new authorities' }
      },
      clock: systemClock,
      audit: { failing: false, write: () => {}, flushed: () => Promise.resolve() },
    })
    await cloudSide.listen()
    const material = createMaterialMemory()
    const used: string[] = []
    const connector = createCloudConnector({
      configuration: createConfigurationText({ text: '' }),
      identities: [
        {
          subaccount: 'demo',
          locationId: '',
          connectorId: 'connector-1',
          description: '',
          tunnelEndpoint: endpoint.href,
          certificate: first,
          key: createSecret(String(privateKey.export({ type: 'pkcs8', format: 'pem' }))),
          authorities: '',
        },
      ],
      createTransport: (current) => ({
        ...transport,
        connect: (...parameters) => {
          used.push(current().certificate)
          return transport.connect(...parameters)
        },
      }),
      material,
      audit: { failing: false, write: () => {}, flushed: () => Promise.resolve() },
      clock,
      random: () => 0,
      agentVersion: 'test',
    })
    await connector.start()
    await connector.whenConnected(AbortSignal.timeout(5000))
    const certificate = (): { readonly notAfterMs: number; readonly problem: string | undefined } => connector.status.links[0]!.certificate
    /** In the steps in which the connector looks; between them nothing is under way. */
    const passUntil = async (epochMs: number): Promise<void> => {
      while (clock.now() < epochMs) {
        clock.advance(Math.min(6 * 3_600_000, epochMs - clock.now()))
        for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))
      }
    }
    const expires = certificate().notAfterMs
    await passUntil(expires - 37 * day - 10_000)
    expect([certificate().notAfterMs, certificate().problem]).toEqual([expires, undefined])
    clock.advance(20_000)
    await until(() => certificate().problem !== undefined)
    expect(certificate().problem).toContain('not today')
    allowed = true
    await passUntil(clock.now() + 11 * 3_600_000)
    expect(certificate().notAfterMs).toBe(expires)
    clock.advance(3_600_000 + 1000)
    await until(() => certificate().notAfterMs > expires)
    expect(certificate().problem).toBeUndefined()
    const [kept] = await loadIdentities(material)
    expect(new X509Certificate(kept?.certificate ?? '').checkPrivateKey(createPrivateKey(kept?.key.reveal() ?? ''))).toBe(true)
    expect(kept?.authorities).toBe('new authorities')
    clock.advance(1)
    await until(() => used.length > 1)
    expect(used.at(-1)).toBe(kept?.certificate)
    await connector.stop({ graceMs: 0 })
    await cloudSide.close({ graceMs: 0 })
  })
})
