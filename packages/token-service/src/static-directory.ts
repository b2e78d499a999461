import { ConnectivityError, type Secret } from '@sallyport/core'
import { hashClientSecret } from './client-secret.ts'
import { type ClientCertificateRule, type ClientDirectory, type GrantType, grantTypes, type OAuthClient } from './oauth-client.ts'
import type { PasswordHasher } from './password-hash.ts'
import { staticDirectoryProblems } from './static-directory-rules.ts'
import type { Tenant, TenantDirectory } from './tenant.ts'
import { userIdOf } from './trusted-issuer.ts'
import type { DirectoryUser, UserDirectory } from './user.ts'

/** A tenant in a configuration. */
export interface TenantConfiguration {
  readonly id: string
  /** First label of its host name. Default: the id in lower case, if that is a label. */
  readonly subdomain?: string
}

/** A client in a configuration. `$XSAPPNAME` in scopes and authorities stands for the application's own name. */
export interface ClientConfiguration {
  readonly id: string
  /** Id of the tenant that owns it. */
  readonly tenant: string
  /** Default: the id without `sb-`. */
  readonly xsappname?: string
  /** Generated secrets, see {@link generateClientSecret}; several while one is being exchanged. */
  readonly secrets?: readonly Secret[]
  /** The same, hashed already. */
  readonly secretHashes?: readonly string[]
  readonly certificates?: readonly ClientCertificateRule[]
  /** For clients of service instances: becomes `ext_attr.serviceinstanceid`. */
  readonly serviceInstanceId?: string
  /** Ids of other tenants that it may get tokens for. */
  readonly subscribedTenants?: readonly string[]
  /** Default: all. */
  readonly grantTypes?: readonly GrantType[]
  /** Scopes of technical tokens. Default: `uaa.resource`. */
  readonly authorities?: readonly string[]
  /** Scopes of user tokens besides `openid`, and the groups that have them. Default: none. */
  readonly scopes?: readonly { readonly name: string; readonly groups: readonly string[] | 'everyone' }[]
  /** Patterns of addresses that browsers may be sent back to. Default: none, so that nobody logs on. */
  readonly redirectUris?: readonly string[]
  /** Default: that of the service. */
  readonly accessTokenSeconds?: number
}

/** A user in a configuration. Without a password nobody logs on as that user; tokens can still be issued in process. */
export interface UserConfiguration {
  /** Id of the tenant. */
  readonly tenant: string
  readonly name: string
  readonly password?: Secret
  /** The same, hashed already, see {@link PasswordHasher}. */
  readonly passwordHash?: string
  /** Default: a UUID made of tenant, origin and name, the same at every start. */
  readonly id?: string
  /** Default: the name, if it is an e-mail address. */
  readonly email?: string
  /** Default: the part of the e-mail address before the `@`, as the original does. */
  readonly givenName?: string
  /** Default: the part of the e-mail address after the `@`. */
  readonly familyName?: string
  /** Default: `sap.default`. */
  readonly origin?: string
  readonly groups?: readonly string[]
  readonly attributes?: Readonly<Record<string, string | readonly string[]>>
}

/** Everything that a static directory holds. Clients and users name their tenants by id. */
export interface StaticDirectoryConfiguration {
  readonly tenants: readonly TenantConfiguration[]
  readonly clients: readonly ClientConfiguration[]
  readonly users: readonly UserConfiguration[]
}

/** Tenants, clients and users out of a configuration; they never change. For a new configuration make a new directory. */
export interface StaticDirectory {
  readonly tenants: TenantDirectory
  readonly clients: ClientDirectory
  readonly users: UserDirectory
}

/**
 * Creates the directory. Plain passwords are hashed when their user first logs on; until then they stay inside their `Secret`.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` that lists every problem with its path.
 */
