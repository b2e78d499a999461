/**
 * The destination service: keeps destinations and answers "find destination", with the tokens that a destination asks for, over the REST API of the
 * original.
 *
 * @example
 * const db = openDatabase<DestinationTables>('data/destinations.db')
 * await migrate(db, destinationMigrations, { part: 'destinations' })
 * await migrate(db, dataKeyMigrations, { part: dataKeyPart })
 * const sealers = createDataKeys({ db, master, clock: systemClock })
 * const service = createDestinationService({
 *   repository: createSqlEntityRepository({ db, sealers }),
 *   keys: createSqlKeyRepositories({ db, master, sealers }),
 *   landscape: 'eu10.example.com',
 *   verifier,
 *   instances: { find: (clientId) => bindings.get(clientId) },
 *   outgoing: createOutgoing({ privateAddresses: 'refuse' }),
 *   clock: systemClock,
 * })
 * const { port } = await service.listen({ host: '127.0.0.1', port: 0 })
 *
 * @packageDocumentation
 */
export type { Administration, InstanceDirectory, KnownInstance } from './administration/administration-context.ts'
export type { SubaccountEncryption } from './administration/encryption-routes.ts'
export type { AdministrationApplication } from './administration/administrator.ts'
export { type ConnectionChecker, type ConnectionCheckerOptions, createConnectionChecker } from './check-connection/connection-checker.ts'
export { type ParametersOutcome, parametersDigest, type StoredChange } from './instance-parameters/apply-instance-parameters.ts'
export { type InstanceSettings, type InstanceSettingsRepository } from './instance-parameters/instance-settings.ts'
export { createSqlInstanceSettings } from './instance-parameters/sql-instance-settings.ts'
export type { IdentityTrust } from './access/admit-identity-client.ts'
export type { DestinationInstance, DestinationInstances } from './access/destination-instances.ts'
export type { IdentityClient, IdentityRelation, IdentityRelations } from './access/identity-relations.ts'
export type { AuthorityGeneration, AuthorityKey, AuthorityKeys, AuthorityRepository } from './certificates/authority-repository.ts'
export type { UpkeepReport } from './certificates/certificate-upkeep.ts'
export type { ExpiryEvent, ExpiryNotifier } from './certificates/expiry-event.ts'
export type { ExpiryNotice, ExpiryNotices } from './certificates/expiry-notices.ts'
export { destinationMigrations, type DestinationTables } from './entities/entity-migrations.ts'
export type {
  CreateOptions,
  CreateOutcome,
  EntityEntry,
  EntityKind,
  EntityRepository,
  EntityWrite,
  FoundEntity,
  Level,
  ReplaceOptions,
  ReplaceOutcome,
  StoredEntity,
} from './entities/entity-repository.ts'
export {
  createDestinationService,
  type DestinationService,
  type DestinationServiceOptions,
  type ListenOptions,
} from './destination-service.ts'
export type { ListenerTls } from './http/http-app.ts'
export type { AuthenticationSettings } from './authentication/flow.ts'
export type { ResolvedAddress } from './authentication/address-book.ts'
export {
  type ConnectivityProxyTokens,
  createConnectivityProxyRoute,
  type OnPremiseHop,
  type OnPremiseRoute,
  type OnPremiseTarget,
} from './authentication/on-premise-route.ts'
export { createOutgoing, type Outgoing, type OutgoingOptions } from './authentication/outgoing.ts'
export type { HostnameVerifier, OutgoingAnswer, OutgoingRequest, OutgoingRoute, OutgoingTls } from './authentication/outgoing-request.ts'
export type { PrivateAddresses } from './authentication/address-policy.ts'
export { destinationStoredTables } from './entities/stored-tables.ts'
export { createSqlKeyRepositories, type KeyRepositories } from './keys/key-repositories.ts'
export type { TrustKeyPair, TrustKeyPairs, TrustRepository, TrustRole } from './trust/trust-repository.ts'
export { createSqlEntityRepository } from './entities/sql-entity-repository.ts'
export { maxPerSubaccount } from './limits.ts'
