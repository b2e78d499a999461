import {
  type BackendProtocol,
  backendProtocols,
  type ConfigurationProblem,
  defaultPrincipalType,
  type MappingEntry,
} from '@sallyport/admin-api'
import { createFunctionList } from '../access-control/function-list.ts'
import type { HttpResource } from '../access-control/http-resource.ts'
import { createResourceIndex } from '../access-control/resource-index.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'
import { functionsOf, normaliseRfcMapping } from './normalise-rfc-mapping.ts'
import type { PortRange } from './port-range.ts'
import { parseRfcAddress, rangeOf } from './rfc-address.ts'

const defaultPorts: Readonly<Record<BackendProtocol, number | undefined>> = {
  HTTP: 80,
  HTTPS: 443,
  RFC: undefined,
  RFCS: undefined,
  RFCWS: 443,
  LDAP: 389,
  LDAPS: 636,
  TCP: undefined,
  TCPS: undefined,
}

/** Where ABAP systems take WebSocket RFC: protocols.md 14. */
const webSocketResource: HttpResource = {
  path: '/sap/bc/rfc',
  exactMatchOnly: true,
  enabled: true,
  websocketUpgradeAllowed: true,
  description: '',
}

/**
 * Turns a written mapping into the internal form, or says what keeps it from being one. Paths of problems are relative to the mapping. `services` are the ports
 * of services that have no number in their name.
 */
export function normaliseMapping(
  entry: MappingEntry,
  services: Readonly<Record<string, number>>,
): { readonly mapping: SystemMapping } | { readonly problems: readonly ConfigurationProblem[] } {
  const problems: ConfigurationProblem[] = []
  const scheme = /^([a-z]+):\/\/([^/?#@]+)\/?$/.exec(entry.internal)
  const protocol = backendProtocols.find((candidate) => candidate === scheme?.[1]?.toUpperCase())
  const isRfc = protocol === 'RFC' || protocol === 'RFCS'
  const virtual = isRfc ? readRfcAddress(entry.virtual, protocol, services) : parseHostAndPorts(entry.virtual, undefined)
  if (virtual === undefined || typeof virtual === 'string' || !/^[A-Za-z0-9._-]+$/.test(virtual.host)) {
    const problem = typeof virtual === 'string' ? virtual : `is not host:port, such as ${isRfc ? 'erp.demo:sapgw00' : 's4.demo:443'}`
    problems.push({ path: ['virtual'], message: `"${entry.virtual}" ${problem}` })
  }
  const authority = scheme?.[2] ?? ''
  const internal = protocol === undefined || isRfc ? undefined : parseHostAndPorts(authority, defaultPorts[protocol])
  const rfc = isRfc ? normaliseRfcMapping(entry, parseRfcAddress(authority, protocol, services)) : undefined
  if (protocol === undefined) {
    const known = backendProtocols.map((name) => `${name.toLowerCase()}://`).join(', ')
    problems.push({
      path: ['internal'],
      message: `"${entry.internal}" is not an address such as https://s4.internal:44300 (${known}; no path)`,
    })
  } else if (rfc !== undefined && 'problems' in rfc) {
    problems.push(...rfc.problems)
  } else if (rfc === undefined && internal === undefined) {
    const help = defaultPorts[protocol] === undefined ? `; ${protocol.toLowerCase()} has no default port` : ''
    problems.push({ path: ['internal'], message: `"${entry.internal}" does not name a host and port${help}` })
  }
  const backend = rfc !== undefined && 'rfc' in rfc ? rfc.address : internal
  if (virtual === undefined || typeof virtual === 'string' || protocol === undefined || backend === undefined || problems.length > 0)
    return { problems }
  const written: readonly HttpResource[] = entry.resources.map(({ subPaths, ...resource }) => ({ ...resource, exactMatchOnly: !subPaths }))
  const resources = protocol === 'RFCWS' ? [webSocketResource, ...written] : written
  return {
    mapping: {
      virtualHost: virtual.host.toLowerCase(),
      virtualPortLow: virtual.low,
      virtualPortHigh: virtual.high,
      virtualText: formatHostAndPorts(virtual),
      protocol,
      internalHost: backend.host,
      internalPortLow: backend.low,
      internalText: formatHostAndPorts(backend),
      backendType: entry.backendType,
      principalType: entry.principalType ?? defaultPrincipalType(protocol),
      hostInHeader: entry.hostInHeader.toUpperCase() as Uppercase<typeof entry.hostInHeader>,
      description: entry.description,
      resources,
      index: createResourceIndex(resources),
      rfc: rfc !== undefined && 'rfc' in rfc ? rfc.rfc : undefined,
      soapFunctions: entry.soapFunctionFilter ? createFunctionList(functionsOf(entry)) : undefined,
      passUnread: entry.passUnread,
    },
  }
}

/** The virtual side of an RFC mapping, or what is wrong with it. */
function readRfcAddress(text: string, protocol: 'RFC' | 'RFCS', services: Readonly<Record<string, number>>): PortRange | string {
  const address = parseRfcAddress(text, protocol, services)
  return 'problem' in address ? address.problem : rangeOf(address)
}

/** Number of ports that the internal side of a written mapping names; the rules compare it with the virtual side. */
export function internalPortCount(entry: MappingEntry): number {
  const range = parseHostAndPorts(entry.internal.replace(/^[a-z]+:\/\//, '').replace(/\/$/, ''), 1)
  return range === undefined ? 1 : range.high - range.low + 1
}

/** `host:port`, `host:low-high` or `[v6]:port`. */
function parseHostAndPorts(text: string, defaultPort: number | undefined): PortRange | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/?#@[\]]{1,255}))(?::(\d{1,5})(?:-(\d{1,5}))?)?$/.exec(text)
  if (match === null) return undefined
  const host = match[1] ?? match[2] ?? ''
  const low = match[3] === undefined ? defaultPort : Number(match[3])
  const high = match[4] === undefined ? low : Number(match[4])
  if (low === undefined || high === undefined || low < 1 || high > 65_535 || low > high) return undefined
  return { host, low, high }
}

function formatHostAndPorts(range: PortRange): string {
  const host = range.host.includes(':') ? `[${range.host}]` : range.host
  return range.low === range.high ? `${host}:${range.portText ?? range.low}` : `${host}:${range.low}-${range.high}`
}
