import type { HttpResource } from './http-resource.ts'
import type { MappingTable } from './mapping-table.ts'
import { readRequestPath } from './request-path.ts'
import { isHttpMapping, type SystemMapping } from './system-mapping.ts'

/** What access control says about one request or connection, and why. */
export type AccessDecision =
  | { readonly allowed: true; readonly mapping: SystemMapping; readonly resource: HttpResource | undefined }
  | {
      readonly allowed: false
      /** `system`: the virtual host and port are not exposed. `resource`: they are, but not this path. `upgrade`: the path is, but not for upgrades. */
      readonly kind: 'system' | 'resource' | 'upgrade'
      readonly mapping: SystemMapping | undefined
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
  const mapping = table.find(address.host, address.port)
  if (mapping === undefined)
    return { allowed: false, kind: 'system', mapping: undefined, reason: 'no mapping for this virtual host and port' }
  if (!isHttpMapping(mapping)) {
    return { allowed: false, kind: 'system', mapping, reason: `the mapping is for ${mapping.protocol}, not for HTTP` }
  }
  if (mapping.protocol === 'RFCWS') {
    const reason = explainWebSocketRefusal(mapping, upgrade)
    if (reason !== undefined) return { allowed: false, kind: 'upgrade', mapping, reason }
  }
  const reading = readRequestPath(path)
  if (reading.kind === 'refused')
    return { allowed: false, kind: 'resource', mapping, reason: `the path is not accepted: ${reading.reason}` }
  // The function filter knows its path as it is written; one that is only read as it would pass unfiltered.
  if (mapping.soapFunctions !== undefined && (reading.kind !== 'plain' || reading.path !== path)) {
    return {
      allowed: false,
      kind: 'resource',
      mapping,
      reason: 'a mapping with soapFunctionFilter admits paths without dot segments and escapes alone',
    }
  }
  const resource = mapping.index.find(reading, upgrade !== undefined)
  if (resource !== undefined && (upgrade === undefined || upgrade === 'websocket')) return { allowed: true, mapping, resource }
  if (resource !== undefined)
    return { allowed: false, kind: 'upgrade', mapping, reason: 'upgrades to anything but websocket are not allowed' }
  if (upgrade !== undefined && mapping.index.find(reading, false) !== undefined) {
    return { allowed: false, kind: 'upgrade', mapping, reason: 'no resource that admits the path allows upgrades' }
  }
  return { allowed: false, kind: 'resource', mapping, reason: 'no enabled resource admits the path' }
}

/** WebSocket RFC is nothing but the upgrade to it; what is called inside cannot be read, so that it passes only where that is known and wanted. */
function explainWebSocketRefusal({ passUnread }: SystemMapping, upgrade: string | undefined): string | undefined {
  if (!passUnread) return 'the functions of WebSocket RFC cannot be read, and the mapping does not let it pass unread'
  return upgrade === undefined ? 'a mapping of protocol RFCWS admits nothing but WebSocket' : undefined
}

/** Decides one connection that is not HTTP. The mapping alone grants it; in RFC everything that is said on it is decided later. */
export function decideTcpAccess(table: MappingTable, address: VirtualAddress): AccessDecision {
  const mapping = table.find(address.host, address.port)
  if (mapping === undefined)
    return { allowed: false, kind: 'system', mapping: undefined, reason: 'no mapping for this virtual host and port' }
  if (isHttpMapping(mapping)) {
    return { allowed: false, kind: 'system', mapping, reason: `the mapping is for ${mapping.protocol}, not for TCP` }
  }
  const refused = mapping.protocol === 'RFCS' ? explainSncRefusal(mapping) : undefined
  if (refused !== undefined) return { allowed: false, kind: 'system', mapping, reason: refused }
  return { allowed: true, mapping, resource: undefined }
}

/** SNC of the application's own may pass. That of the connector, in which principals travel, needs a library that comes with SAP's systems alone. */
function explainSncRefusal({ passUnread, principalType }: SystemMapping): string | undefined {
  if (principalType !== 'NONE') return noSncLibrary
  return passUnread ? undefined : 'the connector does not speak SNC itself, and the mapping does not let it pass'
}

/** What the propagation of principals over SNC lacks. */
export const noSncLibrary =
  'principals are propagated over SNC with the SAP Cryptographic Library and an SNC identity of the connector, which it does not have; propagate them with rfcws or https'
