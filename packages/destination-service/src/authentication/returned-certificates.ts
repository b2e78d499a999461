import type { ReturnedCertificate } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { AuthenticationRequest } from './authentication-request.ts'

/**
 * The stored files that the application needs for the target: the key store of its own TLS certificate or of the assertions made for it, and the trust store.
 * When it wants no tokens from us, the key store of the token service as well.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` when the key store that the application logs on with is missing.
 */
export async function returnedCertificates(request: AuthenticationRequest): Promise<readonly ReturnedCertificate[]> {
  const { configuration, references, skipTokenRetrieval, log } = request
  const names = new Set([
    keyStoreOf(request),
    configuration['TrustStoreLocation'],
    skipTokenRetrieval ? configuration['tokenService.KeyStoreLocation'] : '',
  ])
  const found: ReturnedCertificate[] = []
  for (const name of names) {
    if (!name) continue
    // oxlint-disable-next-line no-await-in-loop -- three at most, and their order is part of the answer
    const stored = await references.certificate(name)
    if (stored !== undefined) {
      found.push({ Name: name, Content: stored.properties['Content'] ?? '', Type: stored.properties['Type'] || 'CERTIFICATE' })
    } else if (isLogOn(request) && name === configuration['KeyStoreLocation'] && !skipTokenRetrieval) {
      throw new ConnectivityError('DESTINATION_INVALID', `The certificate "${name}" of the property KeyStoreLocation was not found`)
    } else {
      log.warn(
        { destination: configuration.Name, subaccount: request.level.subaccountId },
        'a certificate of the destination was not found',
      )
    }
  }
  return found
}

function keyStoreOf({ configuration }: AuthenticationRequest): string | undefined {
  switch (configuration['Authentication']) {
    case 'ClientCertificateAuthentication':
      return configuration['KeyStore.Source'] === 'ClientProvided' ? undefined : configuration['KeyStoreLocation']
    case 'OAuth2SAMLBearerAssertion':
    case 'SAMLAssertion':
      return configuration['KeyStoreLocation']
    default:
      return undefined
  }
}

function isLogOn({ configuration }: AuthenticationRequest): boolean {
  return configuration['Authentication'] === 'ClientCertificateAuthentication'
}
