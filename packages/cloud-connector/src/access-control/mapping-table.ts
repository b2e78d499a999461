import type { SystemMapping } from './system-mapping.ts'
import { createVirtualHostIndex, type VirtualHostIndex } from './virtual-host-index.ts'
import { none } from './resource-tree.ts'

/** The mappings of one subaccount and location, found by virtual host and port. */
export interface MappingTable extends VirtualHostIndex {
  readonly mappings: readonly SystemMapping[]
  /** `virtualHost` in lower case. */
  find(virtualHost: string, virtualPort: number): SystemMapping | undefined
  /** The first HTTP mapping that leads to an internal host (any case) and port. */
  findByInternal(internalHost: string, internalPort: number): SystemMapping | undefined
  /** The first mapping that leads to an internal host, on whatever port. */
  findByInternalHost(internalHost: string): SystemMapping | undefined
}

/** Arranges mappings for look-up. Clashes are refused earlier, by the configuration's rules. */
export function createMappingTable(mappings: readonly SystemMapping[]): MappingTable {
  const virtual = createVirtualHostIndex(mappings)
  const byInternal = new Map<string, SystemMapping>()
  const byInternalHost = new Map<string, SystemMapping>()
  for (const mapping of mappings) {
    if (mapping.protocol !== 'HTTP' && mapping.protocol !== 'HTTPS') continue
    const host = mapping.internalHost.toLowerCase()
    const key = `${host}:${mapping.internalPortLow}`
    if (!byInternal.has(key)) byInternal.set(key, mapping)
    if (!byInternalHost.has(host)) byInternalHost.set(host, mapping)
  }
  return {
    ...virtual,
    mappings,
    find(virtualHost, virtualPort) {
      const place = virtual.locate(virtualHost, virtualPort)
      return place === none ? undefined : virtual.mappingAt(place)
    },
    findByInternal: (internalHost, internalPort) => byInternal.get(`${internalHost.toLowerCase()}:${internalPort}`),
    findByInternalHost: (internalHost) => byInternalHost.get(internalHost.toLowerCase()),
  }
}
