/**
 * Certificates and certification requests, written and signed with `node:crypto` and an own strict DER codec. It issues
 * what Sallyport needs (certificates of users, systems, tunnels and authorities) and nothing else; for looking into
 * certificates use `crypto.X509Certificate`.
 *
 * @example
 * const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
 * const certificate = createSelfSignedCertificate({
 *   subject: parseName('CN=Demo CA,O=Example,C=DE'),
 *   publicKey,
 *   notBefore: new Date('2030-01-01T00:00:00Z'),
 *   notAfter: new Date('2031-01-01T00:00:00Z'),
 *   extensions: { basicConstraints: { ca: true }, keyUsage: ['keyCertSign'], subjectKeyIdentifier: true },
 * }, privateKey)
 * formatPem('CERTIFICATE', certificate)
 *
 * @packageDocumentation
 */
export { createIssuer, createSelfSignedCertificate, issueCertificate, type Issuer } from './certificate.ts'
export { type CertificateUse, formatSubject, readCertificateUse, readSubject } from './certificate-fields.ts'
export { createCertificationRequest, parseCertificationRequest } from './certification-request.ts'
export { formatName, parseName } from './name-text.ts'
export { formatPem, parsePemCertificates } from './pem.ts'
export type { CertificateAuthority, CertificateProfile, CertificationRequest, NameAttribute } from './types.ts'
