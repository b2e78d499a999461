import {
  type BackendProtocol,
  backendProtocols,
  type BackendType,
  backendTypes,
  type HostInHeader,
  hostsInHeader,
  type MappingEntry,
  type PrincipalType,
  principalTypes,
} from '@sallyport/admin-api'
import { z } from 'zod'

/** A path or function that a mapping admits, as the REST API has it (cloud-connector.md §2.6, §2.7). */
export interface AdministeredResource {
  readonly id: string
  readonly enabled: boolean
  readonly exactMatchOnly: boolean
  readonly websocketUpgradeAllowed: boolean
  readonly description?: string | undefined
  readonly creationDateMs: number
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
  readonly allowedClients: readonly string[]
  readonly blacklistedUsers: readonly { readonly client: string; readonly user: string }[]
  readonly creationDateMs: number
  readonly resources: readonly AdministeredResource[]
}

const resource = z.strictObject({
  id: z.string().min(1).max(4096),
  enabled: z.boolean().default(false),
  exactMatchOnly: z.boolean().default(false),
  websocketUpgradeAllowed: z.boolean().default(false),
  description: z.string().max(1024).optional(),
  creationDateMs: z.int(),
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
  allowedClients: z.array(z.string()).default([]),
  blacklistedUsers: z.array(z.strictObject({ client: z.string(), user: z.string() })).default([]),
  creationDateMs: z.int(),
  resources: z.array(resource).default([]),
})

/** The mapping in the form of the configuration file, which the connector checks and takes over. */
export function toMappingEntry(mapping: AdministeredMapping): Partial<MappingEntry> {
  const { allowedClients, authenticationMode, backendType, blacklistedUsers, description = '', hostInHeader, protocol, resources } = mapping
  const rfc = protocol === 'RFC' || protocol === 'RFCS' || protocol === 'RFCWS'
  return {
    virtual: `${mapping.virtualHost}:${mapping.virtualPort}`,
    internal: `${protocol.toLowerCase()}://${mapping.localHost}:${mapping.localPort}`,
    backendType,
    principalType: authenticationMode,
    description,
    ...(protocol === 'HTTP' || protocol === 'HTTPS' ? { hostInHeader, resources: resources.map(toResourceEntry) } : {}),
    ...(rfc ? { functions: resources.map(toFunctionEntry), allowedClients, blockedUsers: blacklistedUsers } : {}),
    ...(mapping.sapRouter === undefined ? {} : { sapRouter: mapping.sapRouter }),
    ...(mapping.sncPartnerName === undefined ? {} : { sncPartnerName: mapping.sncPartnerName }),
  }
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
