import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createTestCa } from '@sallyport/test-fixtures'
import { describe, expect, it } from 'vitest'
import { parseFoundDestination } from '../found-destination.ts'
import { type DestinationTls, destinationTls } from './destination-tls.ts'

const ca = createTestCa()
const client = ca.issue({ subject: '/CN=client' })
const encryptedKey = createPrivateKey(client.key)
  .export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'of the key' })
  .toString()
const files: Readonly<Record<string, string | Buffer>> = {
  'client.pem': `${encryptedKey}${client.certificate}${ca.certificate}`,
  'client.p12': Buffer.from('a PKCS #12 file'),
  'ca.crt': new X509Certificate(ca.certificate).raw,
  'ca.pem': `# comment\n${ca.certificate}${client.certificate}`,
  'only.pem': client.certificate,
}

function tlsOf(properties: Readonly<Record<string, string>>): DestinationTls {
  const destinationConfiguration = { Name: 'WEB', Type: 'HTTP', URL: 'https://web', ProxyType: 'Internet', ...properties }
  const certificates = Object.entries(files).map(([Name, file]) => ({
    Name,
    Type: 'CERTIFICATE',
    Content: Buffer.from(file).toString('base64'),
  }))
  return destinationTls(parseFoundDestination({ owner: {}, destinationConfiguration, certificates }, 0, 'find'))
}
const asClient = (properties: Readonly<Record<string, string>>): DestinationTls =>
  tlsOf({ Authentication: 'ClientCertificateAuthentication', ...properties })

describe('stores of a destination', () => {
  it('are a PEM chain whose key is opened with the password', () => {
    const { certificate, key } = asClient({ KeyStoreLocation: 'client.pem', KeyStorePassword: 'of the key' })
    expect(certificate?.match(/BEGIN CERTIFICATE/g)).toHaveLength(2)
    expect(createPrivateKey(key?.reveal() ?? '').export({ type: 'pkcs8', format: 'pem' })).toBe(client.key)
  })

  it('are a PKCS #12 file that is left to TLS', () => {
    const { pkcs12 } = asClient({ KeyStoreLocation: 'client.p12', KeyStorePassword: 'secret' })
    expect([pkcs12?.content.reveal().toString(), pkcs12?.password.reveal()]).toEqual(['a PKCS #12 file', 'secret'])
  })

  it('are authorities in PEM or DER, unless everything is trusted', () => {
    expect(tlsOf({ TrustStoreLocation: 'ca.crt' }).ca).toEqual([ca.certificate])
    expect(tlsOf({ TrustStoreLocation: 'ca.pem' }).ca).toHaveLength(2)
    expect(tlsOf({ TrustStoreLocation: 'gone.pem', TrustAll: 'TRUE' })).toEqual({})
  })

  it('are not read where they sign, or where the application has its own', () => {
    expect(tlsOf({ Authentication: 'OAuth2SAMLBearerAssertion', KeyStoreLocation: 'client.p12' })).toEqual({})
    expect(asClient({ KeyStoreLocation: 'client.p12', 'KeyStore.Source': 'ClientProvided' })).toEqual({})
    expect(tlsOf({})).toEqual({})
  })

  it.each([
    [{ KeyStoreLocation: 'gone.p12' }, /KeyStoreLocation: "gone.p12" is not among/],
    [{ KeyStoreLocation: 'only.pem' }, /holds no PEM certificate with its key/],
    [{ KeyStoreLocation: 'client.pem', KeyStorePassword: 'wrong password' }, /KeyStorePassword: does not open/],
    [{ TrustStoreLocation: 'client.p12' }, /TrustStoreLocation: "client.p12" holds no certificate/],
  ])('that cannot be used are named: %o', (properties, message) => {
    expect(() => asClient(properties)).toThrow(message)
    expect(() => asClient(properties)).not.toThrow(/wrong password/)
  })
})
