import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { createSecret, type Secret } from '@sallyport/core'
import { createCertificationRequest, formatPem, type NameAttribute } from '@sallyport/x509'

/** A fresh key and the request for a certificate of it. */
export interface CertificationKey {
  /** PEM, PKCS #8. */
  readonly key: Secret
  readonly publicKey: KeyObject
  /** PEM. */
  readonly request: string
}

/** Makes an EC P-256 key and signs a certification request with it. The key never leaves this process except sealed. */
export async function createCertificationKey(subject: readonly NameAttribute[]): Promise<CertificationKey> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const request = createCertificationRequest(subject, privateKey, publicKey)
  return {
    key: createSecret(String(privateKey.export({ type: 'pkcs8', format: 'pem' }))),
    publicKey,
    request: formatPem('CERTIFICATE REQUEST', request),
  }
}
