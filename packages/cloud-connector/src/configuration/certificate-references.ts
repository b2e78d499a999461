import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import type { CertificateReference } from '@sallyport/admin-api'
import { type Clock, ConnectivityError, createSecret } from '@sallyport/core'
import { createCertificateAuthority } from '@sallyport/principal-propagation'
import { createSelfSignedCertificate, formatPem } from '@sallyport/x509'
import { type CertificateMaterial, checkCertificateMaterial } from '../backend/backend-trust.ts'
import type { MaterialStore } from '../identity/material-store.ts'

/** What a certificate is for: it decides what a generated one may do. */
export type CertificatePurpose = 'principal-ca' | 'system'

/** Validity of a generated system certificate: what the original's self-signed ones have. */
const generatedValidityDays = 365

/**
 * Reads the certificate and key that a reference points to, or makes and keeps them.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when they cannot be read or do not belong together.
 */
export async function readCertificateReference(
  reference: CertificateReference,
  options: {
    readonly purpose: CertificatePurpose
    readonly readFile: (file: string) => Promise<string>
    readonly material: MaterialStore
    /** Name under which a generated one is kept. */
    readonly name: string
    /** Common name of a generated one. */
    readonly commonName: string
    readonly clock: Clock
  },
): Promise<CertificateMaterial> {
  if (reference !== 'generated') {
    const [certificate, key] = await Promise.all([options.readFile(reference.certificate.file), options.readFile(reference.key.file)])
    const material = { certificate, key: createSecret(key) }
    checkCertificateMaterial(material)
    return material
  }
  const kept = await options.material.load(options.name)
  if (kept !== undefined) {
    const { certificate, key } = JSON.parse(kept) as { certificate: string; key: string }
    const material = { certificate, key: createSecret(key) }
    const { validToDate } = checkCertificateMaterial(material)
    // An expired one is of no use to anybody; backends have to be given the new one as they were given the old one.
    if (validToDate.getTime() > options.clock.now()) return material
  }
  const made = options.purpose === 'principal-ca' ? await generateAuthority(options) : await generateSystemCertificate(options)
  await options.material.save(options.name, JSON.stringify({ certificate: made.certificate, key: made.key.reveal() }))
  return made
}

async function generateAuthority(options: { readonly commonName: string; readonly clock: Clock }): Promise<CertificateMaterial> {
  const { certificate, privateKey } = await createCertificateAuthority({
    subject: [{ type: 'CN', value: options.commonName }],
    clock: options.clock,
    key: { kind: 'ec', curve: 'P-256' },
    validityDays: 10 * generatedValidityDays,
  })
  return toMaterial(certificate, String(privateKey.export({ type: 'pkcs8', format: 'pem' })))
}

async function generateSystemCertificate(options: { readonly commonName: string; readonly clock: Clock }): Promise<CertificateMaterial> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' })
  const now = options.clock.now()
  const certificate = createSelfSignedCertificate(
    {
      subject: [{ type: 'CN', value: options.commonName }],
      publicKey,
      notBefore: new Date(now - 3_600_000),
      notAfter: new Date(now + generatedValidityDays * 86_400_000),
      extensions: {
        basicConstraints: { ca: false },
        keyUsage: ['digitalSignature'],
        extendedKeyUsage: ['clientAuth'],
        subjectKeyIdentifier: true,
      },
    },
    privateKey,
  )
  return toMaterial(certificate, String(privateKey.export({ type: 'pkcs8', format: 'pem' })))
}

function toMaterial(certificate: Buffer, key: string): CertificateMaterial {
  return { certificate: formatPem('CERTIFICATE', certificate), key: createSecret(key) }
}

/** Turns a failure to read a referenced file into the text of a problem. */
export function problemText(error: unknown): string {
  return ConnectivityError.is(error) ? error.message : 'cannot be read'
}
