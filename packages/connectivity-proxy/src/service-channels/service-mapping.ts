import { type Address, ConnectivityError, formatAddress, tryParseAddress } from '@sallyport/core'
import type { ServiceType } from '@sallyport/tunnel'

/** A service that on-premise clients of a subaccount may reach, with the fields of the resource `ServiceMapping`. */
export interface ServiceMapping {
  readonly type: ServiceType
  readonly subaccountId: string
  /** Name that the connector asks for; upper and lower case are the same. */
  readonly serviceId: string
  /** Name of the tenant where the consumer has one of its own: in logs and audit entries. */
  readonly tenantId?: string | undefined
  /** `host:port` as seen from here. */
  readonly internalAddress: string
  /** Connectors that may ask for it. Absent: the one without location ID only, which `''` names in a list. */
  readonly locationIds?: readonly string[] | undefined
}

/** What a connector asks for; subaccount and location are those it was admitted with. */
export interface ServiceRequest {
  readonly subaccount: string
  readonly locationId: string
  readonly serviceType: ServiceType
  readonly serviceId: string
  /** `host:port` of the cluster that is meant; absent: whichever this is. */
  readonly cluster?: string | undefined
}

/** A reason tells nothing about other subaccounts and locations. */
type ServiceDecision =
  | { readonly allowed: true; readonly address: Address; readonly tenantId: string | undefined }
  | { readonly allowed: false; readonly reason: string }

/** Decides where a stream of a service channel goes. Nowhere, unless a mapping says so. */
export interface ServiceMappings {
  decide(request: ServiceRequest): ServiceDecision
}

/**
 * A table of service mappings.
 *
 * @param clusterHosts names of this server as service channels may say them, `host` (IPv6 without brackets) or `host:port`; without port every port is meant.
 * @throws ConnectivityError `CONFIGURATION_INVALID` for a mapping that stands twice or an address that is none.
 */
export function createServiceMappings(mappings: readonly ServiceMapping[], clusterHosts: readonly string[]): ServiceMappings {
  const table = new Map<string, { readonly address: Address; readonly mapping: ServiceMapping }>()
  for (const mapping of mappings) {
    const { internalAddress, serviceId, subaccountId, type } = mapping
    const address = tryParseAddress(internalAddress)
    const what = `the service mapping of ${type} service "${serviceId}" in subaccount ${subaccountId}`
    if (address === undefined)
      throw new ConnectivityError('CONFIGURATION_INVALID', `${what}: "${internalAddress}" is not an address such as database.internal:5432`)
    const key = keyOf(subaccountId, type, serviceId)
    if (table.has(key)) throw new ConnectivityError('CONFIGURATION_INVALID', `${what} stands twice`)
    table.set(key, { address, mapping })
  }
  const clusters = new Set(clusterHosts.map((host) => host.toLowerCase()))
  const isOurs = (cluster: string): boolean => {
    const address = tryParseAddress(cluster.toLowerCase())
    return address !== undefined && (clusters.has(address.host) || clusters.has(formatAddress(address)))
  }
  return {
    decide({ cluster, locationId, serviceId, serviceType, subaccount }) {
      if (cluster !== undefined && !isOurs(cluster)) return { allowed: false, reason: `this is not the cluster "${cluster}"` }
      const found = table.get(keyOf(subaccount, serviceType, serviceId))
      if (found === undefined || !(found.mapping.locationIds ?? ['']).includes(locationId))
        return { allowed: false, reason: `no service mapping offers ${serviceType} service "${serviceId}" to location "${locationId}"` }
      return { allowed: true, address: found.address, tenantId: found.mapping.tenantId }
    },
  }
}

function keyOf(subaccount: string, type: ServiceType, serviceId: string): string {
  return JSON.stringify([subaccount, type, serviceId.toLowerCase()])
}

/** One difference between two lists of mappings, for the audit log. */
interface MappingChange {
  readonly subaccount: string
  readonly message: string
}

/** What was added, removed or changed. */
export function mappingChanges(before: readonly ServiceMapping[], after: readonly ServiceMapping[]): readonly MappingChange[] {
  const byKey = (mappings: readonly ServiceMapping[]): ReadonlyMap<string, ServiceMapping> =>
    new Map(mappings.map((mapping) => [keyOf(mapping.subaccountId, mapping.type, mapping.serviceId), mapping]))
  const [old, current] = [byKey(before), byKey(after)]
  return [...new Set([...old.keys(), ...current.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key), current.get(key)]
    const shown = is ?? was
    if (shown === undefined || JSON.stringify(was) === JSON.stringify(is)) return []
    const message = `service mapping ${shown.type} ${shown.serviceId} changed from ${JSON.stringify(was ?? {})} to ${JSON.stringify(is ?? {})}`
    return [{ subaccount: shown.subaccountId, message }]
  })
}
