import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
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
  identity(
    name: string,
    options: {
      readonly subject: CertificateProfile['subject']
      /** Default: the names of this machine. */
      readonly names?: readonly string[]
      /** Some clients read RSA keys only. Default: `ec`. */
      readonly keyType?: KeyType
    },
  ): Identity
}

type KeyType = 'ec' | 'rsa'

const dayMs = 86_400_000
const authorityDays = 3_650
/** Browsers and Apple platforms refuse server certificates of more than 398 days. */
const identityDays = 397
const renewBeforeMs = 30 * dayMs

/** Names that every server certificate carries, so that the stack is found however a client spells this machine. */
export function localNames(): readonly string[] {
  return ['localhost', '127.0.0.1', '::1', hostname()]
}

/**
 * Opens the authority kept in `<folder>/<name>.crt` and `.key`, or makes one.
 *
 * Several processes may do so at the same moment: what the first one puts there counts for all. Each file appears as a whole, the key first, and a certificate
 * is only ever made for the key that is there; so a crash between the two files leaves nothing wrong behind either.
 */
export function openAuthority(
  folder: DataFolder,
  clock: Clock,
  options: { readonly name: string; readonly commonName: string },
): LocalAuthority {
  const certificateFile = folder.file(`${options.name}.crt`)
  const key = openKey(folder, options.name)
  const privateKey = createPrivateKey(key)
  const kept = folder.read(`${options.name}.crt`)
  const certificate = kept ?? folder.writeOnce([`${options.name}.crt`], selfSigned(privateKey, clock, options.commonName))
  if (!readCertificate(folder, options.name, certificate).checkPrivateKey(privateKey)) throw unusable(folder, options.name)
  const signer = { certificate: new X509Certificate(certificate).raw, privateKey }
  return {
    certificate,
    certificateFile,
    key,
    identity(name, { subject, names = localNames(), keyType = 'ec' }) {
      const leafKey = openKey(folder, name, keyType)
      const leafPrivateKey = createPrivateKey(leafKey)
      const isUsable = (text: string): boolean => {
        const leaf = readCertificate(folder, name, text)
        const isCurrent = Date.parse(leaf.validTo) - clock.now() > renewBeforeMs
        return (
          isCurrent &&
          covers(leaf, names) &&
          leaf.checkPrivateKey(leafPrivateKey) &&
          leaf.verify(new X509Certificate(certificate).publicKey)
        )
      }
      const known = folder.read(`${name}.crt`)
      if (known !== undefined && isUsable(known)) return { certificate: known, key: leafKey }
      const made = formatPem(
        'CERTIFICATE',
        issueCertificate(
          {
            subject,
            publicKey: createPublicKey(leafPrivateKey),
            ...validity(clock, identityDays),
            extensions: {
              basicConstraints: { ca: false },
              keyUsage: ['digitalSignature'],
              extendedKeyUsage: ['serverAuth', 'clientAuth'],
              ...(names.length === 0 ? {} : { subjectAltNames: names.map((text) => (isIP(text) === 0 ? { dns: text } : { ip: text })) }),
              authorityKeyIdentifier: true,
              subjectKeyIdentifier: true,
            },
          },
          signer,
        ),
      )
      if (known === undefined) return { certificate: folder.writeOnce([`${name}.crt`], made), key: leafKey }
      folder.write([`${name}.crt`], made)
      return { certificate: made, key: leafKey }
    },
  }
}

/** The private key kept in `<name>.key`, made when there is none. PEM. */
function openKey(folder: DataFolder, name: string, keyType: KeyType = 'ec'): string {
  const text = folder.read(`${name}.key`) ?? folder.writeOnce([`${name}.key`], newKey(keyType))
  try {
    createPrivateKey(text)
  } catch (cause) {
    throw unusable(folder, name, cause)
  }
  return text
}

/** Whether a certificate is good for every name; a configuration may have brought new ones. */
function covers(leaf: X509Certificate, names: readonly string[]): boolean {
  return names.every((name) =>
    isIP(name) === 0 ? (leaf.subjectAltName ?? '').split(', ').includes(`DNS:${name}`) : leaf.checkIP(name) !== undefined,
  )
}

function newKey(keyType: KeyType): string {
  const { privateKey } =
    keyType === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

function selfSigned(privateKey: KeyObject, clock: Clock, commonName: string): string {
  const certificate = createSelfSignedCertificate(
    {
      subject: [
        { type: 'CN', value: commonName },
        { type: 'O', value: 'Sallyport' },
      ],
      publicKey: createPublicKey(privateKey),
      ...validity(clock, authorityDays),
      extensions: { basicConstraints: { ca: true }, keyUsage: ['keyCertSign', 'cRLSign'], subjectKeyIdentifier: true },
    },
    privateKey,
  )
  return formatPem('CERTIFICATE', certificate)
}

function readCertificate(folder: DataFolder, name: string, text: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (cause) {
    throw unusable(folder, name, cause)
  }
}

function unusable(folder: DataFolder, name: string, cause?: unknown): ConnectivityError {
  const text = `${folder.file(`${name}.crt`)} and its key cannot be read or do not belong together; remove both to have new ones made`
  return new ConnectivityError('CONFIGURATION_INVALID', text, { cause })
}

/** One hour back, because the clocks of two machines are never the same. */
function validity(clock: Clock, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(clock.now() - 3_600_000), notAfter: new Date(clock.now() + days * dayMs) }
}
