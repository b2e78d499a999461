import type { Clock, Dial, RfcDestination } from '@sallyport/core'
import { serverAddress, servicePort, type ServiceNumbers } from '../server-address.ts'
import { invalidDestination } from './classic-logon.ts'
import { lookUpLogonGroup } from './logon-group-lookup.ts'
import { createNiLink, type NiLink } from './ni-link.ts'
import { requestRoute, type Route } from './route.ts'

/** The way to the system of a destination. */
export interface GatewayWay {
  readonly destination: RfcDestination
  readonly dial: Dial
  readonly clock: Clock
  readonly services: ServiceNumbers
  /** SAProuters in front of everything that is dialled. */
  readonly route: Route | undefined
}

/** A link to a gateway, and the system that it shall connect to. */
export interface ReachedGateway {
  readonly link: NiLink
  readonly host: string
  /** Two digits. */
  readonly systemNumber: string
}

/**
 * Opens a link to the gateway of a destination: protocols.md 9.2. Load balancing is asked of the message server first; behind a connector the connector does that,
 * and what is dialled is the gateway already.
 *
 * @throws ConnectivityError; on failure nothing stays open.
 */
export async function reachGateway(way: GatewayWay, signal: AbortSignal): Promise<ReachedGateway> {
  const { destination, services } = way
  const { server, gateway } = destination
  const first = serverAddress(destination, services)
  const isBalancedHere = server.kind === 'message-server' && destination.proxyType !== 'OnPremise'
  const chosen = isBalancedHere ? await balance(way, first.host, first.port, server.group, signal) : first
  const gatewayPort = gateway?.service === undefined ? chosen.port : servicePort(gateway.service, services)
  if (gatewayPort === undefined) throw invalidDestination(destination, 'jco.client.gwserv has no number here; write the port')
  const link = await connect(way, gateway?.host ?? chosen.host, gatewayPort, signal)
  const systemNumber = server.kind === 'application-server' ? server.systemNumber : String(chosen.port % 100).padStart(2, '0')
  return { link, host: chosen.host, systemNumber }
}

async function balance(
  way: GatewayWay,
  host: string,
  port: number,
  group: string,
  signal: AbortSignal,
): ReturnType<typeof lookUpLogonGroup> {
  const attempt = `look up logon group "${group}" of destination "${way.destination.name}" at ${host}:${port}`
  return lookUpLogonGroup(await connect(way, host, port, signal), group, attempt, signal)
}

async function connect({ destination, dial, clock, route }: GatewayWay, host: string, port: number, signal: AbortSignal): Promise<NiLink> {
  const address = route === undefined ? { host, port } : route.first
  const link = createNiLink(await dial(address, { signal, locationId: destination.locationId }), clock)
  if (route === undefined) return link
  try {
    await requestRoute(link, route, { host, service: String(port) }, signal)
    return link
  } catch (error) {
    await link.close()
    throw error
  }
}
