import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DestinationRole, scopeOfRole } from '@sallyport/admin-api'
import type { AuditSink, LogFields, Logger } from '@sallyport/core'
import {
  createCustomerKeys,
  createDataKeys,
  createSealer,
  type CustomerKeys,
  dataKeyMigrations,
  dataKeyPart,
  dataKeyTables,
  defaultKeyAgeMs,
  migrate,
  openDatabase,
} from '@sallyport/store'
import {
  createManualClock,
  createMemoryKeySystem,
  createTestIssuer,
  type ManualClock,
  type MemoryKeySystem,
  type TestIssuer,
} from '@sallyport/test-fixtures'
import { createFixedKeySource, createTokenVerifier } from '@sallyport/token-verifier'
import {
  type AuthenticationSettings,
  type ConnectionChecker,
  createDestinationService,
  createOutgoing,
  createSqlEntityRepository,
  createSqlInstanceSettings,
  createSqlKeyRepositories,
  type DestinationInstance,
  destinationMigrations,
  destinationStoredTables,
  type EntityRepository,
  type ExpiryNotifier,
  type DestinationService,
  type DestinationTables,
  type IdentityTrust,
  type ListenerTls,
  type Outgoing,
  type SubaccountEncryption,
} from '../src/index.ts'

export const providerSubaccount = '11111111-2222-3333-4444-555555555555'
export const landscape = 'test.example.com'
export const instanceId = 'aaaaaaaa-0000-0000-0000-000000000001'
export const clientId = 'sb-clone1!b1|destination-xsappname!b1'
export const cockpitName = 'cockpit!t1'
export const cockpitClientId = 'sb-cockpit!t1'
export const otherInstanceId = 'aaaaaaaa-0000-0000-0000-000000000002'
export const otherClientId = 'sb-clone2!b1|destination-xsappname!b1'

export interface Answered {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly json: unknown
}

