import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { createSelfSignedCertificate, formatPem, issueCertificate, parseName, type NameAttribute } from '@sallyport/x509'
import type { SignsForTests } from './test-ca.ts'

/** Certificates by our own X.509 code, for machines without the openssl program. */
export const signsWithOwnCode: SignsForTests = {
  selfSigned({ key, subject, days }) {
    const privateKey = createPrivateKey(key)
    const extensions = {
      basicConstraints: { ca: true },
      keyUsage: ['keyCertSign', 'cRLSign'],
      subjectKeyIdentifier: true,
      authorityKeyIdentifier: true,
    } as const
    const profile = { subject: nameOf(subject), publicKey: createPublicKey(privateKey), ...validFor(days), extensions }
    return formatPem('CERTIFICATE', createSelfSignedCertificate(profile, privateKey))
  },
  issued({ key, subject, days, names, authority }) {
    const extensions = {
      basicConstraints: { ca: false },
      extendedKeyUsage: ['serverAuth', 'clientAuth'],
      ...(names.length === 0 ? {} : { subjectAltNames: names }),
    } as const
    const profile = { subject: nameOf(subject), publicKey: createPublicKey(key), ...validFor(days), extensions }
    const signer = { certificate: new X509Certificate(authority.certificate).raw, privateKey: createPrivateKey(authority.key) }
    return formatPem('CERTIFICATE', issueCertificate(profile, signer))
  },
}

/** `/O=Test/CN=x`, most general first as openssl has it, is `CN=x,O=Test` of RFC 4514. */
function nameOf(subject: string): readonly NameAttribute[] {
  return parseName(subject.split('/').slice(1).toReversed().join(','))
}

function validFor(days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  const now = Date.now()
  return { notBefore: new Date(now), notAfter: new Date(now + days * 86_400_000) }
}
