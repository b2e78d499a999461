import { randomBytes, X509Certificate } from 'node:crypto'
import { ConnectivityError, createSecret } from '@sallyport/core'
import { createSealer } from '@sallyport/store'
import {
  createPasswordHasher,
  createSqlGrantStore,
  createSqlSigningKeyStore,
  createStaticDirectory,
  createTokenService,
  defaultLimits,
  type ClientConfiguration,
  tokenServiceMigrations,
  tokenServiceStoredTables,
  type TokenServiceTables,
} from '@sallyport/token-service'
import { type Configuration, resolveText } from '../configuration/configuration.ts'
import { createBindings } from './bindings.ts'
import { writeBindings } from './binding-files.ts'
import { type CloudDatabase, openCloudDatabase } from './cloud-database.ts'
import { type CloudSettings, cloudSettings, createKeyFetcher, partLog, subaccountsOf } from './cloud-settings.ts'
import { type ClientCertificates, openClientCertificates } from './client-certificates.ts'
import { type CockpitClient, cockpitConfiguration, openCockpitClient } from './cockpit-client.ts'
import { openIdentityProviders } from './identity-providers.ts'
import { type Instances, openInstances } from './instances.ts'
import { masterKeys } from './master-keys.ts'
import type { PartContext, RunningPart } from './part.ts'
import { requireFreePorts } from './ports.ts'

/** What the token service keeps. */
export const tokenDatabase: CloudDatabase = {
  name: 'token-service',
  parts: [{ name: 'token-service', migrations: tokenServiceMigrations, tables: tokenServiceStoredTables }],
}

/** Starts the token service and writes the bindings, which carry its current key. */
export async function startTokenServicePart(context: PartContext): Promise<RunningPart> {
  const { configuration, folder, clock, log } = context
  const settings = cloudSettings(context)
  const { httpPort, credentials } = configuration.server.tokenService
  await requireFreePorts(settings.host, [settings.ports.tokenService])
  if (httpPort !== undefined) await requireFreePorts(loopbackOf(settings.host), [httpPort])
  const instances = openInstances(folder)
  const certificates = credentials === 'x509' ? openClientCertificates(context, instances) : undefined
  const hasher = createPasswordHasher({ random: randomBytes })
  const db = await openCloudDatabase<TokenServiceTables>(context, tokenDatabase)
  const sealer = createSealer(masterKeys(context))
  const subaccounts = subaccountsOf(configuration)
  const fetcher = createKeyFetcher(settings)
  const providers = openIdentityProviders({ configuration, fetchKeys: fetcher.fetchKeys, clock, log: partLog(log, 'token-service') })
  const service = createTokenService({
    ...createStaticDirectory({
      tenants: subaccounts.map(({ id, subdomain }) => ({ id, ...(subdomain === undefined ? {} : { subdomain }) })),
      clients: clientsOf(instances, openCockpitClient(folder), configuration, certificates),
      users: usersOf(configuration),
      hasher,
    }),
    keys: createSqlSigningKeyStore({ db, sealer }),
    grants: createSqlGrantStore({ db, sealer, clock, bounds: defaultLimits }),
    ...(providers === undefined ? {} : { trust: providers.trust }),
    hasher,
    address: settings.tokenService.address,
    limits: defaultLimits,
    clock,
    random: randomBytes,
    log: partLog(log, 'token-service'),
  })
  const close = async (): Promise<void> => {
    await service.close()
    providers?.[Symbol.dispose]()
    await fetcher[Symbol.asyncDispose]()
    await db.destroy()
  }
  try {
    await service.listenHttps({
      host: settings.host,
      port: settings.ports.tokenService,
      tls: () => ({ cert: settings.tls.certificate, key: settings.tls.key }),
    })
    if (httpPort !== undefined) await service.listenHttp({ host: loopbackOf(settings.host), port: httpPort })
    const tenant = subaccounts[0]?.id ?? ''
    const bindingTenant = {
      id: tenant,
      subdomain: settings.tokenService.subdomainOf(tenant),
      verificationKey: await service.verificationKey(),
    }
    writeBindings(folder, createBindings(instances, addressesOf(settings, tenant), bindingTenant, certificates))
    return {
      role: 'token-service',
      status: async () => [
        {
          part: 'token service',
          ready: true,
          addresses: [settings.tokenService.urlOf(tenant), ...(httpPort === undefined ? [] : [`http://localhost:${httpPort}`])],
          detail: `local CA ${folder.file('ca.crt')}`,
        },
      ],
      controls: {
        'issue-token': async ({ user, client, tenant: wanted, scope }) => {
          if (typeof user !== 'string') throw new ConnectivityError('MESSAGE_INVALID', 'issue-token needs a user')
          const { clientId } = client === 'cockpit' ? openCockpitClient(folder) : (instances[client as keyof Instances] ?? instances.xsuaa)
          return service.issueUserToken({
            tenant: typeof wanted === 'string' ? wanted : tenant,
            user,
            clientId,
            ...(typeof scope === 'string' ? { scopes: scope.split(' ').filter((word) => word !== '') } : {}),
          })
        },
      },
      close,
    }
  } catch (error) {
    await close()
    throw error
  }
}

