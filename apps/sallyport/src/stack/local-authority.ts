import { createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { type Clock, ConnectivityError } from '@sallyport/core'
import { type CertificateProfile, createSelfSignedCertificate, formatPem, issueCertificate } from '@sallyport/x509'
import type { DataFolder } from './data-folder.ts'

/** PEM texts of a certificate and its private key. */
export interface Identity {
  readonly certificate: string
  readonly key: string
}

/** An authority of one installation: signs what the local stack shows to clients and to itself. */
export interface LocalAuthority {
  /** PEM */
  readonly certificate: string
  readonly certificateFile: string
  readonly key: string
  /** A certificate that is valid for at least another month; made anew when it is not. Kept under `name`. */
  identity(name: string, options: { readonly subject: CertificateProfile['subject']; readonly names?: readonly string[] }): Identity
}

const dayMs = 86_400_000
const authorityDays = 3_650
/** Browsers and Apple platforms refuse server certificates of more than 398 days. */
const identityDays = 397
const renewBeforeMs = 30 * dayMs

/** Names that every server certificate carries, so that the stack is found however a client spells this machine. */
export function localNames(): readonly string[] {
  return ['localhost', '127.0.0.1', '::1', hostname()]
}

/** Opens the authority kept in `<folder>/<name>.crt` and `.key`, or makes one. */
export function openAuthority(
  folder: DataFolder,
  clock: Clock,
  options: { readonly name: string; readonly commonName: string },
): LocalAuthority {
  const certificateFile = folder.file(`${options.name}.crt`)
  const known = readIdentity(folder, options.name)
  const authority = known ?? createAuthority(clock, options.commonName)
  if (known === undefined) writeIdentity(folder, options.name, authority)
  const signer = { certificate: new X509Certificate(authority.certificate).raw, privateKey: createPrivateKey(authority.key) }
  return {
    certificate: authority.certificate,
    certificateFile,
    key: authority.key,
    identity(name, { subject, names = localNames() }) {
      const kept = readIdentity(folder, name)
      if (kept !== undefined && isUsable(kept, authority.certificate, clock)) return kept
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const certificate = issueCertificate(
        {
          subject,
          publicKey,
          ...validity(clock, identityDays),
          extensions: {
            basicConstraints: { ca: false },
            keyUsage: ['digitalSignature'],
            extendedKeyUsage: ['serverAuth', 'clientAuth'],
            subjectAltNames: names.map((text) => (/^[\d.]+$|:/.test(text) ? { ip: text } : { dns: text })),
            authorityKeyIdentifier: true,
            subjectKeyIdentifier: true,
          },
        },
        signer,
      )
      const made = { certificate: formatPem('CERTIFICATE', certificate), key: exportKey(privateKey) }
      writeIdentity(folder, name, made)
      return made
    },
  }
}

function createAuthority(clock: Clock, commonName: string): Identity {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const certificate = createSelfSignedCertificate(
    {
      subject: [
        { type: 'CN', value: commonName },
        { type: 'O', value: 'Sallyport' },
      ],
      publicKey,
      ...validity(clock, authorityDays),
      extensions: { basicConstraints: { ca: true }, keyUsage: ['keyCertSign', 'cRLSign'], subjectKeyIdentifier: true },
    },
    privateKey,
  )
  return { certificate: formatPem('CERTIFICATE', certificate), key: exportKey(privateKey) }
}

/** One hour back, because the clocks of two machines are never the same. */
function validity(clock: Clock, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(clock.now() - 3_600_000), notAfter: new Date(clock.now() + days * dayMs) }
}

function isUsable(identity: Identity, authority: string, clock: Clock): boolean {
  const certificate = new X509Certificate(identity.certificate)
  return certificate.verify(new X509Certificate(authority).publicKey) && Date.parse(certificate.validTo) - clock.now() > renewBeforeMs
}

function exportKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }) as string
}

function readIdentity(folder: DataFolder, name: string): Identity | undefined {
  const certificate = folder.read(`${name}.crt`)
  const key = folder.read(`${name}.key`)
  if (certificate === undefined || key === undefined) return undefined
  try {
    if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return { certificate, key }
  } catch (cause) {
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      `${folder.file(`${name}.crt`)} or its key cannot be read; remove both to have new ones made`,
      { cause },
    )
  }
  // The process died between the two files: neither was ever used.
  return undefined
}

function writeIdentity(folder: DataFolder, name: string, identity: Identity): void {
  folder.write([`${name}.key`], identity.key)
  folder.write([`${name}.crt`], identity.certificate)
}
