import type { BackendProtocol, BackendType, HostInHeader, PrincipalType } from '@sallyport/admin-api'
import type { FunctionList } from './function-list.ts'
import type { HttpResource } from './http-resource.ts'
import type { ResourceIndex } from './resource-index.ts'
import type { RfcMapping } from './rfc-mapping.ts'

/** Virtual host and port to internal host and port, with everything that the data path needs to know. Immutable. */
export interface SystemMapping {
  /** Lower case; as {@link SystemMapping.virtualText} has it otherwise. */
  readonly virtualHost: string
  readonly virtualPortLow: number
  /** Equal to the low port unless the mapping is a TCP port range. */
  readonly virtualPortHigh: number
  /** `host:port` or `host:low-high`, as configured; ports of RFC may be names. */
  readonly virtualText: string
  readonly protocol: BackendProtocol
  readonly internalHost: string
  readonly internalPortLow: number
  /** `host:port` or `host:low-high`. */
  readonly internalText: string
  readonly backendType: BackendType
  readonly principalType: PrincipalType
  readonly hostInHeader: HostInHeader
  readonly description: string
  readonly resources: readonly HttpResource[]
  readonly index: ResourceIndex
  /** Present exactly in mappings of protocol RFC and RFCS. */
  readonly rfc: RfcMapping | undefined
  /** Which functions SOAP requests of an HTTP mapping may call; `undefined`: nobody looks. */
  readonly soapFunctions: FunctionList | undefined
  /** Whether contents pass that cannot be read: those of SNC and of WebSocket RFC. */
  readonly passUnread: boolean
}

/** Whether the mapping speaks HTTP to its backend, if only to upgrade to WebSocket. */
export function isHttpMapping(mapping: SystemMapping): boolean {
  return mapping.protocol === 'HTTP' || mapping.protocol === 'HTTPS' || mapping.protocol === 'RFCWS'
}

/** Whether the mapping speaks RFC to its backend. */
export function isRfcMapping(mapping: SystemMapping): mapping is SystemMapping & { readonly rfc: RfcMapping } {
  return mapping.rfc !== undefined
}

/** Whether the connection to the backend is TLS. */
export function isTlsMapping(mapping: SystemMapping): boolean {
  return ['HTTPS', 'RFCWS', 'TCPS', 'LDAPS'].includes(mapping.protocol)
}

/** The internal port behind a virtual one: ranges map by offset. */
export function internalPortOf(mapping: SystemMapping, virtualPort: number): number {
  return mapping.internalPortLow + (virtualPort - mapping.virtualPortLow)
}
