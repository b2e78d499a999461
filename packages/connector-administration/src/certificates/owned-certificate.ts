import { createPrivateKey, generateKeyPair, X509Certificate } from 'node:crypto'
import { promisify } from 'node:util'
import { type Clock, ConnectivityError } from '@sallyport/core'
import { readKeystore } from '@sallyport/keystore'
import {
  type CertificateProfile,
  createCertificationRequest,
  createSelfSignedCertificate,
  formatPem,
  formatSubject,
  parseName,
  parsePemCertificates,
} from '@sallyport/x509'
import type { CertificateSlot, OwnedCertificate } from '../document/on-premises.ts'
import { selfSignedBackdateMs } from '../limits.ts'
import { invalidRequest } from '../rest/rest-error.ts'

/** What an owned certificate is for: it decides what requested and self-signed ones may do. */
export type CertificatePurpose = 'system' | 'ca' | 'ui'

/** What a certificate is asked for with. */
export interface CertificateWish {
  readonly subjectDN: string
  readonly keySize: 2048 | 4096
  readonly subjectAltNames: readonly { readonly type: AlternativeName; readonly value: string }[]
}

type AlternativeName = 'DNS' | 'URI' | 'IP' | 'RFC822'

/** How long a certificate that is signed with its own key lives, and whether it is made anew by itself. */
export interface SelfSignedLife {
  readonly validityMs: number
  readonly autoRenewal: boolean
}

const extensionsOf: Readonly<Record<CertificatePurpose, CertificateProfile['extensions']>> = {
  system: { basicConstraints: { ca: false }, keyUsage: ['digitalSignature'], extendedKeyUsage: ['clientAuth'] },
  ca: { basicConstraints: { ca: true }, keyUsage: ['keyCertSign'] },
  ui: { basicConstraints: { ca: false }, keyUsage: ['digitalSignature', 'keyEncipherment'], extendedKeyUsage: ['serverAuth'] },
}

/** A certificate signed with its own key. @throws RestError 400 for a wish that no certificate can carry. */
export async function createSelfSigned(
  purpose: CertificatePurpose,
  wish: CertificateWish,
  { autoRenewal, validityMs }: SelfSignedLife,
  clock: Clock,
): Promise<OwnedCertificate> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: wish.keySize })
  const now = clock.now()
  const certificate = attempt('the certificate', () =>
    createSelfSignedCertificate(
      {
        subject: parseName(wish.subjectDN),
        publicKey,
        notBefore: new Date(now - selfSignedBackdateMs),
        notAfter: new Date(now + validityMs),
        extensions: { ...extensionsOf[purpose], ...alternativeNames(purpose, wish), subjectKeyIdentifier: true },
      },
      privateKey,
    ),
  )
  return {
    certificate: formatPem('CERTIFICATE', certificate),
    key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    ...(autoRenewal ? { autoRenewal } : {}),
  }
}

/** A certification request (PEM) with the slot that waits for its answer. The request before becomes useless. */
export async function createRequest(
  purpose: CertificatePurpose,
  wish: CertificateWish,
  slot: CertificateSlot,
): Promise<{ readonly request: string; readonly slot: CertificateSlot }> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', { modulusLength: wish.keySize })
  const request = attempt('the request', () =>
    createCertificationRequest(parseName(wish.subjectDN), privateKey, publicKey, {
      ...extensionsOf[purpose],
      ...alternativeNames(purpose, wish),
    }),
  )
  return {
    request: formatPem('CERTIFICATE REQUEST', request),
    slot: { ...slot, requestedKey: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) },
  }
}

/** Takes the answer to the latest request: PEM of the certificate and its chain, in any order. @throws RestError 400. */
export function acceptSigned(pem: string, slot: CertificateSlot): CertificateSlot {
  const { requestedKey } = slot
  if (requestedKey === undefined) throw invalidRequest('no certificate has been requested, so there is nothing that this could answer')
  const certificates = attempt('signedCertificate', () => parsePemCertificates(pem)).map((der) => new X509Certificate(der))
  const key = createPrivateKey(requestedKey)
  const own = certificates.find((certificate) => certificate.checkPrivateKey(key))
  if (own === undefined) throw invalidRequest('signedCertificate holds no certificate for the key of the latest request')
  return { current: { certificate: chainOf(own, certificates), key: requestedKey } }
}

