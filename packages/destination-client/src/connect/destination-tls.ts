import { createPrivateKey, X509Certificate } from 'node:crypto'
import { ConnectivityError, createSecret, type Secret } from '@sallyport/core'
import type { DestinationCertificate, FoundDestination } from '../found-destination.ts'

/** What the key store and the trust store of a destination mean for TLS to its target. */
export interface DestinationTls {
  /** PEM certificates to trust besides Node's own. */
  readonly ca?: readonly string[]
  /** PEM certificate with its chain, and its key. */
  readonly certificate?: string
  readonly key?: Secret
  /** The same in one file, where the key store is PKCS #12. */
  readonly pkcs12?: { readonly content: Secret<Buffer>; readonly password: Secret }
}

/**
 * Reads `KeyStoreLocation` where it is the certificate of a client (other authentication types sign with it), and
 * `TrustStoreLocation`. PEM and PKCS #12 key stores and PEM and DER trust stores are read.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` naming the property, for a store that is missing or of another kind.
 */
export function destinationTls({ destination, certificates, secrets }: FoundDestination): DestinationTls {
  const { name, properties } = destination
  const stores = { certificates, secrets: secrets.reveal(), invalid: invalidIn(name) }
  const isClient = properties['Authentication'] === 'ClientCertificateAuthentication' && properties['KeyStore.Source'] !== 'ClientProvided'
  const keys = isClient ? properties['KeyStoreLocation'] : undefined
  const trusted = properties['TrustAll']?.toLowerCase() === 'true' ? undefined : properties['TrustStoreLocation']
  return {
    ...(keys === undefined || keys === '' ? {} : readKeyStore(keys, stores)),
    ...(trusted === undefined || trusted === '' ? {} : { ca: readTrustStore(trusted, stores) }),
  }
}

interface Stores {
  readonly certificates: readonly DestinationCertificate[]
  readonly secrets: Readonly<Record<string, string>>
  readonly invalid: (property: string, what: string, cause?: unknown) => ConnectivityError
}

function readKeyStore(location: string, { certificates, secrets, invalid }: Stores): DestinationTls {
  const content = find(location, certificates, () => invalid('KeyStoreLocation', `"${location}" is not among its certificates`))
  const password = secrets['KeyStorePassword'] ?? ''
  if (/\.(?:p12|pfx)$/i.test(location)) return { pkcs12: { content, password: createSecret(password) } }
  const text = content.reveal().toString('latin1')
  const blocks = text.match(/-----BEGIN ([A-Z0-9 ]+)-----[\s\S]+?-----END \1-----/g) ?? []
  const key = blocks.find((block) => block.includes('PRIVATE KEY-----'))
  const chain = blocks.filter((block) => block.includes('BEGIN CERTIFICATE-----'))
  if (key === undefined || chain.length === 0) {
    throw invalid('KeyStoreLocation', `"${location}" holds no PEM certificate with its key; PEM and PKCS #12 (.p12, .pfx) can be used`)
  }
  try {
    const plain = createPrivateKey({ key, passphrase: password }).export({ type: 'pkcs8', format: 'pem' })
    return { certificate: `${chain.join('\n')}\n`, key: createSecret(plain.toString()) }
  } catch (cause) {
    throw invalid('KeyStorePassword', `does not open the key in "${location}"`, cause)
  }
}

function readTrustStore(location: string, { certificates, invalid }: Stores): readonly string[] {
  const content = find(location, certificates, () => invalid('TrustStoreLocation', `"${location}" is not among its certificates`)).reveal()
  const blocks = content.toString('latin1').match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [content]
  try {
    return blocks.map((block) => new X509Certificate(block).toString())
  } catch (cause) {
    throw invalid('TrustStoreLocation', `"${location}" holds no certificate in PEM or DER, which can be used`, cause)
  }
}

function find(location: string, certificates: readonly DestinationCertificate[], missing: () => ConnectivityError): Secret<Buffer> {
  const found = certificates.find((certificate) => certificate.name === location)
  if (found === undefined) throw missing()
  return found.content
}

function invalidIn(name: string): Stores['invalid'] {
  return (property, what, cause) =>
    new ConnectivityError('DESTINATION_INVALID', `destination "${name}": ${property}: ${what}`, {
      details: { destination: name },
      ...(cause === undefined ? {} : { cause }),
    })
}
