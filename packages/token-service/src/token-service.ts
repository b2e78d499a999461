import { type Clock, ConnectivityError, type Logger, type OpenSockets, trackSockets } from '@sallyport/core'
import { createTokenVerifier, type KeySource, type TokenVerifier } from '@sallyport/token-verifier'
import type { FastifyInstance } from 'fastify'
import { createAssertionReader } from './assertion.ts'
import type { GrantStore } from './grant-store.ts'
import { createHttpServer, type HttpServerDeps } from './http-server.ts'
import { createKeyRing, type PublicSigningKey } from './key-ring.ts'
import {
  assertionExpiryToleranceSeconds,
  assertionNotBeforeToleranceSeconds,
  maxAccessTokenSeconds,
  maxAssertionBytes,
  maxCachedAssertions,
  minAccessTokenSeconds,
  shutdownGraceMs,
  type TokenServiceLimits,
} from './limits.ts'
import {
  createHttpsSocket,
  createHttpSocket,
  type HttpListenOptions,
  type HttpsListenOptions,
  type ListenAddress,
  listenFailed,
  type ListenerSocket,
} from './listener.ts'
import { createLogOnSessions } from './log-on-session.ts'
import type { ClientDirectory, OAuthClient } from './oauth-client.ts'
import type { PasswordHasher } from './password-hash.ts'
import { createPasswordLogOn } from './password-log-on.ts'
import type { RandomSource } from './random.ts'
import { checkServiceAddress, resolveServiceAddress, type ServiceAddress } from './service-address.ts'
import type { SigningKeyStore } from './signing-key-store.ts'
import { admittedTenant } from './tenant-selection.ts'
import type { Tenant, TenantDirectory } from './tenant.ts'
import { createTokenIssuer, type TokenAnswer } from './token-issuer.ts'
import type { TrustedIssuer } from './trusted-issuer.ts'
import type { UserDirectory } from './user.ts'

