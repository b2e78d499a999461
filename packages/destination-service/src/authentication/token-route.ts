import type { DestinationRecord } from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import type { Level } from '../entities/entity-repository.ts'
import type { OutgoingRoute } from './outgoing-request.ts'

/** Which way the calls of a destination to its token service take: their own, else that of the target. */
export function tokenProxyType(properties: DestinationRecord): string {
  return properties['tokenServiceURL.ProxyType'] || properties['ProxyType'] || 'Internet'
}

/**
 * The way to the token service.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` for one that token services cannot be reached by.
 */
export function tokenRoute(proxyType: string, url: URL, level: Level, properties: DestinationRecord): OutgoingRoute {
  if (proxyType === 'Internet') return { kind: 'internet' }
  if (proxyType !== 'OnPremise') {
    throw new ConnectivityError(
      'DESTINATION_INVALID',
      `Tokens cannot be retrieved with the ProxyType ${proxyType}: set tokenServiceURL.ProxyType to Internet or OnPremise`,
    )
  }
  if (url.protocol !== 'http:')
    throw new ConnectivityError(
      'DESTINATION_INVALID',
      'The tokenServiceURL of an on-premise token service begins with http://; the cloud connector adds TLS',
    )
  const locationId = properties['CloudConnectorLocationId'] ?? ''
  // It goes into a header as it is.
  if (!/^[\x20-\x7e]*$/.test(locationId))
    throw new ConnectivityError('DESTINATION_INVALID', 'The property CloudConnectorLocationId has characters that cannot be sent')
  return { kind: 'on-premise', subaccountId: level.subaccountId, locationId }
}
