import { X509Certificate } from 'node:crypto'
import { createPrivateKey } from 'node:crypto'
import { createTestCa, createTestIssuer } from '@sallyport/test-fixtures'
import type { CertificateIssuerOptions } from '@sallyport/principal-propagation'

const issuer = createTestIssuer({ issuer: 'https://tokens.example.org/oauth/token' })
const ca = createTestCa({ keyType: 'rsa' })
export const jwks = { keys: issuer.keys }
export const token: string = issuer.user('jane@acme.test')
export const authority: CertificateIssuerOptions['authority'] = {
  certificate: new X509Certificate(ca.certificate).raw,
  privateKey: createPrivateKey(ca.key),
}