/** Everything that the service works with. Nothing here has a default but `trust`. */
export interface TokenServiceOptions {
  readonly tenants: TenantDirectory
  readonly clients: ClientDirectory
  readonly users: UserDirectory
  /** Where signing keys are kept. */
  readonly keys: SigningKeyStore
  /** Where codes, refresh tokens and sessions are kept. */
  readonly grants: GrantStore
  /** Identity providers whose tokens are taken as assertions, and the verifier that has their keys. Without it only our own tokens are. */
  readonly trust?: { readonly tokens: TokenVerifier; readonly issuers: readonly TrustedIssuer[] }
  /** Shared with whoever else hashes passwords in this process. */
  readonly hasher: PasswordHasher
  readonly address: ServiceAddress
  readonly limits: TokenServiceLimits
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/** A listener that is open. The service closes it; `close` before that is possible. */
export interface TokenServiceListener extends ListenAddress {
  /** Asks for certificate and key again; connections that are open keep theirs. */
  reloadTls(): void
  close(): Promise<void>
}

/** The service: its listeners, its keys, and what the process that owns it may ask for without the wire. */
export interface TokenService extends AsyncDisposable {
  /** @throws ConnectivityError `PORT_IN_USE`, `CONFIGURATION_INVALID`; `STORE_FAILED` when there is no signing key to be had. */
  listenHttps(options: HttpsListenOptions): Promise<TokenServiceListener>
  /** The same routes with the same keys without TLS. @throws ConnectivityError as `listenHttps`. */
  listenHttp(options: HttpListenOptions): Promise<TokenServiceListener>
  /** Answers what is under way, then closes every listener. Idempotent. */
  close(): Promise<void>
  /** Publishes a new signing key that takes over when every client knows it; old ones go when their tokens have expired. */
  rotateKeys(): Promise<{ readonly keyId: string; readonly signsFromMs: number }>
  /** What `/token_keys` answers with. */
  publicKeys(): Promise<readonly PublicSigningKey[]>
  /** PEM of the key that signs now: `verificationkey` of bindings. */
  verificationKey(): Promise<string>
  /** Claim `iss` of a tenant's tokens. @throws ConnectivityError `NOT_FOUND` for an unknown tenant. */
  issuerOf(tenantId: string): Promise<string>
  /** Host and port for `uaadomain` of bindings. @throws ConnectivityError `SERVICE_UNAVAILABLE` for a loopback address before `listenHttps`. */
  uaaDomain(): string
  /**
   * A user token without a password, for whoever owns the process. Comes with no refresh token. `scopes` narrows what the user's groups give.
   *
   * @throws ConnectivityError `NOT_FOUND` for an unknown tenant, user or client; `TOKEN_NOT_ISSUED` when the tenant has not subscribed to the client or no scope is left.
   */
  issueUserToken(order: {
    readonly tenant: string
    readonly user: string
    readonly clientId: string
    readonly scopes?: readonly string[]
  }): Promise<TokenAnswer>
  /** A technical token without a secret. @throws ConnectivityError as `issueUserToken`. */
  issueClientToken(order: {
    readonly tenant?: string
    readonly clientId: string
    readonly scopes?: readonly string[]
  }): Promise<TokenAnswer>
}

/**
 * Creates the token service. Nothing is opened or read before the first call.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for an address or life time that the official clients cannot live with.
 */
export function createTokenService(options: TokenServiceOptions): TokenService {
  const { tenants, clients, users, grants, limits, clock, random, log } = options
  checkServiceAddress(options.address)
  checkLifetime(limits.accessTokenSeconds)
  const trust = options.trust ?? { tokens: trustNobody, issuers: [] }
  const listeners = new Map<FastifyInstance, OpenSockets>()
  let closed = false
  // The first https listener's; it stays the service's address while requests finish during a close.
  let httpsPort: number | undefined

  const address: HttpServerDeps['address'] = () => resolveServiceAddress(options.address, httpsPort)
  const keys = createKeyRing({ store: options.keys, clock, random, log })
  const ownKeys: KeySource = {
    // Whose issuer a token names does not matter here: nobody else signs with these keys. Readers compare it with the tenant's.
    find: async (_issuer, keyId) =>
      (await keys.publicKeys()).find(({ kid }) => kid === keyId) as Readonly<Record<string, unknown>> | undefined,
    get revision() {
      return keys.revision
    },
  }
  const ownTokens = createTokenVerifier({
    keys: ownKeys,
    clock,
    expiryToleranceSeconds: assertionExpiryToleranceSeconds,
    notBeforeToleranceSeconds: assertionNotBeforeToleranceSeconds,
    maxCachedTokens: maxCachedAssertions,
    maxTokenBytes: maxAssertionBytes,
  })
  const issuer = createTokenIssuer({ keys, grants, clock, random, limits, address })
  const deps: HttpServerDeps = {
    tenants,
    clients,
    users,
    grants,
    issuer,
    keys,
    limits,
    clock,
    random,
    log,
    address,
    assertions: createAssertionReader({ ownTokens, trust, users, address }),
    logOn: createPasswordLogOn({ users, hasher: options.hasher, clock }),
    sessions: createLogOnSessions({ grants, clock, random, limits }),
  }

  async function listen(socket: ListenerSocket, where: ListenAddress): Promise<TokenServiceListener> {
    if (closed) throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the token service has been closed')
    await keys.signingKey()
    const app = createHttpServer(socket, deps)
    listeners.set(
      app,
      trackSockets(app.server, (error) => log.error({ reason: error.message }, 'the token service failed to accept a connection')),
    )
    try {
      await app.listen({ host: where.host, port: where.port })
    } catch (cause) {
      listeners.delete(app)
      await app.close()
      throw listenFailed(where, cause)
    }
    const bound = app.server.address()
    const port = typeof bound === 'object' && bound !== null ? bound.port : where.port
    if (socket.secure) httpsPort ??= port
    log.info({ host: where.host, port, secure: socket.secure }, 'token service listens')
    return {
      host: where.host,
      port,
      reloadTls: () => socket.reloadTls(),
      close: () => closeListener(app),
    }
  }

  async function tenantById(id: string): Promise<Tenant> {
    const tenant = await tenants.findById(id)
    if (tenant === undefined) throw new ConnectivityError('NOT_FOUND', `there is no tenant "${id}"`)
    return tenant
  }

  async function clientById(id: string): Promise<OAuthClient> {
    const client = await clients.findById(id)
    if (client === undefined) throw new ConnectivityError('NOT_FOUND', `there is no client "${id}"`)
    return client
  }

  async function close(): Promise<void> {
    closed = true
    await Promise.all([...listeners.keys()].map((app) => closeListener(app)))
  }

  /** Requests under way may finish; who has only begun to speak by then is cut off. */
  async function closeListener(app: FastifyInstance): Promise<void> {
    const sockets = listeners.get(app)
    listeners.delete(app)
    const cancel = clock.after(shutdownGraceMs, () => sockets?.destroyAll())
    await app.close()
    cancel()
  }

  return {
    listenHttps: async (where) => listen(createHttpsSocket(where.tls), where),
    listenHttp: async (where) => listen(createHttpSocket(where), where),
    close,
    [Symbol.asyncDispose]: close,
    rotateKeys: () => keys.rotate(),
    publicKeys: () => keys.publicKeys(),
    verificationKey: async () => (await keys.signingKey()).publicKey,
    issuerOf: async (tenantId) => address().issuer(await tenantById(tenantId)),
    uaaDomain: () => address().uaaDomain,
    async issueUserToken(order) {
      const client = await clientById(order.clientId)
      const tenant = await admittedTenant(client, await tenantById(order.tenant), { tenants, clients })
      const user = await users.findByName(tenant.id, order.user)
      if (user === undefined)
        throw new ConnectivityError('NOT_FOUND', `tenant "${tenant.id}" has no user "${order.user}"`, {
          details: { next: 'look at the users of the subaccount in the configuration' },
        })
      return issuer.user({
        tenant,
        client,
        requested: order.scopes,
        certificateThumbprint: undefined,
        user,
        grantType: 'password',
        authTimeSeconds: Math.floor(clock.now() / 1000),
        refresh: { kind: 'none' },
      })
    },
    async issueClientToken(order) {
      const client = await clientById(order.clientId)
      const tenant = await admittedTenant(client, await tenantById(order.tenant ?? client.tenantId), { tenants, clients })
      return issuer.technical({ tenant, client, requested: order.scopes, certificateThumbprint: undefined })
    },
  }
}

/** The verifier of a service that trusts no identity provider; no assertion gets as far. */
const trustNobody: TokenVerifier = {
  peek: () => undefined,
  verify: () => Promise.resolve({ valid: false, reason: 'issuer' }),
  decode: () => undefined,
}

function checkLifetime(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= minAccessTokenSeconds && seconds <= maxAccessTokenSeconds) return
  throw new ConnectivityError(
    'CONFIGURATION_INVALID',
    `accessTokenSeconds is ${seconds}; official clients need ${minAccessTokenSeconds} to ${maxAccessTokenSeconds}, or they fetch tokens in an endless loop`,
  )
}
