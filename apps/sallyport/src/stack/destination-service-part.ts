import { createAuditLog } from '@sallyport/cloud-connector'
import {
  createConnectionChecker,
  createConnectivityProxyRoute,
  createDestinationService,
  createOutgoing,
  createSqlEntityRepository,
  createSqlKeyRepositories,
  destinationMigrations,
  destinationStoredTables,
  type DestinationTables,
  type EntityRepository,
} from '@sallyport/destination-service'
import { createSealer, dataKeyMigrations, dataKeyPart, dataKeyTables } from '@sallyport/store'
import { createRemoteKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import { resolveText } from '../configuration/configuration.ts'
import { auditFolders } from './audited-parts.ts'
import { type CloudDatabase, openCloudDatabase } from './cloud-database.ts'
import { cloudSettings, createKeyFetcher, partLog, subaccountsOf } from './cloud-settings.ts'
import { auditKeyOf } from './connector-material.ts'
import { createConnectivityTokens } from './connectivity-tokens.ts'
import { applyConfiguredParameters, destinationAdministration } from './destination-administration.ts'
import { createConfiguredEntities } from './create-configured-entities.ts'
import { createCustomerEncryption } from './customer-encryption.ts'
import { createExpiryWebhook } from './expiry-webhook.ts'
import { openIdentityTrust } from './identity-services.ts'
import { openInstances } from './instances.ts'
import { masterKeys } from './master-keys.ts'
import type { PartContext, RunningPart } from './part.ts'
import { requireFreePorts } from './ports.ts'
import { createRequester } from './request.ts'
import { openSubaccountKeys, settleFromTimeToTime } from './subaccount-keys.ts'
import { keyRefresh, serviceTokenBounds } from './token-verification.ts'

/** What the destination service keeps. */
export const destinationDatabase: CloudDatabase = {
  name: 'destination-service',
  parts: [
    { name: 'destinations', migrations: destinationMigrations, tables: destinationStoredTables },
    { name: dataKeyPart, migrations: dataKeyMigrations, tables: dataKeyTables },
  ],
}

/** Starts the destination service; destinations and fragments of the configuration are created when there is none of that name yet. */
export async function startDestinationServicePart(context: PartContext): Promise<RunningPart> {
  const { configuration, folder, clock, log } = context
  const settings = cloudSettings(context)
  await requireFreePorts(settings.host, [settings.ports.destinationService])
  // Closed in the opposite order, also when the start fails half-way.
  await using starting = new AsyncDisposableStack()
  const db = await openCloudDatabase<DestinationTables>(context, destinationDatabase)
  starting.defer(() => db.destroy())
  const master = createSealer(masterKeys(context))
  const { parts } = destinationDatabase
  const subaccountKeys = starting.use(
    openSubaccountKeys({ configuration, db, parts, master, clock, log: partLog(log, 'destination-service') }),
  )
  starting.defer(settleFromTimeToTime(subaccountKeys, clock, partLog(log, 'destination-service')))
  const { dataKeys: sealers, customerKeys } = subaccountKeys
  const repository = createSqlEntityRepository({ db, sealers })
  const fetcher = starting.use(createKeyFetcher(settings))
  const keys = starting.use(
    createRemoteKeySource({
      issuers: settings.tokenService.issuers.map((issuer) => ({ issuer, url: settings.tokenService.keysUrl })),
      fetchKeys: fetcher.fetchKeys,
      clock,
      ...keyRefresh,
      log: partLog(log, 'destination-service'),
    }),
  )
  const { destination, connectivity } = openInstances(folder)
  const [owner] = subaccountsOf(configuration)
  const {
    landscape,
    allowPrivateTokenServices = context.development,
    certificates,
    authentication,
  } = configuration.server.destinationService
  const request = starting.use(createRequester({ authorities: settings.authorities }))
  const targets = {
    privateAddresses: allowPrivateTokenServices ? 'allow' : 'refuse',
    certificateAuthorities: settings.authorities,
    onPremise: createConnectivityProxyRoute({
      proxyOrigin: `http://${settings.publicHost}:${settings.ports.proxyHttp}`,
      tokens: createConnectivityTokens({ request, tokenServiceUrl: settings.tokenService.url, instance: connectivity, clock }),
    }),
  } as const
  const outgoing = createOutgoing(targets)
  const administration = destinationAdministration({
    configuration,
    folder,
    db,
    connections: createConnectionChecker(targets),
    encryption: createCustomerEncryption(configuration, customerKeys),
  })
  const identity = starting.use(
    openIdentityTrust({
      configuration,
      instance: destination,
      fetchKeys: fetcher.fetchKeys,
      clock,
      log: partLog(log, 'destination-service'),
    }),
  )
  const audit = starting.use(
    createAuditLog({
      folder: folder.file(...auditFolders['destination-service']),
      key: auditKeyOf(folder, 'destination-service'),
      clock,
      log: partLog(log, 'destination-service'),
    }),
  )
  const service = createDestinationService({
    repository,
    audit,
    keys: createSqlKeyRepositories({ db, master, sealers }),
    landscape: landscape ?? settings.publicHost,
    authentication,
    certificates: {
      ...(certificates.subject === undefined ? {} : { subject: certificates.subject }),
      ...(certificates.expiryWebhook === undefined
        ? {}
        : { notifier: createExpiryWebhook(resolveText(certificates.expiryWebhook, configuration, process.env), outgoing) }),
    },
    verifier: createTokenVerifier({ keys, clock, ...serviceTokenBounds }),
    instances: {
      find: (clientId) =>
        clientId === destination.clientId ? { instanceId: destination.instanceId, subaccountId: owner?.id ?? '' } : undefined,
    },
    outgoing,
    administration,
    ...(identity === undefined ? {} : { identity }),
    clock,
    log: partLog(log, 'destination-service'),
  })
  starting.defer(() => service.close())
  const created = await createConfiguredEntities(repository, configuration, clock.now(), process.env)
  await applyConfiguredParameters(service, administration.settings, context)
  await service.listen({
    host: settings.host,
    port: settings.ports.destinationService,
    tls: { cert: settings.tls.certificate, key: settings.tls.key },
  })
  const total = (key: 'destinations' | 'fragments'): number =>
    configuration.subaccounts.reduce((sum, subaccount) => sum + subaccount[key].length, 0)
  const resources = starting.move()
  return {
    role: 'destination-service',
    status: async () => [
      {
        part: 'destination service',
        ready: await answers(repository),
        addresses: [settings.destinationServiceUrl],
        detail: `${total('destinations')} destinations and ${total('fragments')} fragments in the configuration, ${created} of them created now`,
      },
    ],
    controls: {},
    close: () => resources.disposeAsync(),
  }
}

async function answers(repository: EntityRepository): Promise<boolean> {
  try {
    await repository.check()
    return true
  } catch {
    // The store says why in the log; here it only matters that it does not answer.
    return false
  }
}
