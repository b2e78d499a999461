import { type Address, ConnectivityError, type RfcDestination } from '@sallyport/core'

/** Numbers of services as `/etc/services` has them, for names that carry none: `{ sapmsABC: 3600 }`. */
export type ServiceNumbers = Readonly<Record<string, number>>

/** Where to dial, and the name that a mapping of the connector may have for the port. */
export interface ServerAddress extends Address {
  readonly service: string
}

/**
 * The port that a connection to the server of a destination begins at: the gateway of an application server, a message server, or a WebSocket
 * (protocols.md 9.2). Dials carry numbers, so a service needs one: `sapgw42` is 3342 by definition, `sapmsABC` only by agreement.
 *
 * @throws ConnectivityError `DESTINATION_INVALID` for a service whose number nobody knows.
 */
export function serverAddress({ name, server }: RfcDestination, services: ServiceNumbers): ServerAddress {
  switch (server.kind) {
    case 'application-server':
      return { host: server.host, port: 3300 + Number(server.systemNumber), service: `sapgw${server.systemNumber}` }
    case 'websocket':
      return { host: server.host, port: server.port, service: String(server.port) }
    case 'message-server': {
      const port = servicePort(server.service, services)
      if (port !== undefined) return { host: server.host, port, service: server.service }
      throw new ConnectivityError(
        'DESTINATION_INVALID',
        `destination "${name}": the service ${server.service} has no number here; set jco.client.msserv to the port of the message server, or tell the adapter (services)`,
        { details: { destination: name } },
      )
    }
  }
}

/** The number of a service: itself, a gateway's by its system number, or what the list says. */
export function servicePort(service: string, services: ServiceNumbers): number | undefined {
  if (/^\d{1,5}$/.test(service)) return Number(service)
  const gateway = /^sapgw(\d\d)(s?)$/.exec(service)
  if (gateway !== null) return (gateway[2] === 's' ? 4800 : 3300) + Number(gateway[1])
  return Object.hasOwn(services, service) ? services[service] : undefined
}
