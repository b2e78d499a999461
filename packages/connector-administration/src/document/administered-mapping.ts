import {
  type BackendProtocol,
  backendProtocols,
  type BackendType,
  backendTypes,
  type HostInHeader,
  hostsInHeader,
  checkConfiguration,
  formatProblemPath,
  type MappingEntry,
  mappingEntrySchema,
  type PrincipalType,
  principalTypes,
} from '@sallyport/admin-api'
import { ConnectivityError } from '@sallyport/core'
import { z } from 'zod'

/** A path or function that a mapping admits, as the REST API has it (cloud-connector.md §2.6, §2.7). */
export interface AdministeredResource {
  readonly id: string
  readonly enabled: boolean
  readonly exactMatchOnly: boolean
  readonly websocketUpgradeAllowed: boolean
  readonly description?: string | undefined
  readonly creationDateMs: number
  /** Named sets that it belongs to. */
  readonly scenarios?: readonly string[] | undefined
  /** It came with one of them, and goes with the last. */
  readonly ownedByScenarios?: boolean | undefined
}

/** A system mapping, as the REST API has it (cloud-connector.md §2.3). The key is virtual host and virtual port. */
export interface AdministeredMapping {
  readonly virtualHost: string
  readonly virtualPort: string
  readonly localHost: string
  readonly localPort: string
  readonly protocol: BackendProtocol
  readonly backendType: BackendType
  readonly authenticationMode: PrincipalType
  readonly hostInHeader: HostInHeader
  readonly sid?: string | undefined
  readonly description?: string | undefined
  readonly sapRouter?: string | undefined
  readonly sncPartnerName?: string | undefined
  /** Lets SNC or WebSocket RFC pass, in which nothing can be decided. Not known to the original, which reads both. */
  readonly passUnread?: boolean | undefined
  readonly allowedClients: readonly string[]
  readonly blacklistedUsers: readonly { readonly client: string; readonly user: string }[]
  readonly creationDateMs: number
  readonly resources: readonly AdministeredResource[]
}

/** Checks an {@link AdministeredResource} and fills in what is missing. */
export const administeredResourceSchema: z.ZodType<AdministeredResource> = z.strictObject({
  id: z.string().min(1).max(4096),
  enabled: z.boolean().default(false),
  exactMatchOnly: z.boolean().default(false),
  websocketUpgradeAllowed: z.boolean().default(false),
  description: z.string().max(1024).optional(),
  creationDateMs: z.int(),
  scenarios: z.array(z.string().min(1).max(200)).max(100).optional(),
  ownedByScenarios: z.boolean().optional(),
})

/** Checks an {@link AdministeredMapping} and fills in what is missing. */
export const administeredMappingSchema: z.ZodType<AdministeredMapping> = z.strictObject({
  virtualHost: z.string().min(1).max(255),
  virtualPort: z.string().min(1).max(32),
  localHost: z.string().min(1).max(255),
  localPort: z.string().min(1).max(32),
  protocol: z.enum(backendProtocols),
  backendType: z.enum(backendTypes),
  authenticationMode: z.enum(principalTypes).default('NONE'),
  hostInHeader: z.enum(hostsInHeader).default('VIRTUAL'),
  sid: z.string().max(3).optional(),
  description: z.string().max(1024).optional(),
  sapRouter: z.string().max(4096).optional(),
  sncPartnerName: z.string().max(1024).optional(),
  passUnread: z.boolean().optional(),
  allowedClients: z.array(z.string()).default([]),
  blacklistedUsers: z.array(z.strictObject({ client: z.string(), user: z.string() })).default([]),
  creationDateMs: z.int(),
  resources: z.array(administeredResourceSchema).default([]),
})

/** Mappings never change, so that each is rendered and checked once. */
const entries = new WeakMap<AdministeredMapping, MappingEntry>()

/**
 * The mapping as the connector takes it: {@link toMappingEntry} with everything that it leaves out. The same mapping gives the same object.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID`
 */
