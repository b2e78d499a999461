import {
  type BackendProtocol,
  backendProtocols,
  type ConfigurationProblem,
  defaultPrincipalType,
  type MappingEntry,
} from '@sallyport/admin-api'
import type { HttpResource } from '../access-control/http-resource.ts'
import { createResourceIndex } from '../access-control/resource-index.ts'
import type { SystemMapping } from '../access-control/system-mapping.ts'

interface PortRange {
  readonly host: string
  readonly low: number
  readonly high: number
}

const defaultPorts: Readonly<Record<BackendProtocol, number | undefined>> = {
  HTTP: 80,
  HTTPS: 443,
  LDAP: 389,
  LDAPS: 636,
  TCP: undefined,
  TCPS: undefined,
}

/** Turns a written mapping into the internal form, or says what keeps it from being one. Paths of problems are relative to the mapping. */
export function normaliseMapping(
  entry: MappingEntry,
): { readonly mapping: SystemMapping } | { readonly problems: readonly ConfigurationProblem[] } {
  const problems: ConfigurationProblem[] = []
  const virtual = parseHostAndPorts(entry.virtual, undefined)
  if (virtual === undefined || !/^[A-Za-z0-9._-]+$/.test(virtual.host)) {
    problems.push({ path: ['virtual'], message: `"${entry.virtual}" is not host:port, such as s4.demo:443` })
  }
  const scheme = /^([a-z]+):\/\/([^/?#@]+)\/?$/.exec(entry.internal)
  const protocol = backendProtocols.find((candidate) => candidate === scheme?.[1]?.toUpperCase())
  const internal = protocol === undefined ? undefined : parseHostAndPorts(scheme?.[2] ?? '', defaultPorts[protocol])
  if (protocol === undefined) {
    const known = backendProtocols.map((name) => `${name.toLowerCase()}://`).join(', ')
    problems.push({
      path: ['internal'],
      message: `"${entry.internal}" is not an address such as https://s4.internal:44300 (${known}; no path)`,
    })
  } else if (internal === undefined) {
    const help = defaultPorts[protocol] === undefined ? `; ${protocol.toLowerCase()} has no default port` : ''
    problems.push({ path: ['internal'], message: `"${entry.internal}" does not name a host and port${help}` })
  }
  if (virtual === undefined || protocol === undefined || internal === undefined || problems.length > 0) return { problems }
  const resources: readonly HttpResource[] = entry.resources.map(({ subPaths, ...resource }) => ({
    ...resource,
    exactMatchOnly: !subPaths,
  }))
  return {
    mapping: {
      virtualHost: virtual.host.toLowerCase(),
      virtualPortLow: virtual.low,
      virtualPortHigh: virtual.high,
      virtualText: formatHostAndPorts(virtual),
      protocol,
      internalHost: internal.host,
      internalPortLow: internal.low,
      internalText: formatHostAndPorts(internal),
      backendType: entry.backendType,
      principalType: entry.principalType ?? defaultPrincipalType(protocol),
      hostInHeader: entry.hostInHeader.toUpperCase() as Uppercase<typeof entry.hostInHeader>,
      description: entry.description,
      resources,
      index: createResourceIndex(resources),
    },
  }
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
  return range.low === range.high ? `${host}:${range.low}` : `${host}:${range.low}-${range.high}`
}
