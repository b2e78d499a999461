/**
 * The destination service: keeps destinations and answers "find destination", with the tokens that a destination asks for, over the REST API of the
 * original.
 *
 * @example
 * const db = openDatabase<DestinationTables>('data/destinations.db')
 * await migrate(db, destinationMigrations, { part: 'destinations' })
 * await migrate(db, dataKeyMigrations, { part: dataKeyPart })
 * const service = createDestinationService({
 *   repository: createSqlEntityRepository({ db, sealers: createDataKeys({ db, master }) }),
 *   verifier,
 *   instances: { find: (clientId) => bindings.get(clientId) },
 *   outgoing: createOutgoing({ privateAddresses: 'refuse' }),
 *   clock: systemClock,
 * })
 * const { port } = await service.listen({ host: '127.0.0.1', port: 0 })
 *
 * @packageDocumentation
 */
export type { IdentityTrust } from './access/admit-identity-client.ts'
export type { DestinationInstance, DestinationInstances } from './access/destination-instances.ts'
export type { IdentityClient, IdentityRelation, IdentityRelations } from './access/identity-relations.ts'
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
  createConnectivityProxyRoute,
  type OnPremiseHop,
  type OnPremiseRoute,
  type OnPremiseTarget,
} from './authentication/on-premise-route.ts'
export { createOutgoing, type Outgoing, type OutgoingOptions } from './authentication/outgoing.ts'
export type { HostnameVerifier, OutgoingAnswer, OutgoingRequest, OutgoingRoute, OutgoingTls } from './authentication/outgoing-request.ts'
export type { PrivateAddresses } from './authentication/address-policy.ts'
export { entityTables } from './entities/entity-seal.ts'
export { createSqlEntityRepository } from './entities/sql-entity-repository.ts'