/** Takes a PKCS #12 file with one private key. @throws RestError 400. */
export async function acceptPkcs12(
  content: Uint8Array,
  { password, keyPassword }: { readonly password: string; readonly keyPassword: string | undefined },
): Promise<CertificateSlot> {
  const read = await readKeystore({ name: 'upload.p12', content: Buffer.from(content), password, keyPassword }).catch((error: unknown) => {
    throw refusalOf('pkcs12', error)
  })
  const [entry, second] = read.entries.filter(({ privateKey }) => privateKey !== undefined)
  if (entry?.privateKey === undefined || second !== undefined)
    throw invalidRequest(
      read.locked
        ? 'pkcs12: the private key does not open with this password'
        : 'pkcs12 has to hold exactly one private key with its certificate',
    )
  return { current: { certificate: entry.certificates.join(''), key: entry.privateKey } }
}

/** A certificate with the subject, the names, the size of the key and the duration of one that was made here, and a key of its own. */
export async function renewSelfSigned(purpose: CertificatePurpose, before: OwnedCertificate, clock: Clock): Promise<OwnedCertificate> {
  const read = new X509Certificate(before.certificate)
  const wish: CertificateWish = {
    subjectDN: formatSubject(read.raw),
    keySize: read.publicKey.asymmetricKeyDetails?.modulusLength === 2048 ? 2048 : 4096,
    subjectAltNames: readAlternativeNames(read.subjectAltName),
  }
  const validityMs = read.validToDate.getTime() - read.validFromDate.getTime() - selfSignedBackdateMs
  return await createSelfSigned(purpose, wish, { validityMs, autoRenewal: true }, clock)
}

/** What the REST API tells about an owned certificate. Times are UTC milliseconds. */
export function describeCertificate({
  autoRenewal,
  certificate,
}: Pick<OwnedCertificate, 'autoRenewal' | 'certificate'>): Readonly<Record<string, unknown>> {
  const read = new X509Certificate(certificate)
  const alternative = readAlternativeNames(read.subjectAltName)
  return {
    notAfterTimeStamp: read.validToDate.getTime(),
    notBeforeTimeStamp: read.validFromDate.getTime(),
    subjectDN: formatSubject(read.raw),
    issuer: issuerText(read),
    serialNumber: (read.serialNumber.toLowerCase().match(/.{1,2}/g) ?? []).join(':'),
    ...(alternative.length === 0 ? {} : { subjectAltNames: alternative }),
    ...(autoRenewal === true ? { autoRenewal } : {}),
  }
}

/** Name of the issuer, most specific attribute first. */
export function issuerText(certificate: X509Certificate): string {
  return certificate.issuer.split('\n').toReversed().join(',')
}

/** The system certificate's alternative names are ignored, as are those of an authority (cloud-connector.md §1.17). */
function alternativeNames(purpose: CertificatePurpose, wish: CertificateWish): CertificateProfile['extensions'] {
  if (purpose !== 'ui' || wish.subjectAltNames.length === 0) return {}
  return {
    subjectAltNames: wish.subjectAltNames.map(({ type, value }) => {
      switch (type) {
        case 'DNS':
          return { dns: value }
        case 'URI':
          return { uri: value }
        case 'IP':
          return { ip: value }
        case 'RFC822':
          return { email: value }
      }
    }),
  }
}

const alternativeTypes: Readonly<Record<string, AlternativeName>> = { DNS: 'DNS', URI: 'URI', 'IP Address': 'IP', email: 'RFC822' }

/** Node writes a name with characters that would be misread, such as commas, as a string of JSON without commas. */
function readAlternativeNames(text: string | undefined): CertificateWish['subjectAltNames'] {
  return (text ?? '').split(', ').flatMap((each) => {
    const at = each.indexOf(':')
    const type = alternativeTypes[each.slice(0, at)]
    const written = each.slice(at + 1)
    return type === undefined ? [] : [{ type, value: written.startsWith('"') ? String(JSON.parse(written)) : written }]
  })
}

/** PEM of a certificate and, as far as they are there, of those that issued it, in that order. */
function chainOf(leaf: X509Certificate, others: readonly X509Certificate[]): string {
  const chain = [leaf]
  for (let last = leaf; chain.length <= others.length;) {
    const next = others.find((each) => !chain.includes(each) && last.checkIssued(each))
    if (next === undefined) break
    chain.push(next)
    last = next
  }
  return chain.map((each) => formatPem('CERTIFICATE', each.raw)).join('')
}

function attempt<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw refusalOf(what, error)
  }
}

function refusalOf(what: string, error: unknown): unknown {
  return ConnectivityError.is(error) ? invalidRequest(`${what}: ${error.message}`) : error
}
