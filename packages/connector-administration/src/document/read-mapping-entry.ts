import { type BackendProtocol, backendProtocols, defaultPrincipalType, type MappingEntry } from '@sallyport/admin-api'
import { type AdministeredMapping, type AdministeredResource, isUnread } from './administered-mapping.ts'

/** Ports that an address need not name. */
const usualPorts: Readonly<Partial<Record<BackendProtocol, string>>> = { HTTP: '80', HTTPS: '443', RFCWS: '443', LDAP: '389', LDAPS: '636' }

/** A mapping of the configuration file, as the REST API has it. The way back is `toMappingEntry`. */
export function readMappingEntry(entry: MappingEntry, createdAtMs: number): AdministeredMapping {
  const [scheme = '', address = ''] = entry.internal.split('://')
  const protocol = backendProtocols.find((known) => known === scheme.toUpperCase()) ?? 'TCP'
  const local = readAddress(address.replace(/\/$/, ''), usualPorts[protocol] ?? '')
  const virtual = readAddress(entry.virtual, '')
  return {
    virtualHost: virtual.host,
    virtualPort: virtual.port,
    localHost: local.host,
    localPort: local.port,
    protocol,
    backendType: entry.backendType,
    authenticationMode: entry.principalType ?? defaultPrincipalType(protocol),
    hostInHeader: entry.hostInHeader.toUpperCase() as AdministeredMapping['hostInHeader'],
    description: entry.description,
    // A route that stands in a file holds passwords.
    sapRouter: typeof entry.sapRouter === 'string' ? entry.sapRouter : undefined,
    sncPartnerName: entry.sncPartnerName,
    ...(isUnread(protocol) ? { passUnread: entry.passUnread } : {}),
    allowedClients: entry.allowedClients,
    blacklistedUsers: entry.blockedUsers,
    creationDateMs: createdAtMs,
    resources: [
      ...entry.resources.map(({ description, enabled, path, subPaths, websocketUpgradeAllowed }): AdministeredResource => ({
        id: path,
        enabled,
        exactMatchOnly: !subPaths,
        websocketUpgradeAllowed,
        description,
        creationDateMs: createdAtMs,
      })),
      ...entry.functions.map(({ description, enabled, name, prefix }): AdministeredResource => ({
        id: name,
        enabled,
        exactMatchOnly: !prefix,
        websocketUpgradeAllowed: false,
        description,
        creationDateMs: createdAtMs,
      })),
    ],
  }
}

/** `host:port`; the host may be an IPv6 address in brackets. */
function readAddress(text: string, usualPort: string): { readonly host: string; readonly port: string } {
  const [, host = text, port = usualPort] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/.exec(text) ?? []
  return { host, port }
}
