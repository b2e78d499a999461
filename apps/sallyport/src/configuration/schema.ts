import { type ConnectorEntry, connectorEntrySchema, type DestinationRole, destinationRoles } from '@sallyport/admin-api'
import type { ServiceMapping } from '@sallyport/connectivity-proxy'
import { z } from 'zod'
import { type IdentityProviderEntry, identityProviderSchema, type IdentityServiceEntry, identityServiceSchema } from './identity-schema.ts'
import { type CustomerKeyEntry, customerKeySchema, type KeyManagementEntry, keyManagementSchema } from './key-management-schema.ts'
import { type ConfiguredEntity, configuredEntityFields } from './configured-entities.ts'
import { type ConnectorAlertsEntry, connectorAlertsSchema } from './connector-alerts-schema.ts'
import { type ConnectorTracesEntry, connectorTracesSchema } from './connector-traces-schema.ts'
import { serverTlsFields } from './server-tls-schema.ts'
import { reference, secretReference, type SecretReference, type TextOrReference } from './text-reference.ts'

/** A user of the local identity provider. */
interface UserEntry {
  readonly name: string
  /** Without one the user cannot log on at the log-on page; `token issue` works. */
  readonly password?: TextOrReference | undefined
  readonly email?: string | undefined
  readonly givenName?: string | undefined
  readonly familyName?: string | undefined
  readonly groups: readonly string[]
  readonly attributes: Readonly<Record<string, string | readonly string[]>>
}

/** A subaccount: users, and destinations and fragments that are created when the store has none of that name. */
export interface SubaccountEntry {
  readonly id: string
  readonly subdomain?: string | undefined
  /** What its data is encrypted with beside the key of the installation, once somebody has said so. */
  readonly customerKey?: CustomerKeyEntry | undefined
  readonly users: readonly UserEntry[]
  readonly destinations: readonly ConfiguredEntity[]
  readonly fragments: readonly ConfiguredEntity[]
}

/** Roles that users have through a group of this name. */
interface RoleCollectionEntry {
  readonly name: string
  readonly roles: readonly DestinationRole[]
}

/** What the service instances of this installation are made with. */
interface InstancesEntry {
  readonly destination: { readonly parameters?: Readonly<Record<string, unknown>> | undefined }
}

/** Where the cloud side listens and how clients reach it. Ports that are not set are the usual ones plus `--port-offset`. */
interface ServerEntry {
  readonly host: string
  readonly publicHost: string
  readonly tls?: { readonly certificate: { readonly file: string }; readonly key: { readonly file: string } } | undefined
  readonly tokenService: {
    readonly port?: number | undefined
    readonly httpPort?: number | undefined
    readonly url?: string | undefined
    readonly tenantHosts: boolean
    readonly credentials: 'binding-secret' | 'x509'
    readonly redirectUris: readonly string[]
  }
  readonly destinationService: {
    readonly port?: number | undefined
    readonly allowPrivateTokenServices?: boolean | undefined
    readonly landscape?: string | undefined
    readonly authentication: {
      readonly userTokenExchange: 'two-step' | 'jwt-bearer'
      readonly tenantOfTechnicalTokens: 'header' | 'caller'
    }
    readonly certificates: { readonly subject?: string | undefined; readonly expiryWebhook?: TextOrReference | undefined }
  }
  readonly connectivityProxy: {
    readonly httpPort?: number | undefined
    readonly socks5Port?: number | undefined
    readonly tunnelPort?: number | undefined
    readonly apiPort?: number | undefined
  }
  /** Where service channels of connectors lead. */
  readonly serviceChannels: { readonly clusterHosts: readonly string[]; readonly mappings: readonly ServiceMapping[] }
}

/** Where the cloud side keeps its data, and what seals it. */
interface StorageEntry {
  /** Without it: SQLite files in the data folder. */
  readonly postgresql?: PostgresEntry | undefined
  /** Base64 of 32 bytes; without it the data folder holds a key. */
  readonly sealingKey?: SecretReference | undefined
  readonly previousSealingKeys: readonly SecretReference[]
  readonly keyManagement: KeyManagementEntry
}

/** A PostgreSQL database. */
interface PostgresEntry {
  readonly url: TextOrReference
  readonly password?: SecretReference | undefined
  readonly tls: 'verify' | 'off'
  readonly authorities?: readonly { readonly file: string }[] | undefined
  readonly clientCertificate?: { readonly certificate: { readonly file: string }; readonly key: { readonly file: string } } | undefined
  readonly maxConnections: number
  readonly connectTimeoutSeconds: number
  readonly statementTimeoutSeconds: number
}

