import type { ExposedSystem } from '@sallyport/tunnel'

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

/** The connectors that are connected, from the tunnel server. */
export interface ConnectorRegistry {
  list(subaccount: string): readonly ConnectedConnector[]
  /** Closes the tunnels of a connector; `false` when it is not connected. It may dial again. */
  disconnect(subaccount: string, connectorId: string): boolean
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
