import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createTestCa, type TestIdentity } from '@sallyport/test-fixtures'
import { createSelfSignedCertificate, formatPem, issueCertificate } from '@sallyport/x509'
import { getCACertificates, setDefaultCACertificates, type TLSSocket } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench } from './connector-bench.ts'

const root = createTestCa({ subject: '/O=Test/CN=Root' })
const other = createTestCa({ subject: '/O=Test/CN=Other' })
const system = root.issue({ subject: '/CN=connector system', names: [] })

let server: Server | undefined
let bench: ConnectorBench | undefined
afterEach(async () => {
  await bench?.[Symbol.asyncDispose]()
  server?.closeAllConnections()
  server?.close()
})

interface Seen {
  servername: string | false | null | undefined
  peer: string | undefined
  alpn: string | false | null
}

async function startServer(identity: TestIdentity, requestCert = false): Promise<{ readonly port: number; readonly seen: Seen[] }> {
  const seen: Seen[] = []
  server = createServer(
    { cert: identity.certificate, key: identity.key, ALPNProtocols: ['h2', 'http/1.1'], requestCert, rejectUnauthorized: false },
    (request, response) => {
      const socket = request.socket as TLSSocket & { servername?: string | false }
      const subject = socket.getPeerCertificate().subject as { CN?: string } | undefined
      seen.push({ servername: socket.servername, peer: subject?.CN, alpn: socket.alpnProtocol })
      response.end('ok')
    },
  )
  server.listen(0)
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, seen }
}

const start = async (
  port: number,
  connector: Readonly<Record<string, unknown>>,
  files: Readonly<Record<string, string>>,
  host = 'localhost',
): Promise<void> => {
  bench = await startConnectorBench({ connector: { ...connector, mappings: [mappingTo(`https://${host}:${port}`)] }, files })
}
const request = async (): Promise<readonly [number, string]> => {
  const answer = await (bench as ConnectorBench).request({})
  return [answer.status, answer.body]
}
const trusting = (file: string): Readonly<Record<string, unknown>> => ({ backendTrust: { authorities: [{ file }] } })

const day = 86_400_000
const validity = { notBefore: new Date(Date.now() - day), notAfter: new Date(Date.now() + day) }
const serverUse = {
  basicConstraints: { ca: false },
  keyUsage: ['digitalSignature'],
  extendedKeyUsage: ['serverAuth'],
  subjectAltNames: [{ dns: 'localhost' }],
} as const

function selfSigned(): TestIdentity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = createSelfSignedCertificate(
    { subject: [{ type: 'CN', value: 'localhost' }], publicKey, ...validity, extensions: serverUse },
    privateKey,
  )
  return { certificate: formatPem('CERTIFICATE', certificate), key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) }
}

function chainBelow(ca: TestIdentity): { readonly server: TestIdentity; readonly intermediate: string } {
  const middle = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const leaf = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const intermediate = issueCertificate(
    {
      subject: [{ type: 'CN', value: 'Intermediate' }],
      publicKey: middle.publicKey,
      ...validity,
      extensions: { basicConstraints: { ca: true }, keyUsage: ['keyCertSign'], subjectKeyIdentifier: true },
    },
    { certificate: new X509Certificate(ca.certificate).raw, privateKey: createPrivateKey(ca.key) },
  )
  const certificate = issueCertificate(
    { subject: [{ type: 'CN', value: 'backend' }], publicKey: leaf.publicKey, ...validity, extensions: serverUse },
    { certificate: intermediate, privateKey: middle.privateKey },
  )
  const pem = formatPem('CERTIFICATE', intermediate)
  return {
    server: {
      certificate: `${formatPem('CERTIFICATE', certificate)}${pem}`,
      key: String(leaf.privateKey.export({ type: 'pkcs8', format: 'pem' })),
    },
    intermediate: pem,
  }
}