export function createStaticDirectory(configuration: StaticDirectoryConfiguration & { readonly hasher: PasswordHasher }): StaticDirectory {
  const problems = staticDirectoryProblems(configuration)
  if (problems.length > 0) throw new ConnectivityError('CONFIGURATION_INVALID', `token service: ${problems.join('; ')}`)

  const tenants = configuration.tenants.map(toTenant)
  const tenantsById = new Map(tenants.map((tenant) => [tenant.id, tenant]))
  const tenantsBySubdomain = new Map(tenants.map((tenant) => [tenant.subdomain, tenant]))
  const clientsById = new Map(configuration.clients.map((client) => [client.id, toClient(client)]))
  const subscriptions = new Map(configuration.clients.map((client) => [client.id, new Set(client.subscribedTenants)]))
  const users = configuration.users.map((user) => lazyUser(user, configuration.hasher))
  const usersByName = new Map(users.map((entry) => [nameKey(entry.user.tenantId, entry.user.name), entry]))
  const usersById = new Map(users.map((entry) => [JSON.stringify([entry.user.tenantId, entry.user.id]), entry]))

  return {
    tenants: {
      findById: (id) => Promise.resolve(tenantsById.get(id)),
      findBySubdomain: (subdomain) => Promise.resolve(tenantsBySubdomain.get(subdomain.toLowerCase())),
    },
    clients: {
      findById: (id) => Promise.resolve(clientsById.get(id)),
      isSubscribed: (clientId, tenantId) => Promise.resolve(subscriptions.get(clientId)?.has(tenantId) === true),
    },
    users: {
      // Log-ons look by name, so that is where the hash is needed.
      findByName: async (tenantId, name) => usersByName.get(nameKey(tenantId, name))?.withPassword(),
      findById: (tenantId, id) => Promise.resolve(usersById.get(JSON.stringify([tenantId, id]))?.user),
    },
  }
}

interface LazyUser {
  readonly user: DirectoryUser
  withPassword(): Promise<DirectoryUser>
}

function lazyUser(configuration: UserConfiguration, hasher: PasswordHasher): LazyUser {
  const user = toUser(configuration)
  const { password } = configuration
  let hashed: Promise<DirectoryUser> | undefined
  return {
    user,
    withPassword() {
      if (password === undefined) return Promise.resolve(user)
      hashed ??= hasher.hash(password.reveal()).then(
        (passwordHash) => ({ ...user, passwordHash }),
        (error: unknown) => {
          // The next log-on tries again; remembered, the failure would lock the user out until a restart.
          hashed = undefined
          throw error
        },
      )
      return hashed
    },
  }
}

function toTenant({ id, subdomain }: TenantConfiguration): Tenant {
  return { id, subdomain: (subdomain ?? id).toLowerCase() }
}

function toClient(client: ClientConfiguration): OAuthClient {
  const xsappname = client.xsappname ?? client.id.replace(/^sb-/, '')
  const complete = (scope: string): string => scope.replace('$XSAPPNAME', () => xsappname)
  return {
    id: client.id,
    tenantId: client.tenant,
    xsappname,
    secretHashes: [...(client.secretHashes ?? []), ...(client.secrets ?? []).map((secret) => hashClientSecret(secret.reveal()))],
    certificates: client.certificates ?? [],
    grantTypes: client.grantTypes ?? grantTypes,
    authorities: (client.authorities ?? ['uaa.resource']).map(complete),
    scopes: (client.scopes ?? []).map(({ name, groups }) => ({ name: complete(name), groups })),
    redirectUris: client.redirectUris ?? [],
    ...(client.serviceInstanceId === undefined ? {} : { serviceInstanceId: client.serviceInstanceId }),
    ...(client.accessTokenSeconds === undefined ? {} : { accessTokenSeconds: client.accessTokenSeconds }),
  }
}

function toUser(user: UserConfiguration): DirectoryUser {
  const origin = user.origin ?? 'sap.default'
  const email = user.email ?? (/^[^\s@]+@[^\s@]+$/.test(user.name) ? user.name : undefined)
  const [local, domain] = email?.split('@') ?? []
  const givenName = user.givenName ?? local
  const familyName = user.familyName ?? domain
  return {
    id: user.id ?? userIdOf(user.tenant, origin, user.name.toLowerCase()),
    tenantId: user.tenant,
    name: user.name,
    ...(email === undefined ? {} : { email }),
    ...(givenName === undefined ? {} : { givenName }),
    ...(familyName === undefined ? {} : { familyName }),
    origin,
    groups: user.groups ?? [],
    attributes: Object.fromEntries(
      Object.entries(user.attributes ?? {}).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]),
    ),
    ...(user.passwordHash === undefined ? {} : { passwordHash: user.passwordHash }),
  }
}

function nameKey(tenantId: string, name: string): string {
  return JSON.stringify([tenantId, name.toLowerCase()])
}
