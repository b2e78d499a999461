import { ConnectivityError } from '@sallyport/core'
import { createPublicKey, verify, type KeyObject } from 'node:crypto'
import { createDerReader, invalid, readInteger, readOctetBits } from './der-reader.ts'
import { bitString, contextTag, integer, sequence, tags } from './der-writer.ts'
import { encodeExtensions, wrapRequestedExtensions } from './extensions.ts'
import { encodePublicKey, readPublicKeyInfo, schemeOf, signWith, tryReadScheme } from './keys.ts'
import { keyIdOf } from './certificate-fields.ts'
import { maxRequestBytes } from './limits.ts'
import { encodeName, readName } from './name.ts'
import { readPem } from './pem.ts'
import type { CertificateProfile, CertificationRequest, NameAttribute } from './types.ts'

/** A certification request (RFC 2986), DER. `extensions` are asked for; an authority identifier is the authority's business and left out. */
export function createCertificationRequest(
  subject: readonly NameAttribute[],
  privateKey: KeyObject,
  publicKey: KeyObject,
  extensions: CertificateProfile['extensions'] = {},
): Buffer {
  const scheme = schemeOf(privateKey)
  const publicKeyInfo = encodePublicKey(publicKey)
  if (!publicKeyInfo.equals(encodePublicKey(createPublicKey(privateKey)))) {
    throw new ConnectivityError('CONFIGURATION_INVALID', 'the private key does not belong to the public key of the request')
  }
  const requested = encodeExtensions(extensions, { emptySubject: subject.length === 0, subjectKeyId: keyIdOf(publicKeyInfo) })
  const info = sequence(version1, encodeName(subject), publicKeyInfo, wrapRequestedExtensions(requested))
  return sequence(info, scheme.algorithm, bitString(signWith(scheme, privateKey, info)))
}

const version1 = integer(Buffer.from([0]))
const what = 'the certification request'

/**
 * Reads a request in PEM or DER and verifies that its sender owns the key. Requested extensions and other attributes are
 * not returned: the authority decides what it certifies.
 *
 * @throws ConnectivityError `MESSAGE_INVALID` for anything else than a well-formed request with an RSA (2048 bits or more),
 * P-256 or P-384 key, a subject of attributes that {@link NameAttribute} knows, and a correct signature.
 */
export function parseCertificationRequest(pemOrDer: Buffer | string): CertificationRequest {
  const der = requestBytes(pemOrDer)
  if (der.length > maxRequestBytes) throw invalid(what, `is larger than ${maxRequestBytes} bytes`)
  const outer = createDerReader(der, what)
  const frame = outer.enter(tags.sequence)
  outer.end()
  const info = frame.read(tags.sequence)
  const algorithm = frame.read(tags.sequence).encoded
  const signature = readOctetBits(frame, what)
  frame.end()

  const fields = createDerReader(info.encoded, what).enter(tags.sequence)
  const version = readInteger(fields, what)
  if (version.length !== 1 || version[0] !== 0) throw invalid(what, 'has an unknown version')
  const subject = readName(fields.read(tags.sequence).encoded, what)
  const publicKey = readPublicKeyInfo(fields.read(tags.sequence).encoded, what)
  // RFC 2986 has the field always; some programs leave it out when it is empty.
  if (!fields.atEnd) fields.read(contextTag(0, true))
  fields.end()

  const scheme = tryReadScheme(algorithm)
  if (scheme === undefined || scheme.keyType !== publicKey.asymmetricKeyType) throw invalid(what, 'has an unsupported signature algorithm')
  if (!verify(scheme.digest, info.encoded, publicKey, signature)) throw invalid(what, 'has a wrong signature')
  return { subject, publicKey }
}

function requestBytes(pemOrDer: Buffer | string): Buffer {
  if (typeof pemOrDer !== 'string' && pemOrDer[0] === tags.sequence) return pemOrDer
  // PEM is a third longer than DER; the factor of two leaves room for text around it.
  if (pemOrDer.length > 2 * maxRequestBytes) throw invalid(what, `is larger than ${maxRequestBytes} bytes`)
  const blocks = readPem(
    typeof pemOrDer === 'string' ? pemOrDer : pemOrDer.toString('latin1'),
    ['CERTIFICATE REQUEST', 'NEW CERTIFICATE REQUEST'],
    what,
    2,
  )
  const [only, second] = blocks
  if (only === undefined || second !== undefined) throw invalid(what, 'is not exactly one PEM block')
  return only
}