/** The whole configuration file. */
export interface ConfigurationFile {
  readonly version: 1
  readonly subaccounts: readonly SubaccountEntry[]
  readonly connectors: readonly ConnectorEntry[]
  readonly roleCollections: readonly RoleCollectionEntry[]
  readonly identityServices: readonly IdentityServiceEntry[]
  readonly identityProviders: readonly IdentityProviderEntry[]
  readonly instances: InstancesEntry
  readonly server: ServerEntry
  readonly storage: StorageEntry
  readonly connectorAdmin: {
    readonly host: string
    readonly port?: number | undefined
    readonly alerts?: ConnectorAlertsEntry | undefined
    readonly traces?: ConnectorTracesEntry | undefined
  }
  readonly demo: { readonly odata?: number | undefined; readonly http?: number | undefined; readonly echo?: number | undefined }
  /** A connection to the proxy serves one tenant, location, virtual host and principal; `false` opens a new logical connection instead of refusing. */
  readonly strict: boolean
}

const port = z.int().min(1).max(65_535)

const user = z.strictObject({
  name: z.string().min(1).max(200).describe('Name that the user logs on with and that user_name carries'),
  password: reference.optional().describe('Needed for the log-on page only'),
  email: z.string().max(200).optional().describe('Default: the name, when it is an address'),
  givenName: z.string().max(200).optional(),
  familyName: z.string().max(200).optional(),
  groups: z
    .array(z.string().min(1).max(200))
    .default([])
    .describe('Groups: role collections, and without blanks in their names also scopes below the xsappname of the application'),
  attributes: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]))
    .default({})
    .describe('xs.user.attributes of the token'),
})

const subaccount = z.strictObject({
  id: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/, 'letters, digits and hyphens, at most 63')
    .describe('Subaccount and tenant id'),
  subdomain: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a host name label')
    .optional()
    .describe('Default: the id in lower case'),
  customerKey: customerKeySchema
    .optional()
    .describe('Key of the customer that "db customer-key use" puts around what the subaccount stores'),
  users: z.array(user).default([]),
  ...configuredEntityFields,
})

/** With the field names of the resource ServiceMapping. */
const serviceMapping = z.strictObject({
  type: z.enum(['RFC', 'TCP']).describe('RFC for ABAP systems, TCP for everything else'),
  subaccountId: z.string().min(1).max(200).describe('Subaccount whose connectors may ask for it'),
  serviceId: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[^\s/]+$/, 'without blanks and slashes')
    .describe(
      'What the channel asks for: the service id, the tenant host of an ABAP system, the name of a database, the endpoint of a machine',
    ),
  tenantId: z.string().min(1).max(253).optional().describe('Name of the tenant in log lines, where the service has one of its own'),
  internalAddress: z.string().min(1).max(300).describe('host:port of the service as this server reaches it'),
  locationIds: z
    .array(z.string().max(200))
    .max(1_000)
    .optional()
    .describe('Location IDs of the connectors that may ask for it, "" for the default one; only that one unless given'),
})

const server = z.strictObject({
  host: z.string().min(1).default('127.0.0.1').describe('Address to listen on'),
  publicHost: z.string().min(1).default('localhost').describe('Host name in bindings and certificates'),
  tls: z
    .strictObject({ certificate: z.strictObject({ file: z.string().min(1) }), key: z.strictObject({ file: z.string().min(1) }) })
    .optional()
    .describe('Server certificate; without it the local authority issues one'),
  tokenService: z
    .strictObject({
      port: port.optional(),
      httpPort: port.optional().describe('Also answers here without TLS, on this machine only'),
      url: z.url().optional(),
      tenantHosts: z
        .boolean()
        .default(false)
        .describe(
          'Each subaccount has a host of its own, https://<subdomain>.<host of the url>; needs DNS for it, and a certificate for *.<host>',
        ),
      credentials: z
        .enum(['binding-secret', 'x509'])
        .default('binding-secret')
        .describe('What applications log on with: a secret, or a certificate whose key is part of the binding'),
      redirectUris: z.array(z.string().min(1)).default(['http://localhost:*/**', 'http://127.0.0.1:*/**']),
    })
    .prefault({}),
  destinationService: z
    .strictObject({
      port: port.optional(),
      allowPrivateTokenServices: z
        .boolean()
        .optional()
        .describe(
          'Let destinations name token services on loopback and private addresses; unless given, the local stack does and servers do not',
        ),
      landscape: z
        .string()
        .regex(/^[A-Za-z0-9.-]{1,200}$/)
        .optional()
        .describe('Name of this installation in certificates and assertions; the public host unless given. Targets know it, so keep it'),
      authentication: z
        .strictObject({
          userTokenExchange: z
            .enum(['two-step', 'jwt-bearer'])
            .default('two-step')
            .describe('How OAuth2UserTokenExchange gets its token: with a refresh token first, or with the grant jwt-bearer'),
          tenantOfTechnicalTokens: z
            .enum(['header', 'caller'])
            .default('header')
            .describe(
              'Whose tenant a Common token service is asked for technical tokens: that of X-tenant only, or without it the caller’s',
            ),
        })
        .prefault({}),
      certificates: z
        .strictObject({
          subject: z.string().optional().describe('Subject of generated certificates, with ${cn}, ${subaccountId}, ${id} and ${landscape}'),
          expiryWebhook: z
            .union([z.url({ protocol: /^https?$/ }), secretReference])
            .optional()
            .describe(
              'Gets a POST with JSON 14, 7 and 3 days before a certificate expires that is not renewed automatically; with user and password keep it in a file',
            ),
        })
        .prefault({}),
    })
    .prefault({}),
  connectivityProxy: z
    .strictObject({ httpPort: port.optional(), socks5Port: port.optional(), tunnelPort: port.optional(), apiPort: port.optional() })
    .prefault({}),
  serviceChannels: z
    .strictObject({
      clusterHosts: z
        .array(z.string().min(1).max(300))
        .max(100)
        .default([])
        .describe('Names by which channels to a Kubernetes cluster may mean this server, host or host:port, beside its public host'),
      mappings: z.array(serviceMapping).max(10_000).default([]).describe('Services that connectors may reach; none unless it stands here'),
    })
    .prefault({})
    .describe('From on-premise clients to services of the cloud side'),
})

