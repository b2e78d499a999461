import { createPrivateKey, X509Certificate } from 'node:crypto'
import { ConnectivityError } from '@sallyport/core'
import type { Keystore } from '@sallyport/keystore'
import type { References } from './authentication-request.ts'
import type { KeystoreReader } from './keystore-reader.ts'

/** A certificate chain (leaf first) and its private key, PEM. */
export interface KeyPair {
  readonly certificates: readonly [string, ...string[]]
  readonly privateKey: string
}

/** Which stored file a destination names, and with which password. `property` is the name of the property that does, for messages. */
export interface StoreReference {
  readonly property: string
  readonly location: string
  readonly password: string | undefined
}

/** Where stored files come from, and who opens them. */
export interface Stores {
  readonly references: References
  readonly readKeystore: KeystoreReader
}

/**
 * The first key of a key store that has a matching certificate.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when the key store is missing, cannot be opened or has none.
 */
export async function readKeyPair(stores: Stores, reference: StoreReference): Promise<KeyPair> {
  const { entries } = await openStore(stores, reference)
  for (const { certificates, privateKey } of entries) {
    const [leaf, ...issuers] = certificates
    if (leaf !== undefined && privateKey !== undefined && belongTogether(leaf, privateKey))
      return { certificates: [leaf, ...issuers], privateKey }
  }
  throw unusable(reference, 'holds no private key with its certificate')
}

/**
 * Every certificate of a trust store.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when the trust store is missing or cannot be opened.
 */
export async function readTrustedCertificates(stores: Stores, reference: StoreReference): Promise<readonly string[]> {
  const { entries, trusted } = await openStore(stores, reference)
  return [...trusted, ...entries.flatMap(({ certificates }) => certificates)]
}

async function openStore({ references, readKeystore }: Stores, reference: StoreReference): Promise<Keystore> {
  const stored = await references.certificate(reference.location)
  if (stored === undefined) throw unusable(reference, 'was not found')
  // The password of a store that was generated here is known; an owner who states one is taken at his word.
  const password = reference.password || stored.hidden['Password']
  try {
    return await readKeystore({
      name: reference.location,
      content: Buffer.from(stored.properties['Content'] ?? '', 'base64'),
      ...(password === undefined ? {} : { password }),
    })
  } catch (error) {
    if (!ConnectivityError.is(error)) throw error
    throw unusable(reference, `cannot be read: ${error.message}`, error)
  }
}

function belongTogether(certificate: string, privateKey: string): boolean {
  try {
    return new X509Certificate(certificate).checkPrivateKey(createPrivateKey(privateKey))
  } catch {
    // A key or certificate that OpenSSL does not know is none that could be used.
    return false
  }
}

function unusable({ property, location }: StoreReference, why: string, cause?: unknown): ConnectivityError {
  return new ConnectivityError('DESTINATION_INVALID', `The certificate "${location}" of the property ${property} ${why}`, { cause })
}
