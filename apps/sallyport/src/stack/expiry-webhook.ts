import { ConnectivityError } from '@sallyport/core'
import type { ExpiryNotifier, Outgoing } from '@sallyport/destination-service'

const connectTimeoutMs = 10_000
const readTimeoutMs = 10_000

/** Posts events as JSON to an address out of the configuration. What it answers does not matter, as long as it is a success. */
export function createExpiryWebhook(address: string, outgoing: Outgoing): ExpiryNotifier {
  const { origin, pathname, search } = new URL(address)
  return {
    async notify(event, signal) {
      const { status } = await outgoing.send(
        {
          method: 'POST',
          origin,
          path: pathname + search,
          headers: { 'content-type': 'application/json' },
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
