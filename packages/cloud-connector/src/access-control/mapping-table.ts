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
  const single = new Map<string, SystemMapping | Map<number, SystemMapping>>()
  const ranges = new Map<string, SystemMapping[]>()
  const byInternal = new Map<string, SystemMapping>()
  const byInternalHost = new Map<string, SystemMapping>()
  for (const mapping of mappings) {
    if (mapping.virtualPortLow === mapping.virtualPortHigh) {
      const known = single.get(mapping.virtualHost)
      // Most hosts have one port, and a map for each of many would be one more thing that no cache holds.
      if (known === undefined) single.set(copyOf(mapping.virtualHost), mapping)
      else single.set(mapping.virtualHost, portsOf(known).set(mapping.virtualPortLow, mapping))
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
      const known = single.get(virtualHost)
      const exact = known instanceof Map ? known.get(virtualPort) : known?.virtualPortLow === virtualPort ? known : undefined
      if (exact !== undefined) return exact
      return ranges.get(virtualHost)?.find((mapping) => virtualPort >= mapping.virtualPortLow && virtualPort <= mapping.virtualPortHigh)
    },
    findByInternal: (internalHost, internalPort) => byInternal.get(`${internalHost.toLowerCase()}:${internalPort}`),
    findByInternalHost: (internalHost) => byInternalHost.get(internalHost.toLowerCase()),
  }
}

function portsOf(known: SystemMapping | Map<number, SystemMapping>): Map<number, SystemMapping> {
  return known instanceof Map ? known : new Map([[known.virtualPortLow, known]])
}

/** What a parser hands out may point into the text of the whole file. */
function copyOf(text: string): string {
  return Buffer.from(text).toString()
}
