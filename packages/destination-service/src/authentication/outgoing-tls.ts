import { type ConnectionOptions, createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { ConnectivityError } from '@sallyport/core'
import { checkBrowserCompatible } from './hostname-verification.ts'
import type { OutgoingTls } from './outgoing-request.ts'

/** Makes what Node's TLS needs out of what a destination wants. `certificateAuthorities` (PEM) are trusted beside those of the platform. */
export function createTlsConnector(
  certificateAuthorities: readonly string[],
): (wanted: OutgoingTls) => Pick<ConnectionOptions, 'secureContext' | 'rejectUnauthorized' | 'checkServerIdentity'> {
  const authorities = [...getCACertificates('default'), ...certificateAuthorities]
  // Reading all the authorities takes milliseconds, so the usual case is prepared once.
  const usual = createSecureContext({ ca: authorities })
  return (wanted) => ({
    secureContext: wanted.authorities.length === 0 && wanted.client === undefined ? usual : contextFor(wanted, authorities),
    ...(wanted.trustAll ? { rejectUnauthorized: false } : {}),
    ...(wanted.hostnames === 'BrowserCompatible' ? { checkServerIdentity: checkBrowserCompatible } : {}),
  })
}

function contextFor({ authorities, client }: OutgoingTls, usual: readonly string[]): SecureContext {
  try {
    return createSecureContext({
      ca: [...usual, ...authorities],
      ...(client === undefined ? {} : { cert: client.certificates.join('\n'), key: client.privateKey }),
    })
  } catch (cause) {
    // OpenSSL's words may quote what it read.
    throw new ConnectivityError('DESTINATION_INVALID', 'The key store or trust store of the destination cannot be used for TLS', { cause })
  }
}
