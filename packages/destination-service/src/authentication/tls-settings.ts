import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { type KeyPair, readKeyPair, readTrustedCertificates, type Stores } from './key-material.ts'
import type { OutgoingTls } from './outgoing-request.ts'
import { isTrue } from './property-reading.ts'

/** A destination and its stored files. */
export interface TlsAsked extends Stores {
  readonly configuration: DestinationRecord
}

/**
 * Whom a destination trusts when its token service is called, and with which certificate.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when the trust store cannot be used.
 */
export async function tlsSettings({ configuration, ...stores }: TlsAsked, client: KeyPair | undefined): Promise<OutgoingTls> {
  const trustAll = isTrue(configuration, 'TrustAll')
  const location = configuration['TrustStoreLocation']
  const authorities =
    trustAll || !location
      ? []
      : await readTrustedCertificates(stores, {
          property: 'TrustStoreLocation',
          location,
          password: configuration['TrustStorePassword'],
        })
  return {
    trustAll,
    authorities,
    hostnames: configuration['HostnameVerifier']?.trim().toLowerCase() === 'browsercompatible' ? 'BrowserCompatible' : 'Strict',
    ...(client === undefined ? {} : { client }),
  }
}

/**
 * The key pair with which the client shows who it is, if `tokenService.KeyStoreLocation` names one.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when it cannot be used, or the call does not go straight to the token service.
 */
export async function clientKeyPair({ configuration, ...stores }: TlsAsked, route: string): Promise<KeyPair | undefined> {
  const location = configuration['tokenService.KeyStoreLocation']
  if (!location) return undefined
  if (route !== 'Internet') {
    throw new ConnectivityError(
      'DESTINATION_INVALID',
      `The property tokenService.KeyStoreLocation needs a token service with the ProxyType Internet, not ${route}`,
    )
  }
  return readKeyPair(stores, {
    property: 'tokenService.KeyStoreLocation',
    location,
    password: configuration['tokenService.KeyStorePassword'],
  })
}
