import { randomBytes } from 'node:crypto'
import { type AuditEntry, type Clock, silentLogger, systemClock } from '@sallyport/core'
import {
  connectivityMigrations,
  type ConnectivitySchema,
  type ConnectivityService,
  createConnectivityService,
  createSqlConnectivityRepository,
  type ServiceChannelOptions,
  openConnectorAuthority,
} from '@sallyport/connectivity-proxy'
import { createSealer, migrate, openDatabase } from '@sallyport/store'
import type { TrustedIssuer } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { formatAuthenticationData } from '../src/index.ts'

/** The cloud side, with its own authority, on loopback. Its users are `admin` with `secret`, and `jane` with `secret` who may do nothing. */
export interface SmallCloud extends AsyncDisposable {
  readonly service: ConnectivityService
  readonly audit: AuditEntry[]
  /** Trusted by every subaccount. */
  readonly issuers: TrustedIssuer[]
  /** Of the connectivity service. */
  readonly url: string
  /** PEM. */
  readonly authority: string
  /** What users have shown, in order. */
  readonly shown: { readonly subaccount: string; readonly user: string; readonly password: string }[]
  /** A one-time code. */
  code(subaccount: string): Promise<string>
  authenticationData(subaccount: string, more?: { readonly regionHost?: string; readonly expiresAtMs?: number }): Promise<string>
}

export const region = 'cf.self.example'

export async function startSmallCloud(
  given: { readonly clock?: Clock; readonly serviceChannels?: ServiceChannelOptions } = {},
): Promise<SmallCloud> {
  const { clock = systemClock } = given
  const db = openDatabase<ConnectivitySchema>(':memory:')
  await migrate(db, connectivityMigrations, { part: 'connectivity' })
  const repository = createSqlConnectivityRepository(db)
  const authority = await openConnectorAuthority({
    repository,
    sealer: createSealer({ current: randomBytes(32) }),
    clock,
    log: silentLogger,
  })
  const names = ['127.0.0.1', 'localhost']
  const own = authority.serverMaterial(names)
  const issuers: TrustedIssuer[] = []
  const audit: AuditEntry[] = []
  const shown: { readonly subaccount: string; readonly user: string; readonly password: string }[] = []
  const service = createConnectivityService({
    authority,
    repository,
    transport: createTlsTransport({ clock: systemClock, server: () => authority.serverMaterial(names) }),
    verifier: { verify: async () => ({ valid: false, reason: 'nobody asks' }) as never, [Symbol.dispose]: () => {} } as never,
    clock,
    audit: { failing: false, write: (entry) => void audit.push(entry), flushed: async () => {} },
    tunnel: { endpoint: new URL('tls://127.0.0.1:0') },
    api: { host: '127.0.0.1', port: 0, tls: { key: own.key.reveal(), certificate: own.certificate } },
    apiClients: new Set<string>(),
    trust: async () => issuers,
    ...(given.serviceChannels === undefined ? {} : { serviceChannels: given.serviceChannels }),
    nameOf: (subaccount) => `${subaccount} of Acme`,
    async verifyCloudUser({ password, subaccount, user }) {
      shown.push({ subaccount, user, password: password.reveal() })
      if (!password.reveal().startsWith('secret') || subaccount === 'unknown') return { allowed: false, reason: 'credentials' }
      return user === 'admin' ? { allowed: true, user } : { allowed: false, reason: 'role' }
    },
  })
  await service.listen()
  const url = service.addresses.api?.href ?? ''
  const cloud: SmallCloud = {
    service,
    issuers,
    audit,
    url,
    authority: authority.bundle(),
    shown,
    code: async (subaccount) => (await service.createPairingCode({ subaccount, createdBy: 'admin' })).code,
    async authenticationData(subaccount, more = {}) {
      const { code, expiresAtMs } = await service.createPairingCode({ subaccount, createdBy: 'admin' })
      const data = { regionHost: region, subaccount, displayName: '', url, authority: authority.bundle(), code, expiresAtMs, ...more }
      return formatAuthenticationData(data)
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
  return cloud
}