export function mappingEntryOf(mapping: AdministeredMapping): MappingEntry {
  const known = entries.get(mapping)
  if (known !== undefined) return known
  const read = checkConfiguration(mappingEntrySchema, toMappingEntry(mapping))
  if ('problems' in read) {
    const [{ message, path } = { message: 'is not valid', path: [] }] = read.problems
    const name = `${mapping.virtualHost}:${mapping.virtualPort}`
    throw new ConnectivityError('CONFIGURATION_INVALID', `${name}: ${formatProblemPath(path)}: ${message}`)
  }
  entries.set(mapping, read.value)
  return read.value
}

/** The mapping in the form of the configuration file, which the connector checks and takes over. What its protocol has no use for is left out. */
export function toMappingEntry(mapping: AdministeredMapping): Partial<MappingEntry> {
  const {
    authenticationMode,
    backendType,
    description = '',
    hostInHeader,
    passUnread,
    protocol,
    resources,
    sapRouter,
    sncPartnerName,
  } = mapping
  const usesHttp = protocol === 'HTTP' || protocol === 'HTTPS'
  const usesGateway = protocol === 'RFC' || protocol === 'RFCS'
  return {
    virtual: `${mapping.virtualHost}:${mapping.virtualPort}`,
    internal: `${protocol.toLowerCase()}://${bracketed(mapping.localHost)}:${mapping.localPort}`,
    backendType,
    principalType: authenticationMode,
    description,
    ...(usesHttp || protocol === 'RFCWS' ? { hostInHeader } : {}),
    ...(usesHttp ? { resources: resources.map(toResourceEntry) } : {}),
    ...(protocol === 'RFC'
      ? { functions: resources.map(toFunctionEntry), allowedClients: mapping.allowedClients, blockedUsers: mapping.blacklistedUsers }
      : {}),
    ...(usesGateway && sapRouter !== undefined ? { sapRouter } : {}),
    ...(protocol === 'RFCS' && sncPartnerName !== undefined ? { sncPartnerName } : {}),
    ...(isUnread(protocol) && passUnread !== undefined ? { passUnread } : {}),
  }
}

/**
 * Why lists of a mapping would decide nothing; `undefined` when they do. RFC over SNC and WebSocket RFC are not read, so whoever filled a list would be told
 * of access that there is none of, or of a ban that nobody enforces.
 */
export function idleListOf({ allowedClients, blacklistedUsers, protocol, resources }: AdministeredMapping): string | undefined {
  if (!isUnread(protocol)) return undefined
  const what =
    resources.length > 0
      ? 'resources'
      : allowedClients.length > 0
        ? 'allowedClients'
        : blacklistedUsers.length > 0
          ? 'blacklistedUsers'
          : undefined
  return what === undefined
    ? undefined
    : `${what} of ${protocol} mappings decide nothing, because what goes through them cannot be read; leave them out`
}

/** Whether the connector cannot read what goes through mappings of a protocol, though it is RFC. */
export function isUnread(protocol: BackendProtocol): boolean {
  return protocol === 'RFCS' || protocol === 'RFCWS'
}

/**
 * Ports of the message servers that mappings name by system. Nobody administers the services of the machine here, so they have the port of the first instance;
 * another one is written as a number.
 */
export function namedServicesOf(mappings: readonly AdministeredMapping[]): Readonly<Record<string, number>> {
  const names = mappings.flatMap(({ localPort, virtualPort }) => [virtualPort, localPort]).filter((port) => port.startsWith('sapms'))
  return Object.fromEntries(names.map((name) => [name, firstMessageServerPort]))
}

const firstMessageServerPort = 3600

/** An address of IPv6 needs brackets in front of a port. */
function bracketed(host: string): string {
  return host.includes(':') && !host.startsWith('[') ? `[${host}]` : host
}

function toResourceEntry({
  description = '',
  enabled,
  exactMatchOnly,
  id,
  websocketUpgradeAllowed,
}: AdministeredResource): MappingEntry['resources'][number] {
  return { path: id, subPaths: !exactMatchOnly, enabled, websocketUpgradeAllowed, description }
}

function toFunctionEntry({ description = '', enabled, exactMatchOnly, id }: AdministeredResource): MappingEntry['functions'][number] {
  return { name: id, prefix: !exactMatchOnly, enabled, description }
}
