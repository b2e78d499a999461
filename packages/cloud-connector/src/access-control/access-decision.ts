import type { HttpResource } from './http-resource.ts'
import type { MappingTable } from './mapping-table.ts'
import { readRequestPath } from './request-path.ts'
import { none } from './resource-tree.ts'
import { isHttpMapping, type SystemMapping } from './system-mapping.ts'

/**
 * What access control says about one request or connection, and why.
 *
 * Both kinds have the same members in the same order. The engine then knows that a mapping or a resource may be missing, and does not look at the one that it writes
 * down: of many mappings none is in a cache.
 */
export type AccessDecision = Admitted | Refused

interface Admitted {
  readonly allowed: true
  readonly kind: undefined
  readonly mapping: SystemMapping
  readonly resource: HttpResource | undefined
  readonly reason: undefined
}

interface Refused {
  readonly allowed: false
  /** `system`: the virtual host and port are not exposed. `resource`: they are, but not this path. `upgrade`: the path is, but not for upgrades. */
  readonly kind: 'system' | 'resource' | 'upgrade'
  readonly mapping: SystemMapping | undefined
  readonly resource: undefined
  readonly reason: string
}

/** The virtual address a stream was opened for; `host` in lower case. */
export interface VirtualAddress {
  readonly host: string
  readonly port: number
}

/**
 * Decides one HTTP request. `path` is the request target up to the query; `upgrade` the protocol it asks to change to, if it does.
 *
 * The permission to upgrade is for WebSocket. Behind any other protocol, HTTP/2 above all, further requests would pass undecided.
 */
export function decideHttpAccess(table: MappingTable, address: VirtualAddress, path: string, upgrade: string | undefined): AccessDecision {
  const place = table.locate(address.host, address.port)
  if (place === none) return refuse('system', undefined, 'no mapping for this virtual host and port')
  const mapping = table.mappingAt(place)
  // Asked of the table, because the mapping itself lies where no cache has it.
  const pathAlone = table.isDecidedByPathAlone(place)
  const refusal = pathAlone ? undefined : refuseProtocol(mapping, upgrade)
  if (refusal !== undefined) return refusal
  const reading = readRequestPath(path)
  if (reading.kind === 'refused') return refuse('resource', mapping, `the path is not accepted: ${reading.reason}`)
  // The function filter knows its path as it is written; one that is only read as it would pass unfiltered.
  if (!pathAlone && mapping.soapFunctions !== undefined && (reading.kind !== 'plain' || reading.path !== path)) {
    return refuse('resource', mapping, 'a mapping with soapFunctionFilter admits paths without dot segments and escapes alone')
  }
  const resource = table.findResource(place, reading, upgrade !== undefined)
  if (resource !== undefined && (upgrade === undefined || upgrade === 'websocket')) return admit(mapping, resource)
  if (resource !== undefined) return refuse('upgrade', mapping, 'upgrades to anything but websocket are not allowed')
  if (upgrade !== undefined && table.findResource(place, reading, false) !== undefined) {
    return refuse('upgrade', mapping, 'no resource that admits the path allows upgrades')
  }
  return refuse('resource', mapping, 'no enabled resource admits the path')
}

function admit(mapping: SystemMapping, resource: HttpResource | undefined): Admitted {
  return { allowed: true, kind: undefined, mapping, resource, reason: undefined }
}

function refuse(kind: Refused['kind'], mapping: SystemMapping | undefined, reason: string): Refused {
  return { allowed: false, kind, mapping, resource: undefined, reason }
}

/** What the protocol of a mapping refuses to HTTP, whatever the path is. */
function refuseProtocol(mapping: SystemMapping, upgrade: string | undefined): AccessDecision | undefined {
  if (!isHttpMapping(mapping)) {
    return refuse('system', mapping, `the mapping is for ${mapping.protocol}, not for HTTP`)
  }
  const reason = mapping.protocol === 'RFCWS' ? explainWebSocketRefusal(mapping, upgrade) : undefined
  return reason === undefined ? undefined : refuse('upgrade', mapping, reason)
}

/** WebSocket RFC is nothing but the upgrade to it; what is called inside cannot be read, so that it passes only where that is known and wanted. */
function explainWebSocketRefusal({ passUnread }: SystemMapping, upgrade: string | undefined): string | undefined {
  if (!passUnread) return 'the functions of WebSocket RFC cannot be read, and the mapping does not let it pass unread'
  return upgrade === undefined ? 'a mapping of protocol RFCWS admits nothing but WebSocket' : undefined
}

/** Decides one connection that is not HTTP. The mapping alone grants it; in RFC everything that is said on it is decided later. */
export function decideTcpAccess(table: MappingTable, address: VirtualAddress): AccessDecision {
  const mapping = table.find(address.host, address.port)
  if (mapping === undefined) return refuse('system', undefined, 'no mapping for this virtual host and port')
  if (isHttpMapping(mapping)) {
    return refuse('system', mapping, `the mapping is for ${mapping.protocol}, not for TCP`)
  }
  const refused = mapping.protocol === 'RFCS' ? explainSncRefusal(mapping) : undefined
  if (refused !== undefined) return refuse('system', mapping, refused)
  return admit(mapping, undefined)
}

/** SNC of the application's own may pass. That of the connector, in which principals travel, needs a library that comes with SAP's systems alone. */
function explainSncRefusal({ passUnread, principalType }: SystemMapping): string | undefined {
  if (principalType !== 'NONE') return noSncLibrary
  return passUnread ? undefined : 'the connector does not speak SNC itself, and the mapping does not let it pass'
}

/** What the propagation of principals over SNC lacks. */
export const noSncLibrary =
  'principals are propagated over SNC with the SAP Cryptographic Library and an SNC identity of the connector, which it does not have; propagate them with rfcws or https'
