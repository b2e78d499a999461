import type { Clock } from '@sallyport/core'
import {
  type CertificateAuthority,
  createCertificationRequest,
  createSelfSignedCertificate,
  type NameAttribute,
  readCertificateUse,
} from '@sallyport/x509'
import { generateKeyPair, type KeyObject } from 'node:crypto'
import { promisify } from 'node:util'
import { certificateSkewMs, defaultAuthorityRsaBits, defaultAuthorityValidityDays } from './defaults.ts'
import { requireInteger } from './propagation-settings.ts'

/** Key of a new authority. */
export type AuthorityKey =
  | { readonly kind: 'rsa'; readonly bits: 2048 | 3072 | 4096 }
  | { readonly kind: 'ec'; readonly curve: 'P-256' | 'P-384' }

/**
 * Creates an authority whose certificate is signed with its own key. Backends have to trust exactly this certificate; it can sign user certificates and
 * nothing below them (`keyCertSign`, `CA:TRUE`, path length 0).
 */
export async function createCertificateAuthority(options: {
  readonly subject: readonly NameAttribute[]
  readonly clock: Clock
  readonly key?: AuthorityKey
  readonly validityDays?: number
}): Promise<CertificateAuthority> {
  const { subject, clock, validityDays = defaultAuthorityValidityDays } = options
  requireInteger('validityDays', validityDays, 1, 36_500)
  const { publicKey, privateKey } = await generate(options.key)
  const now = clock.now()
  const certificate = createSelfSignedCertificate(
    {
      subject,
      publicKey,
      notBefore: new Date(now - certificateSkewMs),
      notAfter: new Date(now + validityDays * 86_400_000),
      extensions: { ...authorityExtensions, subjectKeyIdentifier: true },
    },
    privateKey,
  )
  return { certificate, privateKey }
}

/** A request (DER) for an authority certificate, with the key that belongs to it. It asks for `keyCertSign` and `CA:TRUE`. */
export async function createAuthorityRequest(options: {
  readonly subject: readonly NameAttribute[]
  readonly key?: AuthorityKey
}): Promise<{ readonly request: Buffer; readonly privateKey: KeyObject }> {
  const { publicKey, privateKey } = await generate(options.key)
  return { request: createCertificationRequest(options.subject, privateKey, publicKey, authorityExtensions), privateKey }
}

/** What an administrator should know about a certificate that is to sign user certificates; nothing of it prevents the use. */
export function explainAuthority(certificate: Buffer): readonly string[] {
  const { authority, keyUsage } = readCertificateUse(certificate)
  const warnings: string[] = []
  if (authority !== true)
    warnings.push('the certificate is not marked as that of an authority (basicConstraints CA:TRUE); backends may not accept what it signs')
  if (keyUsage?.includes('keyCertSign') !== true)
    warnings.push('the certificate lacks the key usage keyCertSign; backends may not accept what it signs')
  return warnings
}

const authorityExtensions = {
  basicConstraints: { ca: true, pathLength: 0 },
  keyUsage: ['keyCertSign'],
} as const

async function generate(
  key: AuthorityKey = { kind: 'rsa', bits: defaultAuthorityRsaBits },
): Promise<{ readonly publicKey: KeyObject; readonly privateKey: KeyObject }> {
  return key.kind === 'rsa'
    ? await promisify(generateKeyPair)('rsa', { modulusLength: key.bits })
    : await promisify(generateKeyPair)('ec', { namedCurve: key.curve })
}
