import type { ExposedSystem, TunnelServer } from '@sallyport/tunnel'
import type { ConnectivityRepository } from './repository.ts'

/** A connector that is connected now. */
export interface ConnectedConnector {
  readonly subaccount: string
  readonly locationId: string
  readonly connectorId: string
  readonly agentVersion: string
  readonly connectedSinceMs: number
  /** Who asked for the code that it was paired with. */
  readonly registeredBy: string
  readonly exposedSystems: readonly ExposedSystem[]
}

/** The connectors that are connected. */
export interface ConnectorRegistry {
  list(subaccount: string): Promise<readonly ConnectedConnector[]>
  /** Closes the tunnels of a connector; `false` when it is not connected. It may dial again. */
  disconnect(subaccount: string, connectorId: string): boolean
}

/** What the tunnel server knows, joined with what was remembered at pairing. */
export function createConnectorRegistry(options: {
  readonly server: Pick<TunnelServer, 'list' | 'disconnect'>
  readonly repository: ConnectivityRepository
}): ConnectorRegistry {
  const { server, repository } = options
  return {
    list: (subaccount) =>
      Promise.all(
        server
          .list()
          .filter((tunnel) => tunnel.subaccount === subaccount)
          .map(async (tunnel) => ({
            subaccount,
            locationId: tunnel.locationId,
            connectorId: tunnel.connectorId,
            agentVersion: tunnel.agentVersion,
            connectedSinceMs: tunnel.connectedSinceMs,
            registeredBy: (await repository.findConnector(subaccount, tunnel.connectorId))?.registeredBy ?? '',
            exposedSystems: tunnel.exposed?.systems ?? [],
          })),
      ),
    disconnect: (subaccount, connectorId) => server.disconnect(subaccount, connectorId),
  }
}

/**
 * One element of the answer about connectors. The format is the original's: times are texts, and two of the attributes are JSON inside a JSON string.
 * What a connector of ours cannot know, such as the version of a Java machine, is left out.
 */
export function formatConnector(connector: ConnectedConnector): { readonly attributes: Readonly<Record<string, string>> } {
  return {
    attributes: {
      connected_by: connector.registeredBy,
      connected_since: String(connector.connectedSinceMs),
      agent_version: connector.agentVersion,
      agent_type: 'master',
      client_id: connector.connectorId,
      exposed_systems: JSON.stringify(connector.exposedSystems.map((system) => ({ ...system, status: 'exposed' }))),
      // Every tunnel is authenticated by a certificate; nothing else about the connector's security reaches us.
      security_status: JSON.stringify({ authentication_type: 'ok' }),
      ...(connector.locationId === '' ? {} : { location_id: connector.locationId }),
    },
  }
}