function addressesOf(settings: CloudSettings, tenant: string): Parameters<typeof createBindings>[1] {
  return {
    tokenServiceUrl: settings.tokenService.urlOf(tenant),
    uaadomain: settings.tokenService.uaadomain,
    destinationServiceUrl: settings.destinationServiceUrl,
    proxyHost: settings.publicHost,
    proxyHttpPort: settings.ports.proxyHttp,
    proxySocks5Port: settings.ports.proxySocks5,
  }
}

/** Plain http stays on this machine, wherever the https listener is. */
function loopbackOf(host: string): string {
  return host === '::1' ? host : '127.0.0.1'
}

/** The clients of the three instances and of the administration. They belong to the first subaccount; the others have subscribed. */
function clientsOf(
  instances: Instances,
  cockpit: CockpitClient,
  configuration: Configuration,
  certificateOf: ClientCertificates | undefined,
): readonly ClientConfiguration[] {
  const [owner, ...subscribers] = subaccountsOf(configuration).map((subaccount) => subaccount.id)
  const all = configuration.subaccounts.flatMap((subaccount) => subaccount.users.flatMap((user) => user.groups))
  // Scopes hold no blanks and quotes; a group with such a name is a role collection and nothing else.
  const groups = [...new Set(all)].filter((group) => !/[\s"']/.test(group))
  const client = (instance: Instances[keyof Instances]): ClientConfiguration => ({
    id: instance.clientId,
    tenant: owner ?? '',
    xsappname: instance.xsappname,
    secrets: [createSecret(instance.clientSecret)],
    ...(certificateOf === undefined
      ? {}
      : { certificates: [{ thumbprintSha256: new X509Certificate(certificateOf(instance).certificate).fingerprint256 }] }),
    subscribedTenants: subscribers,
  })
  return [
    {
      ...client(instances.xsuaa),
      scopes: groups.map((group) => ({ name: `$XSAPPNAME.${group}`, groups: [group] })),
      redirectUris: configuration.server.tokenService.redirectUris,
    },
    { ...client(instances.destination), serviceInstanceId: instances.destination.instanceId },
    { ...client(instances.connectivity), serviceInstanceId: instances.connectivity.instanceId },
    cockpitConfiguration(cockpit, configuration, {
      tenant: owner ?? '',
      subscribedTenants: subscribers,
      scopes: groups.map((group) => ({ name: `${instances.xsuaa.xsappname}.${group}`, groups: [group] })),
    }),
  ]
}

function usersOf(configuration: Configuration): Parameters<typeof createStaticDirectory>[0]['users'] {
  return configuration.subaccounts.flatMap((subaccount) =>
    subaccount.users.map(({ name, password, email, givenName, familyName, groups, attributes }) => ({
      tenant: subaccount.id,
      name,
      groups,
      attributes,
      ...(password === undefined ? {} : { password: createSecret(resolveText(password, configuration, process.env)) }),
      ...(email === undefined ? {} : { email }),
      ...(givenName === undefined ? {} : { givenName }),
      ...(familyName === undefined ? {} : { familyName }),
    })),
  )
}
