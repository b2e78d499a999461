import type { Flow } from '../flow.ts'
import { required } from '../property-reading.ts'

/** `ClientCertificateAuthentication`: no token; the key store is among the certificates of the answer, unless the application has one of its own. */
export const clientCertificate: Flow = async ({ configuration }) => {
  if (configuration['KeyStore.Source'] !== 'ClientProvided') required(configuration, 'KeyStoreLocation')
  return undefined
}
