import { X509Certificate } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { createHttpBackend, createTestCa, createTestIssuer, type HttpBackend } from '@sallyport/test-fixtures'
import { type Nginx, skipUnless, startNginx } from '@sallyport/real-backends'
import type { WirePrincipal } from '@sallyport/tunnel'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ConnectorBench, mappingTo, startConnectorBench } from '../conformance/connector-bench.ts'

// One authority for each hop, so that whoever is trusted at one is a stranger at the other.
const connectorCa = createTestCa({ subject: '/O=Test/CN=Connector CA' })
const landscapeCa = createTestCa({ subject: '/O=Test/CN=Landscape CA' })
const userCa = createTestCa({ subject: '/O=Test/CN=User CA' })
const system = connectorCa.issue({ subject: '/CN=connector system', names: [] })
const stranger = connectorCa.issue({ subject: '/CN=somebody else', names: [] })
const dispatcher = landscapeCa.issue({ subject: '/CN=dispatcher' })
const server = landscapeCa.issue({ subject: '/CN=abap' })
const issuer = createTestIssuer()
const jane: WirePrincipal = { kind: 'business', token: issuer.user('jane@acme.test') }
const john: WirePrincipal = { kind: 'business', token: issuer.user('john@acme.test') }

/** As a dispatcher is set up: it demands a certificate, takes the user's header from the connector alone, and shows its own certificate to the system. */
function dispatcherConfiguration({ folder, port }: { readonly folder: string; readonly port: number }, backend: URL): string {
  const files = {
    'server.pem': dispatcher.certificate,
    'server.key': dispatcher.key,
    'connector-ca.pem': connectorCa.certificate,
    'landscape-ca.pem': landscapeCa.certificate,
  }
  for (const [name, pem] of Object.entries(files)) writeFileSync(join(folder, name), pem, { mode: 0o600 })
  return `
  map $ssl_client_s_dn $forwarded { default ""; "CN=connector system" $http_ssl_client_cert; }
  server {
    listen 127.0.0.1:${port} ssl;
    underscores_in_headers on;
    large_client_header_buffers 4 32k;
    ssl_certificate ${folder}/server.pem;
    ssl_certificate_key ${folder}/server.key;
    ssl_client_certificate ${folder}/connector-ca.pem;
    ssl_verify_client on;
    location / {
      proxy_pass ${backend.origin};
      proxy_http_version 1.1;
      proxy_set_header SSL_CLIENT_CERT $forwarded;
      proxy_ssl_certificate ${folder}/server.pem;
      proxy_ssl_certificate_key ${folder}/server.key;
      proxy_ssl_trusted_certificate ${folder}/landscape-ca.pem;
      proxy_ssl_verify on;
      proxy_ssl_name localhost;
    }
  }`
}

describe.skipIf(skipUnless('nginx'))('a dispatcher between connector and system', () => {
  let backend: HttpBackend
  let nginx: Nginx
  let bench: ConnectorBench
  beforeAll(async () => {
    backend = await createHttpBackend({
      tls: { certificate: server.certificate, key: server.key, clientCa: landscapeCa.certificate },
      answer: () => ({ body: 'ok' }),
    })
    nginx = await startNginx({ configuration: (own) => dispatcherConfiguration(own, new URL(backend.url)) })
    const to = (url: string, virtual: string): unknown => mappingTo(url, { virtual, backendType: 'abapSys', principalType: 'X509_GENERAL' })
    bench = await startConnectorBench({
      connector: {
        backendTrust: { authorities: [{ file: 'landscape-ca.pem' }] },
        systemCertificate: { certificate: { file: 'system.pem' }, key: { file: 'system.key' } },
        principalPropagation: { ca: { certificate: { file: 'users.pem' }, key: { file: 'users.key' } } },
        mappings: [to(`https://localhost:${nginx.port}`, 's4.demo:443'), to(backend.url, 'direct.demo:443')],
      },
      files: {
        'landscape-ca.pem': landscapeCa.certificate,
        'system.pem': system.certificate,
        'system.key': system.key,
        'users.pem': userCa.certificate,
        'users.key': userCa.key,
      },
      issuers: [{ issuer: issuer.issuer, name: 'Test', type: 'OAUTH2', keys: issuer.keys }],
    })
  })
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]()
    await nginx?.stop()
    await backend?.[Symbol.asyncDispose]()
  })

  const sent = (): readonly string[] => {
    const raw = backend.requests.at(-1)?.rawHeaders ?? []
    return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toUpperCase() === 'SSL_CLIENT_CERT')
  }

  it('PP-051 hands the header with the user certificate on unchanged, under its own certificate', async () => {
    for (const [principal, subject] of [
      [jane, 'CN=jane@acme.test'],
      [john, 'CN=john@acme.test'],
    ] as const) {
      expect((await bench.request({ principal })).status).toBe(200)
      expect(backend.requests.at(-1)?.peer).toBe('dispatcher')
      expect(sent()).toHaveLength(1)
      const certificate = new X509Certificate(Buffer.from(sent()[0] ?? '', 'base64'))
      expect(certificate.subject).toBe(subject)
      expect(certificate.verify(new X509Certificate(userCa.certificate).publicKey)).toBe(true)
      // Byte for byte: what arrives is what the encoder makes of the certificate, with nothing wrapped, cut or encoded again.
      expect(sent()[0]).toBe(certificate.raw.toString('base64'))
    }
    await bench.request({ headers: { SSL_CLIENT_CERT: 'forged' } })
    expect(sent()).toEqual([])
  })

  it('is the only one whom the system trusts: the connector itself is turned away', async () => {
    const before = backend.requests.length
    expect((await bench.request({ host: 'direct.demo', principal: jane })).status).toBe(502)
    expect(backend.requests).toHaveLength(before)
  })

  it('takes the header from nobody but the connector', async () => {
    const header = new X509Certificate(userCa.issue({ subject: '/CN=jane@acme.test', names: [] }).certificate).raw.toString('base64')
    const socket = connect({
      host: '127.0.0.1',
      port: nginx.port,
      servername: 'localhost',
      ca: landscapeCa.certificate,
      key: stranger.key,
      cert: stranger.certificate,
    })
    let answer = ''
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text))
    socket.write(`GET / HTTP/1.1\r\nHost: localhost\r\nSSL_CLIENT_CERT: ${header}\r\nConnection: close\r\n\r\n`)
    await new Promise((resolve) => socket.once('end', resolve))
    socket.destroy()
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(sent()).toEqual([])
  })
})
