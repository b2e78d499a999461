import { shippingFunctions } from '@sallyport/rfc-wire'
import { noSncLibrary } from '../access-control/access-decision.ts'
import type { FunctionResource } from '../access-control/function-list.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'

/** Ports of gateways, plain and with SNC. */
const gatewayRanges = [
  [3300, 3399],
  [4800, 4899],
] as const

/** What works but lets more pass, or less, than its author may think. */
export function rfcWarnings(mapping: SystemMapping): readonly string[] {
  const { internalPortLow, protocol, rfc, virtualPortHigh, virtualPortLow, virtualText, soapFunctions } = mapping
  const internalPortHigh = internalPortLow + virtualPortHigh - virtualPortLow
  if (protocol === 'TCP' && gatewayRanges.some(([low, high]) => internalPortLow <= high && internalPortHigh >= low))
    return [`${virtualText}: a tcp mapping to the port of a gateway admits every function; map it with rfc`]
  if (protocol === 'RFCWS' || protocol === 'RFCS') return unreadWarnings(mapping)
  const list = rfc?.list ?? soapFunctions
  if (list === undefined) return []
  const enabled = list.sample(Number.POSITIVE_INFINITY)
  if (rfc === undefined) return functionWarnings(virtualText, enabled)
  const shipping = enabled.filter(({ exactMatchOnly, name }) => exactMatchOnly && shippingFunctions.has(name))
  return [
    ...functionWarnings(virtualText, enabled),
    ...shipping.map(({ name }) => `${virtualText}: ${name} ships calls of other functions, which are not decided`),
    ...(rfc.allowCallbacks ? [`${virtualText}: the backend may call functions of the application`] : []),
  ]
}

/** Whoever comes from elsewhere expects that nothing written means everything, and that `*` stands for the rest of a name. */
function functionWarnings(virtualText: string, enabled: readonly FunctionResource[]): readonly string[] {
  if (enabled.length === 0) return [`${virtualText}: admits no function; name what may be called below functions`]
  return enabled
    .filter(({ name }) => name.endsWith('*'))
    .map(({ name }) => `${virtualText}: * stands for itself in ${name}; for every name that begins so write ${beginningOf(name)}`)
}

function beginningOf(name: string): string {
  const beginning = name.replace(/\*+$/, '')
  return beginning === '' ? 'the beginnings one by one, with prefix: true' : `${beginning} with prefix: true`
}

/** SNC ends in the application, and nobody has published what WebSocket RFC carries. */
function unreadWarnings({ passUnread, principalType, protocol, virtualText }: SystemMapping): readonly string[] {
  const what = protocol === 'RFCS' ? 'SNC' : 'WebSocket RFC'
  if (protocol === 'RFCS' && principalType !== 'NONE') return [`${virtualText}: every connection is refused; ${noSncLibrary}`]
  return [
    passUnread
      ? `${virtualText}: ${what} passes unread; clients, users and functions are not decided`
      : `${virtualText}: every connection is refused; the connector cannot read ${what}, and passUnread is not set`,
  ]
}
