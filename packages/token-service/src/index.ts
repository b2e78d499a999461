/**
 * Token service in the manner of XSUAA: OAuth 2.0 grants for applications, service instances and users, the keys that verify its tokens, and a log-on page.
 * Tenants, clients, users and stores are handed to it.
 *
 * @example
 * const hasher = createPasswordHasher({ random: randomBytes })
 * const service = createTokenService({
 *   ...createStaticDirectory({ tenants: [{ id: 'demo' }], clients, users, hasher }),
 *   keys: createMemorySigningKeyStore(), grants: createMemoryGrantStore({ clock: systemClock, bounds: defaultLimits }),
 *   hasher, address: { kind: 'loopback' }, limits: defaultLimits, clock: systemClock, random: randomBytes, log: silentLogger,
 * })
 * await service.listenHttps({ host: '127.0.0.1', port: 0, tls: () => ({ cert, key }) })
 *
 * @packageDocumentation
 */
export { generateClientSecret, hashClientSecret } from './client-secret.ts'
export type { AuthorizationCode, Grant, GrantBounds, GrantOf, GrantStore, LogOnSession, RefreshToken } from './grant-store.ts'
export type { PublicSigningKey } from './key-ring.ts'
export { defaultLimits, type TokenServiceLimits } from './limits.ts'
export type { HttpListenOptions, HttpsListenOptions, ListenAddress } from './listener.ts'
export { createMemoryGrantStore } from './memory-grant-store.ts'
export {
  type ClientCertificateRule,
  type ClientDirectory,
  type GrantType,
  grantTypes,
  type OAuthClient,
  type ScopeRule,
} from './oauth-client.ts'
export { createPasswordHasher, type PasswordHasher } from './password-hash.ts'
export type { RandomSource } from './random.ts'
export type { ServiceAddress } from './service-address.ts'
export { createMemorySigningKeyStore, type SigningKeyStore, type StoredSigningKey } from './signing-key-store.ts'
export { createSqlGrantStore } from './sql-grant-store.ts'
export { createSqlSigningKeyStore } from './sql-signing-key-store.ts'
export {
  type ClientConfiguration,
  createStaticDirectory,
  type StaticDirectory,
  type StaticDirectoryConfiguration,
  type TenantConfiguration,
  type UserConfiguration,
} from './static-directory.ts'
export { tokenServiceMigrations, tokenServiceStoredTables, type TokenServiceTables } from './tables.ts'
export type { Tenant, TenantDirectory } from './tenant.ts'
export type { TokenAnswer } from './token-issuer.ts'
export { createTokenService, type TokenService, type TokenServiceListener, type TokenServiceOptions } from './token-service.ts'
export type { TrustedIssuer } from './trusted-issuer.ts'
export type { DirectoryUser, TokenUser, UserDirectory, UserReference } from './user.ts'
