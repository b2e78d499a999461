import { ConnectivityError } from '@sallyport/core'
import type { ExpiryNotifier, Outgoing } from '@sallyport/destination-service'

const connectTimeoutMs = 10_000
const readTimeoutMs = 10_000

/**
 * Posts events as JSON to an address out of the configuration. User and password in it are sent as basic authentication, and shown nowhere. What it answers does
 * not matter, as long as it is a success.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when the address is none.
 */
export function createExpiryWebhook(address: string, outgoing: Outgoing): ExpiryNotifier {
  const { origin, pathname, search, authorization } = readAddress(address)
  return {
    async notify(event, signal) {
      const { status } = await outgoing.send(
        {
          method: 'POST',
          origin,
          path: pathname + search,
          headers: { 'content-type': 'application/json', ...(authorization === undefined ? {} : { authorization }) },
          body: JSON.stringify(event),
          // Chosen by the operator, not by a tenant.
          route: { kind: 'own-service' },
          tls: { trustAll: false, authorities: [], hostnames: 'Strict' },
          connectTimeoutMs,
          readTimeoutMs,
        },
        signal,
      )
      if (status >= 300)
        throw new ConnectivityError('PEER_UNREACHABLE', `the webhook for expiring certificates at ${origin} answered ${status}`)
    },
  }
}

/** The address may come from a file, so that it was not checked with the configuration. */
function readAddress(address: string): Pick<URL, 'origin' | 'pathname' | 'search'> & { readonly authorization: string | undefined } {
  const url = URL.parse(address.trim())
  if (url === null || !/^https?:$/.test(url.protocol))
    throw new ConnectivityError('CONFIGURATION_INVALID', 'server.destinationService.certificates.expiryWebhook is not an http or https URL')
  const { origin, pathname, search, username, password } = url
  const credentials = username === '' && password === '' ? undefined : `${decoded(username)}:${decoded(password)}`
  return {
    origin,
    pathname,
    search,
    authorization: credentials === undefined ? undefined : `Basic ${Buffer.from(credentials, 'utf8').toString('base64')}`,
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    // The part itself stays out of the message.
    throw new ConnectivityError(
      'CONFIGURATION_INVALID',
      'user and password of server.destinationService.certificates.expiryWebhook are not percent-encoded',
    )
  }
}
