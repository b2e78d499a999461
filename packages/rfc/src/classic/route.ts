import { type Address, ConnectivityError, type RfcDestination } from '@sallyport/core'
import {
  formatRouteRequest,
  isRefused,
  isRouterError,
  niPong,
  parseRouterError,
  parseRouteString,
  type RouteHop,
} from '@sallyport/rfc-wire'
import { servicePort, type ServiceNumbers } from '../server-address.ts'
import { routerError, violationError } from './classic-errors.ts'
import { invalidDestination } from './classic-logon.ts'
import type { NiLink } from './ni-link.ts'

/** SAProuters on the way: which to dial, and all of them. */
export interface Route {
  readonly first: Address
  readonly hops: readonly RouteHop[]
}

/** SAProuter's port where it is named by its service. */
const routerService = /^sapdp99$/
const routerPort = 3299

/**
 * Reads `jco.client.saprouter`.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` for a string that is no route, and behind a connector, where the route belongs to the mapping. The string is not
 * repeated: it may hold passwords.
 */
export function parseRoute(destination: RfcDestination, services: ServiceNumbers): Route | undefined {
  const { saprouter } = destination
  if (saprouter === undefined) return undefined
  if (destination.proxyType === 'OnPremise') {
    throw invalidDestination(
      destination,
      'jco.client.saprouter is not for proxy type OnPremise; the mapping of the connector has the route',
    )
  }
  const hops = parseRouteString(saprouter)
  if (isRefused(hops)) throw invalidDestination(destination, `jco.client.saprouter: ${hops.refused}`)
  const [hop] = hops
  const port = hop === undefined ? undefined : routerService.test(hop.service) ? routerPort : servicePort(hop.service, services)
  if (hop === undefined || port === undefined) {
    throw invalidDestination(destination, 'jco.client.saprouter: the service of the first SAProuter has no number here; write the port')
  }
  return { first: { host: hop.host, port }, hops }
}

/** Asks the SAProuters for the way to a target; afterwards the link leads there. @throws ConnectivityError. */
export async function requestRoute(
  link: NiLink,
  { hops }: Route,
  target: { readonly host: string; readonly service: string },
  signal: AbortSignal,
): Promise<void> {
  const attempt = `route to ${target.host}:${target.service}`
  const request = requestFor(hops, target, attempt)
  await link.exchange({ attempt, signal, expectsPong: true }, async (turn) => {
    await turn.send(request)
    const answer = await turn.receive()
    if (answer.equals(niPong)) return
    const error = isRouterError(answer) ? parseRouterError(answer) : undefined
    if (error === undefined || isRefused(error)) throw violationError(attempt, 'SAProuter answers with something else', false)
    throw routerError(attempt, error)
  })
}

function requestFor(hops: readonly RouteHop[], target: { readonly host: string; readonly service: string }, attempt: string): Buffer {
  try {
    return formatRouteRequest({ hops: [...hops, { ...target, password: '' }], passedHops: 1, talkMode: 0 })
  } catch (cause) {
    throw new ConnectivityError('DESTINATION_INVALID', `${attempt}: the route is longer than a request can be, or has other characters`, {
      cause,
    })
  }
}