export interface CallOptions {
  readonly token?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Making a key takes longer than most tests, so there is one for all services of a test file; it shows the time of the service started last. */
let issuerClock: ManualClock = createManualClock()
const issuer: TestIssuer = createTestIssuer({ clientId, nowMs: () => issuerClock.now() })

/** A service on a real port with a real database, and what tests need around it. */
export interface RunningService {
  readonly service: DestinationService
  readonly repository: EntityRepository
  readonly clock: ManualClock
  readonly issuer: TestIssuer
  readonly url: string
  /** The database file, for looking at what is stored. */
  readonly file: string
  /** Where customers keep keys, as "kms", and who uses one. */
  readonly keySystem: MemoryKeySystem
  readonly customerKeys: CustomerKeys
  /** Every log line, as text. */
  readonly logged: string[]
  /** Token of a technical caller; the default is the provider's own. */
  token(options?: { readonly subaccount?: string; readonly client?: string; readonly claims?: Readonly<Record<string, unknown>> }): string
  /** Sends a request to a path below `/destination-configuration`, as the provider unless a token is given. */
  call(method: string, path: string, options?: CallOptions): Promise<Answered>
  /** Token of a person who has logged on to the administration. `scopes` are complete names; roles are given by their names in the cockpit. */
  personToken(options?: {
    readonly subaccount?: string
    readonly roles?: readonly DestinationRole[]
    readonly scopes?: readonly string[]
    readonly claims?: Readonly<Record<string, unknown>>
  }): string
  /** As `call`, to a path below `/admin/v1`. */
  administer(method: string, path: string, options?: CallOptions): Promise<Answered>
  close(): Promise<void>
}

/** As an operator offers it who has named one key for everybody. */
export const offeredKey = { system: 'kms', key: 'offered' } as const

function encryptionWith(customerKeys: CustomerKeys): SubaccountEncryption {
  return {
    async find(subaccountId) {
      const [known] = await customerKeys.states(subaccountId)
      return known === undefined ? { keyOwner: 'operator', offered: true } : { keyOwner: 'customer', offered: true, state: known.state }
    },
    async use(subaccountId) {
      if ((await customerKeys.states(subaccountId)).length > 0) return false
      await customerKeys.use(subaccountId, offeredKey)
      return true
    },
    rotate: (subaccountId) => customerKeys.use(subaccountId, offeredKey),
    release: (subaccountId) => customerKeys.release(subaccountId),
  }
}

export async function startService(
  options: {
    readonly outgoing?: Outgoing
    readonly strictNames?: boolean
    readonly perSubaccount?: number
    readonly audit?: AuditSink
    /** Trusted beside the usual one. */
    readonly issuers?: readonly TestIssuer[]
    readonly authentication?: Partial<Omit<AuthenticationSettings, 'landscape'>>
    readonly notifier?: ExpiryNotifier
    readonly tls?: ListenerTls
    readonly identity?: (clock: ManualClock) => IdentityTrust
    /** With it, the administration for people is served; subaccounts other than the provider's have subscribed. */
    readonly connections?: ConnectionChecker
    readonly wrapRepository?: (repository: EntityRepository) => EntityRepository
  } = {},
): Promise<RunningService> {
  const clock = createManualClock()
  issuerClock = clock
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-destinations-'))
  const file = join(folder, 'destinations.db')
  const db = openDatabase<DestinationTables>(file)
  await migrate(db, destinationMigrations)
  await migrate(db, dataKeyMigrations, { part: dataKeyPart })
  const master = createSealer({ current: randomBytes(32) })
  const keySystem = createMemoryKeySystem()
  const systems = { kms: keySystem }
  const logged: string[] = []
  const log = collectingLogger(logged)
  const sealers = createDataKeys({ db, master, clock, systems, log })
  const tables = [...dataKeyTables, ...destinationStoredTables]
  const customerKeys = createCustomerKeys({ db, tables, master, dataKeys: sealers, systems, clock, maxAgeMs: defaultKeyAgeMs })
  const stored = createSqlEntityRepository({ db, sealers })
  const repository = options.wrapRepository?.(stored) ?? stored
  const instances = new Map<string, DestinationInstance>([
    [clientId, { instanceId, subaccountId: providerSubaccount }],
    [otherClientId, { instanceId: otherInstanceId, subaccountId: providerSubaccount }],
  ])
  const service = createDestinationService({
    repository,
    keys: createSqlKeyRepositories({ db, master, sealers }),
    landscape,
    certificates: { rsaBits: 2_048, ...(options.notifier === undefined ? {} : { notifier: options.notifier }) },
    verifier: createTokenVerifier({
      keys: createFixedKeySource([issuer, ...(options.issuers ?? [])].map((trusted) => ({ issuer: trusted.issuer, keys: trusted.keys }))),
      clock,
      expiryToleranceSeconds: 0,
      notBeforeToleranceSeconds: 60,
      maxCachedTokens: 100,
      maxTokenBytes: 16_384,
    }),
    instances: { find: (client) => instances.get(client) },
    outgoing: options.outgoing ?? createOutgoing({ privateAddresses: 'allow' }),
    clock,
    log,
    names: { strict: options.strictNames ?? true },
    ...(options.connections === undefined
      ? {}
      : {
          administration: {
            applications: [{ clientId: cockpitClientId, xsappname: cockpitName }],
            directory: {
              list: () => [...instances.values()].map((instance) => ({ instance, name: `name of ${instance.instanceId}` })),
            },
            settings: createSqlInstanceSettings({ db }),
            connections: options.connections,
            encryption: encryptionWith(customerKeys),
          },
        }),
    ...(options.identity === undefined ? {} : { identity: options.identity(clock) }),
    ...(options.audit === undefined ? {} : { audit: options.audit }),
    ...(options.authentication === undefined ? {} : { authentication: options.authentication }),
    ...(options.perSubaccount === undefined ? {} : { limits: { perSubaccount: options.perSubaccount } }),
  })
  const { port } = await service.listen({ host: '127.0.0.1', port: 0, ...(options.tls === undefined ? {} : { tls: options.tls }) })
  const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`

  const token: RunningService['token'] = ({ subaccount = providerSubaccount, client = clientId, claims = {} } = {}) =>
    issuer.technical({
      cid: client,
      client_id: client,
      azp: client,
      aud: [client],
      zid: subaccount,
      ext_attr: { enhancer: 'XSUAA', zdn: subaccount, subaccountid: subaccount },
      ...claims,
    })

  const send = async (method: string, path: string, { token: given, headers, body }: CallOptions = {}): Promise<Answered> => {
    const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${given ?? token()}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      redirect: 'manual',
      ...sent,
    })
    const text = await answer.text()
    return { status: answer.status, headers: answer.headers, text, json: text === '' ? undefined : (JSON.parse(text) as unknown) }
  }

  return {
    service,
    repository,
    clock,
    issuer,
    url,
    file,
    keySystem,
    customerKeys,
    logged,
    token,
    call: (method, path, sent) => send(method, `/destination-configuration${path}`, sent),
    administer: (method, path, sent) => send(method, `/admin/v1${path}`, sent),
    personToken: ({ subaccount = providerSubaccount, roles = [], scopes = [], claims = {} } = {}) =>
      issuer.user('jane@acme.test', {
        cid: cockpitClientId,
        client_id: cockpitClientId,
        azp: cockpitClientId,
        zid: subaccount,
        ext_attr: { enhancer: 'XSUAA', zdn: subaccount, subaccountid: subaccount },
        scope: ['openid', ...roles.map((role) => `${cockpitName}.${scopeOfRole(role)}`), ...scopes],
        ...claims,
      }),
    async close() {
      await service.close()
      await db.destroy()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function collectingLogger(lines: string[], inherited: LogFields = {}): Logger {
  const write =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      lines.push(JSON.stringify({ level, ...inherited, ...fields, message }))
    }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => collectingLogger(lines, { ...inherited, ...fields }),
  }
}
