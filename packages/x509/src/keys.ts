import { ConnectivityError } from '@sallyport/core'
import { createPublicKey, sign, type KeyObject } from 'node:crypto'
import { createDerReader, invalid, readInteger, readOctetBits } from './der-reader.ts'
import { derNull, sequence, tags } from './der-writer.ts'
import { maxRsaBits, maxRsaExponent, minRsaBits } from './limits.ts'
import * as oids from './object-identifiers.ts'

/** How a key signs certificates and requests. */
export interface SignatureScheme {
  /** DER of the AlgorithmIdentifier. */
  readonly algorithm: Buffer
  readonly digest: 'sha256' | 'sha384' | 'sha512'
  readonly keyType: 'rsa' | 'ec'
}

// RFC 4055 §5: parameters of the RSA signature algorithms are NULL; RFC 5758 §3.2: those of ECDSA are absent.
const rsaSha256: SignatureScheme = { algorithm: sequence(oids.sha256WithRsa, derNull), digest: 'sha256', keyType: 'rsa' }
const ecdsaSha256: SignatureScheme = { algorithm: sequence(oids.ecdsaWithSha256), digest: 'sha256', keyType: 'ec' }
const ecdsaSha384: SignatureScheme = { algorithm: sequence(oids.ecdsaWithSha384), digest: 'sha384', keyType: 'ec' }

/** Schemes accepted from others; we write the first three. */
const knownSchemes: readonly SignatureScheme[] = [
  rsaSha256,
  ecdsaSha256,
  ecdsaSha384,
  { algorithm: sequence(oids.sha384WithRsa, derNull), digest: 'sha384', keyType: 'rsa' },
  { algorithm: sequence(oids.sha512WithRsa, derNull), digest: 'sha512', keyType: 'rsa' },
  { algorithm: sequence(oids.ecdsaWithSha512), digest: 'sha512', keyType: 'ec' },
]

/** @throws ConnectivityError `CONFIGURATION_INVALID` for keys other than RSA of 2048 to 8192 bits and EC on P-256 or P-384. */
export function schemeOf(privateKey: KeyObject): SignatureScheme {
  const details = privateKey.asymmetricKeyDetails
  const bits = details?.modulusLength ?? 0
  if (privateKey.type === 'private') {
    if (privateKey.asymmetricKeyType === 'rsa' && bits >= minRsaBits && bits <= maxRsaBits) return rsaSha256
    if (privateKey.asymmetricKeyType === 'ec' && details?.namedCurve === 'prime256v1') return ecdsaSha256
    if (privateKey.asymmetricKeyType === 'ec' && details?.namedCurve === 'secp384r1') return ecdsaSha384
  }
  throw unsupportedKey('signing')
}

/** Finds the scheme of an AlgorithmIdentifier that somebody else wrote. */
export function tryReadScheme(algorithm: Buffer): SignatureScheme | undefined {
  return knownSchemes.find((scheme) => scheme.algorithm.equals(algorithm))
}

/** Signs synchronously: a worker round trip costs more than an EC signature and keeps 2048-bit RSA no faster per core. */
export function signWith(scheme: SignatureScheme, privateKey: KeyObject, bytes: Buffer): Buffer {
  return sign(scheme.digest, bytes, privateKey)
}

/** SubjectPublicKeyInfo of a key that certificates may carry. @throws ConnectivityError `CONFIGURATION_INVALID` otherwise. */
export function encodePublicKey(publicKey: KeyObject): Buffer {
  if (publicKey.type !== 'public') throw unsupportedKey('public')
  const info = publicKey.export({ type: 'spki', format: 'der' })
  try {
    readPublicKeyInfo(info, 'the public key')
  } catch (cause) {
    throw unsupportedKey('public', cause)
  }
  return info
}

/** The `subjectPublicKey` octets, which key identifiers are computed from. */
export function readPublicKeyBits(publicKeyInfo: Buffer, what: string): Buffer {
  const reader = createDerReader(publicKeyInfo, what).enter(tags.sequence)
  reader.read(tags.sequence)
  const bits = readOctetBits(reader, what)
  reader.end()
  return bits
}

/**
 * Makes a key of a SubjectPublicKeyInfo. Algorithm, curve, modulus and exponent are checked before OpenSSL sees them:
 * explicit curve parameters and huge exponents cost unbounded time.
 */
export function readPublicKeyInfo(publicKeyInfo: Buffer, what: string): KeyObject {
  const outer = createDerReader(publicKeyInfo, what)
  const reader = outer.enter(tags.sequence)
  outer.end()
  const algorithm = reader.read(tags.sequence).encoded
  const bits = readOctetBits(reader, what)
  reader.end()
  if (algorithm.equals(rsaKey)) checkRsaKey(bits, what)
  else if (!ecKeys.some((known) => known.equals(algorithm))) throw invalid(what, 'has a key other than RSA, P-256 and P-384')
  try {
    return createPublicKey({ key: publicKeyInfo, format: 'der', type: 'spki' })
  } catch (cause) {
    throw invalid(what, 'has an unusable public key', cause)
  }
}

const rsaKey = sequence(oids.rsaEncryption, derNull)
const ecKeys = [sequence(oids.ecPublicKey, oids.p256), sequence(oids.ecPublicKey, oids.p384)]

function checkRsaKey(bits: Buffer, what: string): void {
  const outer = createDerReader(bits, what)
  const reader = outer.enter(tags.sequence)
  outer.end()
  const modulus = readInteger(reader, what)
  const exponent = readInteger(reader, what)
  reader.end()
  const modulusBits = modulus[0] === 0 ? bitLength(modulus.subarray(1)) : bitLength(modulus)
  if ((modulus[0] ?? 0x80) >= 0x80 || modulusBits < minRsaBits || modulusBits > maxRsaBits) {
    throw invalid(what, `has an RSA key outside ${minRsaBits} to ${maxRsaBits} bits`)
  }
  if ((exponent[0] ?? 0x80) >= 0x80 || exponent.length > 5 || BigInt(`0x${exponent.toString('hex')}`) > maxRsaExponent) {
    throw invalid(what, 'has an RSA key with a public exponent that is too large')
  }
}

function bitLength(unsigned: Buffer): number {
  return unsigned.length * 8 - Math.clz32(unsigned[0] ?? 0) + 24
}

function unsupportedKey(which: string, cause?: unknown): ConnectivityError {
  return new ConnectivityError(
    'CONFIGURATION_INVALID',
    `the ${which} key is not supported; use RSA of ${minRsaBits} to ${maxRsaBits} bits or EC on P-256 or P-384`,
    { cause },
  )
}
