import { createPrivateKey, type KeyObject } from 'node:crypto'
import { unreadable } from './keystore-errors.ts'
import { maxDerBytes, maxRsaBits } from './limits.ts'

/** A private key as it was found, with the name that the key store gives it. */
export interface OpenedKey {
  readonly alias?: string | undefined
  readonly key: KeyObject
}

/** DER of PKCS #8. */
export function openPkcs8Key(der: Buffer, what: string): KeyObject {
  return checked(der.length, what, () => createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }))
}

/** DER of the older forms, each for one kind of key. */
export function openSec1OrPkcs1Key(der: Buffer, { what, type }: { readonly what: string; readonly type: 'sec1' | 'pkcs1' }): KeyObject {
  return checked(der.length, what, () => createPrivateKey({ key: der, format: 'der', type }))
}

/** PEM that is not encrypted. */
export function openPemKey(pem: string, what: string): KeyObject {
  return checked(pem.length, what, () => createPrivateKey(pem))
}

/**
 * A key that OpenSSL encrypted in its older form, with headers; deriving the key takes a single round, so there is nothing to bound. `undefined` when the
 * password does not open it: then what comes out is no key, or the padding is wrong.
 */
export function openOlderPemKey(
  pem: string,
  { what, password }: { readonly what: string; readonly password: string },
): KeyObject | undefined {
  let key: KeyObject
  try {
    key = createPrivateKey({ key: pem, format: 'pem', passphrase: password })
  } catch (error) {
    if (isUnsupported(error)) throw unreadable(what, 'has a private key with an encryption that is too weak to be supported; use AES')
    return undefined
  }
  return usable(key, what)
}

function checked(length: number, what: string, open: () => KeyObject): KeyObject {
  if (length > 2 * maxDerBytes) throw unreadable(what, `has a private key larger than ${maxDerBytes} bytes`)
  let key: KeyObject
  try {
    key = open()
  } catch {
    // The cause might quote the key.
    throw unreadable(what, 'has a private key that cannot be read')
  }
  return usable(key, what)
}

/** Curves that are spelt out, and huge moduli, cost time without bound wherever the key is used. */
function usable(key: KeyObject, what: string): KeyObject {
  const { modulusLength, namedCurve } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'rsa':
    case 'rsa-pss':
      if (modulusLength === undefined || modulusLength > maxRsaBits)
        throw unreadable(what, `has an RSA key of more than ${maxRsaBits} bits`)
      return key
    case 'ec':
      if (namedCurve === undefined) throw unreadable(what, 'has a private key on a curve without a name')
      return key
    case 'ed25519':
    case 'ed448':
      return key
    default:
      throw unreadable(what, 'has a private key that is neither RSA nor EC')
  }
}

function isUnsupported(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_OSSL_EVP_UNSUPPORTED'
}
