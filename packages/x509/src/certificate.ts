import { ConnectivityError } from '@sallyport/core'
import { createPublicKey, randomFillSync, X509Certificate, type KeyObject } from 'node:crypto'
import { keyIdOf, readCertificateFields } from './certificate-fields.ts'
import { invalid } from './der-reader.ts'
import { bitString, contextTag, encode, integer, sequence } from './der-writer.ts'
import { encodeExtensions, wrapExtensions } from './extensions.ts'
import { encodePublicKey, schemeOf, signWith, type SignatureScheme } from './keys.ts'
import { maxSerialNumberBytes } from './limits.ts'
import { encodeName } from './name.ts'
import type { CertificateAuthority, CertificateProfile } from './types.ts'
import { encodeTime } from './validity-time.ts'

/** Signs certificates with one authority, whose certificate is read once. */
export interface Issuer {
  /** DER of a new certificate. @throws ConnectivityError `MESSAGE_INVALID` for a profile that cannot be written. */
  issue(profile: CertificateProfile): Buffer
}

/**
 * Prepares an authority for many certificates: nothing of it is parsed again, so that issuing costs little more than the
 * signature. The issuer name is copied byte for byte from the authority's certificate. Whether that certificate may sign
 * others, and until when, is for the caller to decide.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when the key does not belong to the certificate or is of an unsupported kind.
 */
export function createIssuer(authority: CertificateAuthority): Issuer {
  const scheme = schemeOf(authority.privateKey)
  const fields = readCertificateFields(authority.certificate)
  if (!ownsCertificate(authority)) {
    throw new ConnectivityError('CONFIGURATION_INVALID', 'the private key does not belong to the certificate of the authority')
  }
  // Callers sign many certificates for the same key, or one for each of many: encoded keys live as long as their key.
  const publicKeys = new WeakMap<KeyObject, Buffer>()
  return {
    issue(profile) {
      let publicKeyInfo = publicKeys.get(profile.publicKey)
      if (publicKeyInfo === undefined) {
        publicKeyInfo = encodePublicKey(profile.publicKey)
        publicKeys.set(profile.publicKey, publicKeyInfo)
      }
      return signCertificate(profile, {
        issuer: fields.subject,
        subject: encodeName(profile.subject),
        publicKeyInfo,
        authorityKeyId: fields.subjectKeyId,
        scheme,
        privateKey: authority.privateKey,
      })
    },
  }
}

/** One certificate; {@link createIssuer} is faster for many. */
export function issueCertificate(profile: CertificateProfile, authority: CertificateAuthority): Buffer {
  return createIssuer(authority).issue(profile)
}

/** A certificate whose issuer is its subject, signed with its own key. */
export function createSelfSignedCertificate(profile: CertificateProfile, privateKey: KeyObject): Buffer {
  const scheme = schemeOf(privateKey)
  const publicKeyInfo = encodePublicKey(profile.publicKey)
  if (!publicKeyInfo.equals(encodePublicKey(createPublicKey(privateKey)))) {
    throw new ConnectivityError('CONFIGURATION_INVALID', 'the private key does not belong to the public key of the certificate')
  }
  const subject = encodeName(profile.subject)
  if (profile.subject.length === 0) throw invalid('the certificate', 'has no subject, which a self-signed one needs')
  return signCertificate(profile, { issuer: subject, subject, publicKeyInfo, authorityKeyId: keyIdOf(publicKeyInfo), scheme, privateKey })
}

interface Signing {
  readonly issuer: Buffer
  readonly subject: Buffer
  readonly publicKeyInfo: Buffer
  readonly authorityKeyId: Buffer
  readonly scheme: SignatureScheme
  readonly privateKey: KeyObject
}

function signCertificate(profile: CertificateProfile, signing: Signing): Buffer {
  const { scheme, publicKeyInfo } = signing
  if (!(profile.notBefore <= profile.notAfter)) throw invalid('the certificate', 'ends before it begins')
  const extensions = encodeExtensions(profile.extensions, {
    emptySubject: profile.subject.length === 0,
    authorityKeyId: signing.authorityKeyId,
    ...(profile.extensions.subjectKeyIdentifier === true && { subjectKeyId: keyIdOf(publicKeyInfo) }),
  })
  const tbs = sequence(
    version3,
    integer(serialNumber(profile.serialNumber)),
    scheme.algorithm,
    signing.issuer,
    sequence(encodeTime(profile.notBefore), encodeTime(profile.notAfter)),
    signing.subject,
    publicKeyInfo,
    wrapExtensions(extensions),
  )
  return sequence(tbs, scheme.algorithm, bitString(signWith(scheme, signing.privateKey, tbs)))
}

const version3 = encode(contextTag(0, true), integer(Buffer.from([2])))

function serialNumber(wanted: Buffer | undefined): Buffer {
  if (wanted === undefined) {
    const random = randomFillSync(Buffer.allocUnsafe(16))
    // Top bits 01: positive without a leading zero, never zero, always 16 octets.
    random[0] = ((random[0] ?? 0) & 0x3f) | 0x40
    return random
  }
  const longest = (wanted[0] ?? 0) >= 0x80 ? maxSerialNumberBytes - 1 : maxSerialNumberBytes
  if (wanted.length > longest || wanted.every((octet) => octet === 0)) {
    throw invalid('the certificate', `has a serial number that is zero or longer than ${maxSerialNumberBytes} octets`)
  }
  return wanted
}

function ownsCertificate({ certificate, privateKey }: CertificateAuthority): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(privateKey)
  } catch (cause) {
    throw invalid('the certificate', 'of the authority cannot be read', cause)
  }
}
