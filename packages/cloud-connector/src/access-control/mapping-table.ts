import type { SystemMapping } from './system-mapping.ts'

/** The mappings of one subaccount and location, found by virtual host and port. */
export interface MappingTable {
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
  // By host, then by port: a key made of both would be a new string to hash for every request.
  const single = new Map<string, Map<number, SystemMapping>>()
  const ranges = new Map<string, SystemMapping[]>()
  const byInternal = new Map<string, SystemMapping>()
  const byInternalHost = new Map<string, SystemMapping>()
  for (const mapping of mappings) {
    if (mapping.virtualPortLow === mapping.virtualPortHigh) {
      const ports = single.get(mapping.virtualHost) ?? new Map<number, SystemMapping>()
      single.set(mapping.virtualHost, ports.set(mapping.virtualPortLow, mapping))
    } else ranges.set(mapping.virtualHost, [...(ranges.get(mapping.virtualHost) ?? []), mapping])
    if (mapping.protocol !== 'HTTP' && mapping.protocol !== 'HTTPS') continue
    const host = mapping.internalHost.toLowerCase()
    const key = `${host}:${mapping.internalPortLow}`
    if (!byInternal.has(key)) byInternal.set(key, mapping)
    if (!byInternalHost.has(host)) byInternalHost.set(host, mapping)
  }
  return {
    mappings,
    find(virtualHost, virtualPort) {
      const exact = single.get(virtualHost)?.get(virtualPort)
      if (exact !== undefined) return exact
      return ranges.get(virtualHost)?.find((mapping) => virtualPort >= mapping.virtualPortLow && virtualPort <= mapping.virtualPortHigh)
    },
    findByInternal: (internalHost, internalPort) => byInternal.get(`${internalHost.toLowerCase()}:${internalPort}`),
    findByInternalHost: (internalHost) => byInternalHost.get(internalHost.toLowerCase()),
  }
}