describe('trust in backends', () => {
  it('CC-087 refuses an untrusted certificate, and accepts every one with trustAll', async () => {
    const { port, seen } = await startServer(other.issue({ subject: '/CN=backend' }))
    await start(port, trusting('root.pem'), { 'root.pem': root.certificate })
    const [status, body] = await request()
    expect(status).toBe(502)
    expect(body).toMatch(/^Unable to open connection to backend system s4\.demo:443: its certificate is not trusted/)
    expect(seen).toEqual([])
    await (bench as ConnectorBench).configure({ backendTrust: { trustAll: true }, mappings: [mappingTo(`https://localhost:${port}`)] })
    expect(await request()).toEqual([200, 'ok'])
  })

  it('CC-087 trusts nothing when nothing is configured', async () => {
    const { port } = await startServer(root.issue({ subject: '/CN=backend' }))
    // Not even what this process trusts by default: that is every public authority.
    const usual = getCACertificates('default')
    setDefaultCACertificates([root.certificate])
    try {
      await start(port, {}, {})
      expect((await request())[0]).toBe(502)
    } finally {
      setDefaultCACertificates(usual)
    }
  })

  it('CC-088 trusts a chain by its root', async () => {
    const { port } = await startServer(root.issue({ subject: '/CN=backend' }))
    await start(port, trusting('root.pem'), { 'root.pem': root.certificate })
    expect((await request())[0]).toBe(200)
  })

  it('CC-088 trusts a self-signed server certificate that is listed itself, and no other of the same name', async () => {
    const { port } = await startServer(selfSigned())
    await start(port, trusting('leaf.pem'), { 'leaf.pem': selfSigned().certificate })
    expect((await request())[0]).toBe(502)
    server?.close()
    const own = selfSigned()
    const second = await startServer(own)
    await (bench as ConnectorBench).configure(
      { ...trusting('leaf.pem'), mappings: [mappingTo(`https://localhost:${second.port}`)] },
      { 'leaf.pem': own.certificate },
    )
    expect((await request())[0]).toBe(200)
  })

  it('CC-088 trusts a chain by its intermediate, without its root', async () => {
    const chain = chainBelow(root)
    const { port } = await startServer(chain.server)
    await start(port, trusting('intermediate.pem'), { 'intermediate.pem': chain.intermediate })
    expect((await request())[0]).toBe(200)
    await (bench as ConnectorBench).configure(
      { ...trusting('intermediate.pem'), mappings: [mappingTo(`https://localhost:${port}`)] },
      { 'intermediate.pem': chainBelow(root).intermediate },
    )
    expect((await request())[0]).toBe(502)
  })

  it('checks that the certificate names the internal host, unless told otherwise', async () => {
    const { port } = await startServer(root.issue({ subject: '/CN=elsewhere', names: ['elsewhere.example'] }))
    await start(port, trusting('root.pem'), { 'root.pem': root.certificate })
    expect((await request())[0]).toBe(502)
    await (bench as ConnectorBench).configure({
      backendTrust: { authorities: [{ file: 'root.pem' }], verifyHostName: false },
      mappings: [mappingTo(`https://localhost:${port}`)],
    })
    expect((await request())[0]).toBe(200)
  })

  it('CC-089 sends the internal host name as SNI, asks for HTTP/1.1, and sends no address as a name', async () => {
    const { port, seen } = await startServer(root.issue({ subject: '/CN=backend' }))
    await start(port, trusting('root.pem'), { 'root.pem': root.certificate })
    await request()
    expect(seen[0]).toMatchObject({ servername: 'localhost', alpn: 'http/1.1' })
    await (bench as ConnectorBench).configure({ ...trusting('root.pem'), mappings: [mappingTo(`https://127.0.0.1:${port}`)] })
    expect((await request())[0]).toBe(200)
    expect(seen[1]?.servername).toBe(false)
  })

  it('CC-104 presents the system certificate when the backend asks for one, and only then', async () => {
    const material = { systemCertificate: { certificate: { file: 's.pem' }, key: { file: 's.key' } } }
    const files = { 'root.pem': root.certificate, 's.pem': system.certificate, 's.key': system.key }
    const { port, seen } = await startServer(root.issue({ subject: '/CN=backend' }), true)
    await start(port, { ...trusting('root.pem'), ...material }, files)
    await request()
    expect(seen[0]?.peer).toBe('connector system')
    server?.closeAllConnections()
    server?.close()
    const plain = await startServer(root.issue({ subject: '/CN=backend' }), false)
    await (bench as ConnectorBench).configure({
      ...trusting('root.pem'),
      ...material,
      mappings: [mappingTo(`https://localhost:${plain.port}`)],
    })
    await request()
    expect(plain.seen[0]?.peer).toBeUndefined()
  })

  it('CC-086 answers 502 when nobody listens or the name is not known, and says so without the internal name', async () => {
    const { port } = await startServer(root.issue({ subject: '/CN=backend' }))
    server?.close()
    await start(port, trusting('root.pem'), { 'root.pem': root.certificate }, '127.0.0.1')
    const [status, body] = await request()
    expect(status).toBe(502)
    expect(body).toBe('Unable to open connection to backend system s4.demo:443: the connection was refused\n')
    await (bench as ConnectorBench).configure({ mappings: [mappingTo('http://does-not-exist.invalid:80')] })
    const unknown = await request()
    expect(unknown[0]).toBe(502)
    expect(unknown[1]).toMatch(/^Unable to open connection to backend system s4\.demo:443: the (host name is not known|name service)/)
    expect(unknown[1]).not.toContain('does-not-exist')
  })
})
