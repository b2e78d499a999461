import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { skipUnless } from '@sallyport/real-backends'
import { createTestCa, createTestIssuer, type TestIdentity } from '@sallyport/test-fixtures'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { entryOf, find, store, storeFile } from '../conformance/look-up.ts'
import { type RunningService, startService } from '../conformance/running-service.ts'
import { startTokenServer, type TokenServer } from '../conformance/token-server.ts'
import { formatAssertion } from '../src/authentication/saml/assertion.ts'
import { signAssertion } from '../src/authentication/saml/signature.ts'

const ca = createTestCa()
const signers: readonly (readonly [string, TestIdentity])[] = [
  ['RSA', ca.issue({ subject: '/CN=rsa', keyType: 'rsa' })],
  ['EC', ca.issue({ subject: '/CN=ec', keyType: 'ec' })],
]
const folder = mkdtempSync(join(tmpdir(), 'sallyport-xmlsec1-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What xmlsec1, which owes us nothing, makes of a signed document. Its certificate's key alone counts. */
function verdictOf(xml: string, certificate: string): 'OK' | 'refused' {
  writeFileSync(join(folder, 'assertion.xml'), xml)
  writeFileSync(join(folder, 'certificate.pem'), certificate)
  try {
    const words = [
      '--verify',
      '--id-attr:ID',
      'urn:oasis:names:tc:SAML:2.0:assertion:Assertion',
      '--pubkey-cert-pem',
      'certificate.pem',
      'assertion.xml',
    ]
    execFileSync('xmlsec1', words, { cwd: folder, stdio: 'pipe' })
    return 'OK'
  } catch {
    return 'refused'
  }
}

describe.skipIf(skipUnless('xmlsec1'))('assertions as xmlsec1 sees them', () => {
  let running: RunningService
  let tokenServer: TokenServer
  let issuer: ReturnType<typeof createTestIssuer>
  beforeAll(async () => {
    tokenServer = await startTokenServer()
    issuer = createTestIssuer({ issuer: tokenServer.url.replace('/oauth/token', '/issuer/oauth/token'), nowMs: () => running.clock.now() })
    running = await startService({ issuers: [issuer] })
  })
  afterAll(async () => {
    await running.close()
    await tokenServer.close()
  })

  const destination = (more: Record<string, string>): Record<string, string> => ({
    Name: 'd',
    Type: 'HTTP',
    URL: 'https://target.example',
    Authentication: 'SAMLAssertion',
    audience: 'aud & <ience>',
    authnContextClassRef: 'urn:oasis:names:tc:SAML:2.0:ac:classes:X509',
    clientKey: 'key "quoted"',
    tokenServiceURL: tokenServer.url,
    ...more,
  })
  const user = (): Record<string, string> => ({ 'x-user-token': issuer.user('jäne 𝒥 &<>"\n\'', { scope: [] }) })

  it.each(signers)('DS-102 verify against the %s key store, embedded certificate or not, and not when changed', async (_kind, signer) => {
    await storeFile(running, 'own.pem', `${signer.certificate}\n${signer.key}`)
    for (const includeSigningCertificateInSAMLAssertion of ['false', 'true']) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await store(running, destination({ KeyStoreLocation: 'own.pem', includeSigningCertificateInSAMLAssertion }))
      // oxlint-disable-next-line no-await-in-loop -- as above
      const xml = Buffer.from((await entryOf(running, user())).value, 'base64').toString('utf8')
      expect(xml.includes('X509Certificate')).toBe(includeSigningCertificateInSAMLAssertion === 'true')
      expect(verdictOf(xml, signer.certificate)).toBe('OK')
      for (const [from, to] of [
        ['jäne', 'joe'],
        ['https://target.example', 'https://target.examplf'],
        ['ac:classes:X509', 'ac:classes:X50'],
        ['Version="2.0"', 'Version="2.1"'],
        ['</saml2:Issuer>', 'x</saml2:Issuer>'],
      ] as const) {
        expect(xml).toContain(from)
        expect(verdictOf(xml.replace(from, to), signer.certificate)).toBe('refused')
      }
      const [, other] = signers.find(([, candidate]) => candidate !== signer) ?? ['', signer]
      expect(verdictOf(xml, other.certificate)).toBe('refused')
    }
  })

  it('DS-102 verify against the active trust key in base64url of the bearer flow', async () => {
    const made = await running.call('POST', '/v1/saml2Metadata/certificate')
    const { certificate } = made.json as { certificate: string }
    await store(running, destination({ Authentication: 'OAuth2SAMLBearerAssertion' }))
    await find(running, user())
    const sent = tokenServer.calls.findLast((call) => call.form.has('assertion'))?.form.get('assertion') ?? ''
    expect(verdictOf(Buffer.from(sent, 'base64url').toString('utf8'), certificate)).toBe('OK')
  })

  it('verify whatever characters the texts are made of', () => {
    const [, signer] = signers[0] ?? ['', ca]
    const texts = ['plain', ' leading and trailing ', 'a\tb\nc', '&amp;&#10;', ']]>', '<!-- -->', '€𐍈ﷺ', '  ', 'x'.repeat(20_000)]
    for (const text of texts) {
      const plain = text.replaceAll(/[\t\n]/g, ' ')
      const xml = formatAssertion({
        id: '_1',
        issuer: text,
        nameId: { value: text, format: plain, qualifier: plain },
        recipient: plain,
        audience: text,
        authnContextClassRef: text,
        attributes: [{ name: plain, values: [text, ''] }],
        issuedAtMs: 0,
        notBeforeMs: 0,
        notOnOrAfterMs: 1,
      })
      const signed = signAssertion(
        xml,
        { privateKey: createPrivateKey(signer.key), certificate: signer.certificate },
        { withCertificate: true },
      )
      expect(verdictOf(signed, signer.certificate)).toBe('OK')
    }
  })

  it('are signed with RSA or elliptic curves only', () => {
    const { privateKey } = generateKeyPairSync('ed25519')
    expect(() => signAssertion('<a/>', { privateKey, certificate: '' }, { withCertificate: false })).toThrow(/RSA or EC/)
  })
})
