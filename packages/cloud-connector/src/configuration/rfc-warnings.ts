import { shippingFunctions } from '@sallyport/rfc-wire'
import type { SystemMapping } from '../access-control/system-mapping.ts'

/** Ports of gateways, plain and with SNC. */
const gatewayRanges = [
  [3300, 3399],
  [4800, 4899],
] as const

/** What works but lets more pass, or less, than its author may think. */
export function rfcWarnings(mapping: SystemMapping): readonly string[] {
  const { internalPortLow, protocol, rfc, virtualPortHigh, virtualPortLow, virtualText } = mapping
  const internalPortHigh = internalPortLow + virtualPortHigh - virtualPortLow
  if (protocol === 'TCP' && gatewayRanges.some(([low, high]) => internalPortLow <= high && internalPortHigh >= low))
    return [`${virtualText}: a tcp mapping to the port of a gateway admits every function; map it with rfc`]
  if (protocol === 'RFCWS' || protocol === 'RFCS') return unreadWarnings(mapping)
  if (rfc === undefined) return []
  const shipping = rfc.functions.filter(({ enabled, exactMatchOnly, name }) => enabled && exactMatchOnly && shippingFunctions.has(name))
  return [
    ...shipping.map(({ name }) => `${virtualText}: ${name} ships calls of other functions, which are not decided`),
    ...(rfc.allowCallbacks ? [`${virtualText}: the backend may call functions of the application`] : []),
  ]
}

/** SNC ends in the application, and nobody has published what WebSocket RFC carries. */
function unreadWarnings({ passUnread, principalType, protocol, virtualText }: SystemMapping): readonly string[] {
  const what = protocol === 'RFCS' ? 'SNC' : 'WebSocket RFC'
  return [
    passUnread
      ? `${virtualText}: ${what} passes unread; clients, users and functions are not decided`
      : `${virtualText}: every connection is refused; the connector cannot read ${what}, and passUnread is not set`,
    ...(protocol === 'RFCS' && principalType !== 'NONE'
      ? [`${virtualText}: principals are not propagated over SNC, which ends in the application`]
      : []),
  ]
}