/** The part of the schema for a PostgreSQL database, for `serve --database`. */
export const postgresqlSchema: z.ZodType<PostgresEntry> = z.strictObject({
  url: reference.describe(
    'postgresql://user@host:port/database, without a password; for a socket postgresql://user@/database?host=/run/postgresql',
  ),
  password: secretReference.optional().describe('Read again for every connection'),
  tls: z.enum(['verify', 'off']).default('verify').describe('"off" sends passwords and data readable through the network'),
  ...serverTlsFields,
  maxConnections: z.int().min(2).max(1_000).default(10).describe('Of each role of this process'),
  connectTimeoutSeconds: z.number().min(0.1).max(300).default(5),
  statementTimeoutSeconds: z.number().min(0.1).max(3_600).default(15),
})

const storage = z.strictObject({
  postgresql: postgresqlSchema.optional().describe('Without it: SQLite files in the data folder'),
  sealingKey: secretReference
    .optional()
    .describe('Base64 of 32 bytes that seal secrets in the database; without it the data folder holds a key'),
  previousSealingKeys: z
    .array(secretReference)
    .max(20)
    .default([])
    .describe('Keys that the data may still be sealed with; "db rotate" makes them superfluous'),
  keyManagement: keyManagementSchema.prefault({}).describe('Where customers keep keys of their own'),
})

const roleCollection = z.strictObject({
  name: z.string().min(1).max(200).describe('The group of users that have these roles'),
  roles: z.array(z.enum(destinationRoles)).describe('Roles of the administration of destinations, as the original calls them'),
})

const instances = z.strictObject({
  destination: z
    .strictObject({
      parameters: z
        .record(z.string(), z.unknown())
        .optional()
        .describe(
          'What the original takes as config.json (init_data, subscriber_access), or { file } with it; applied once, and again when it changes',
        ),
    })
    .prefault({}),
})

/** The schema that the file is read with and that `config schema` prints. */
export const configurationSchema: z.ZodType<ConfigurationFile> = z.strictObject({
  version: z.literal(1).default(1).describe('Version of this format'),
  subaccounts: z.array(subaccount).max(1_000).default([]).describe('Subaccounts of the token service and the destination service'),
  connectors: z.array(connectorEntrySchema).max(100).default([]).describe('What each cloud connector exposes'),
  roleCollections: z.array(roleCollection).max(1_000).default([]).describe('Groups of users and their roles, beside the usual ones'),
  identityServices: z
    .array(identityServiceSchema)
    .max(100)
    .default([])
    .describe('Identity services whose applications may use the destination service and the connectivity proxy'),
  identityProviders: z
    .array(identityProviderSchema)
    .max(100)
    .default([])
    .describe('Corporate identity providers whose tokens the token service takes as assertions'),
  instances: instances.prefault({}).describe('Service instances of this installation'),
  server: server.prefault({}).describe('The cloud side'),
  storage: storage.prefault({}).describe('Where the cloud side keeps its data'),
  connectorAdmin: z
    .strictObject({
      host: z.string().min(1).default('127.0.0.1'),
      port: port.optional(),
      alerts: connectorAlertsSchema.optional(),
      traces: connectorTracesSchema.optional(),
    })
    .prefault({})
    .describe('Administration listener of the connector'),
  demo: z
    .strictObject({ odata: port.optional(), http: port.optional(), echo: port.optional() })
    .prefault({})
    .describe('Demo backends that "dev" starts, with their ports'),
  strict: z.boolean().default(true).describe('Refuse mixed connections as the original does'),
})
