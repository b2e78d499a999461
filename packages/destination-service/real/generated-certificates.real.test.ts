import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipUnless } from '@sallyport/real-backends'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { landscape, providerSubaccount, type RunningService, startService } from '../conformance/running-service.ts'

const skipped = skipUnless('openssl')
const collection = '/v1/subaccountCertificates'
let running: RunningService
let folder: string

beforeAll(async () => {
  running = await startService()
  folder = mkdtempSync(join(tmpdir(), 'sallyport-generated-'))
})
afterAll(async () => {
  await running.close()
  rmSync(folder, { recursive: true, force: true })
})

const openssl = (...args: readonly string[]): string =>
  execFileSync('openssl', args, { cwd: folder, timeout: 15_000, stdio: ['ignore', 'pipe', 'pipe'] }).toString()

/** Generates a file over the API and puts it into the folder. */
async function generate(Name: string, Attributes: object): Promise<void> {
  expect((await running.call('POST', collection, { body: { Name, Attributes } })).status).toBe(201)
  const { Content } = (await running.call('GET', `${collection}/${Name}`)).json as { readonly Content: string }
  writeFileSync(join(folder, Name), Buffer.from(Content, 'base64'))
}

describe.skipIf(skipped)('openssl', () => {
  it('verifies a generated certificate as that of a TLS client, through both authorities', async () => {
    await generate('c.pem', { CN: 'client, Inc.', Validity: { TimeUnit: 'DAYS', Value: 30 } })
    const pem = openssl('crl2pkcs7', '-nocrl', '-certfile', 'c.pem')
    writeFileSync(join(folder, 'c.p7'), pem)
    const chain = openssl('pkcs7', '-in', 'c.p7', '-print_certs').split(/(?<=-----END CERTIFICATE-----\n)/)
    expect(chain.filter((part) => part.includes('BEGIN'))).toHaveLength(3)
    writeFileSync(join(folder, 'root.pem'), chain[2] ?? '')
    const atSeconds = String(Math.floor(running.clock.now() / 1_000))
    expect(
      openssl(
        'verify',
        '-x509_strict',
        '-purpose',
        'sslclient',
        '-attime',
        atSeconds,
        '-CAfile',
        'root.pem',
        '-untrusted',
        'c.pem',
        'c.pem',
      ),
    ).toContain('OK')
    const text = openssl('x509', '-in', 'c.pem', '-noout', '-text', '-nameopt', 'RFC2253')
    expect(text).toContain(`Subject: CN=client\\, Inc.,L=${landscape}/${providerSubaccount},OU=`)
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment/)
    expect(text).toMatch(/Extended Key Usage: \s*TLS Web Client Authentication/)
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/)
    expect(text).toContain('sha256WithRSAEncryption')
    expect(openssl('pkey', '-in', 'c.pem', '-pubout')).toBe(openssl('x509', '-in', 'c.pem', '-noout', '-pubkey'))
  })

  it('opens generated key stores and encrypted keys with their password, and with no other', async () => {
    await generate('c.p12', { Password: 'secret 1' })
    expect(openssl('pkcs12', '-in', 'c.p12', '-passin', 'pass:secret 1', '-nodes').match(/BEGIN CERTIFICATE/g)).toHaveLength(3)
    expect(() => openssl('pkcs12', '-in', 'c.p12', '-passin', 'pass:other', '-nodes')).toThrow(/Mac verify error/)
    await generate('locked.pem', { Password: 'secret 1' })
    expect(openssl('pkey', '-in', 'locked.pem', '-passin', 'pass:secret 1')).toContain('BEGIN PRIVATE KEY')
    expect(() => openssl('pkey', '-in', 'locked.pem', '-passin', 'pass:other')).toThrow(/Command failed/)
  })
})
