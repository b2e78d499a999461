import { request as httpsRequest } from 'node:https'
import type { HeapSettings } from '@sallyport/admin-api'
import {
  type AdminListener,
  type CloudConnector,
  type ConfigurationSource,
  type ConnectorTraces,
  createAdminListener,
  createCloudConnector,
  createMachineProbe,
  createMaterialMemory,
  loadIdentities,
  type MaterialStore,
  openConnectorTraces,
  type TrafficPermission,
} from '@sallyport/cloud-connector'
import { type AuditEntry, type AuditSink, ConnectivityError, type Logger, silentLogger, systemClock } from '@sallyport/core'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { createManualClock, createTestCa, type ManualClock, type TestIdentity } from '@sallyport/test-fixtures'
import {
  type Access,
  adoptIdentities,
  applyPendingRestore,
  callPeer,
  type Caller,
  type ConfigurationEditor,
  createAdministeredSource,
  createAdministrationRoutes,
  createAdmitMonitoring,
  createDocumentStore,
  createInstallation,
  createInstallationAudit,
  createPair,
  openAccess,
  createSubaccountLifecycle,
  createWayToCloud,
  type HostAgent,
  isWantedBy,
  openConfigurationEditor,
  openHaSettings,
  type Pair,
  type PairNotice,
  type PasswordHasher,
  removeAbandonedIdentities,
  traceSettingsOf,
  withTraceSettings,
  roles,
} from '../src/index.ts'

import { renderConnectors } from '../src/document/administered-source.ts'
import { administeredSubaccountSchema, type SubaccountKey } from '../src/document/administered-subaccount.ts'

const ca = createTestCa()

/** What a call got. */
export interface BenchAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
  readonly bytes: Buffer
  json(): any
}

/** A connector under administration, on a real HTTPS port, with callers that are named by their role. */
export interface AdministrationBench extends AsyncDisposable {
  readonly editor: ConfigurationEditor
  readonly connector: CloudConnector
  readonly material: MaterialStore
  readonly clock: ManualClock
  readonly port: number
  readonly audited: readonly AuditEntry[]
  /** Where they go. */
  readonly audit: AuditSink
  readonly traces: ConnectorTraces
  /** As the pair sees this one. */
  readonly installation: ReturnType<typeof createInstallation>
  readonly pair: Pair
  readonly identity: TestIdentity
  readonly notices: readonly PairNotice[]
  /** How often the process was to be started again. */
  readonly restarts: number
  /** Start options that a restore has put beside those in use. */
  readonly restoredStartOptions: string | undefined
  /** Adds a subaccount without asking the cloud side, for what does not need its tunnel. */
  expose(subaccount: SubaccountKey & { readonly isManaged?: boolean }): Promise<void>
  /** What the connector was told about a subaccount. */
  rendered(subaccount: string): any
  /** Sends JSON unless `body` is absent; as an administrator unless `as` says otherwise. */
  call(
    method: string,
    path: string,
    body?: unknown,
    options?: { readonly as?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<BenchAnswer>
  /** Sends a form. Parts that are buffers are files. */
  upload(
    method: string,
    path: string,
    parts: readonly (readonly [name: string, content: string | Buffer])[],
    options?: { readonly as?: string },
  ): Promise<BenchAnswer>
  /** As `call`, but whoever sends has to prove who he is. `user` is `name:password`. */
  send(
    method: string,
    path: string,
    options?: { readonly body?: unknown; readonly user?: string; readonly headers?: Readonly<Record<string, string>> },
  ): Promise<BenchAnswer>
  readonly access: Access
}

/** Without the work: what matters here is what is asked of it. */
const hasher: PasswordHasher = {
  hash: async (password) => `hash of ${password}`,
  verify: async (password, stored) => stored === `hash of ${password}`,
}

/** Starts one; with what another has left behind when `material` is given. */
export async function startAdministrationBench(
  given: {
    readonly material?: MaterialStore
    readonly haRole?: 'master' | 'shadow'
    readonly version?: string
    readonly port?: number
    /** Then its certificate is any. */
    readonly isPageReplaced?: boolean
    /** What the port shows; a new certificate unless told. */
    readonly identity?: TestIdentity
    readonly startOptions?: string
    /** Whether the other instance of a pair, or the cloud side, cannot be reached from here. */
    readonly network?: BenchNetwork
    /** Where traces go; a folder that is not made until something is traced. */
    readonly traceFolder?: string
    /** The answer of the second person who is asked before contents are traced. */
    readonly tracePermission?: () => TrafficPermission
    readonly isLocked?: (subaccount: string, user: string) => boolean
    /** For a cloud side whose certificates are of now. */
    readonly clock?: ManualClock
    readonly connectorId?: string
    readonly hostAgent?: HostAgent
    readonly log?: Logger
  } = {},
): Promise<AdministrationBench> {
  const clock = given.clock ?? createManualClock()
  const own = given.identity ?? ca.issue({ subject: '/CN=connector' })
  const material = given.material ?? createMaterialMemory()
  await applyPendingRestore(material)
  const audited: AuditEntry[] = []
  const audit = { failing: false, write: (entry: AuditEntry) => void audited.push(entry), flushed: () => Promise.resolve() }
  const startOptions = { current: given.startOptions, restored: undefined as string | undefined, heap: {} as HeapSettings }
  let restarts = 0
  let editor: ConfigurationEditor | undefined
  const opened = (): ConfigurationEditor => {
    if (editor === undefined) throw new Error('the editor is not open yet')
    return editor
  }
  const configuration: ConfigurationSource = createAdministeredSource(() => opened().document)
  const corrupted: { readonly subaccount: string; readonly locationId: string }[] = []
  const store = createDocumentStore(material, given.version ?? '1.2.3')
  const identities = await removeAbandonedIdentities(
    { material, store },
    await loadIdentities(material, (holder) => corrupted.push(holder)),
  )
  const traces = await openConnectorTraces({
    folder: given.traceFolder ?? join(tmpdir(), `sallyport-no-traces-${process.pid}`),
    settings: traceSettingsOf(await store.load()),
    permission: async () => given.tracePermission?.() ?? { allowed: true },
    clock,
    log: silentLogger,
  })
  const openWay = createWayToCloud(() => opened().document.connector.proxy)
  const connector = createCloudConnector({
    configuration,
    traces,
    identities,
    createTransport: (identity) =>
      createTlsTransport({
        // Its pings are answered over a real network.
        clock: systemClock,
        client: () => {
          const { authorities, certificate, key } = identity()
          return { certificate, key, ca: authorities }
        },
        openSocket: (address, signal) =>
          given.network?.cloudCut === true
            ? Promise.reject(new ConnectivityError('PEER_UNREACHABLE', 'the network is cut'))
            : openWay(address, signal),
      }),
    isWanted: (holder) => isWantedBy(opened().document, holder),
    maxReconnectAttempts: () => opened().document.connectivity.maxReconnectAttempts,
    random: () => 0.5,
    material,
    audit,
    clock,
    agentVersion: '1.2.3',
  })
  editor = await openConfigurationEditor({
    store,
    async takeOver(user) {
      await traces.apply(traceSettingsOf(opened().document))
      if (connector.running) await connector.reload(user)
    },
    audit,
  })
  await editor.change('startup', (document) => withTraceSettings(document, traces.settings))
  const installationAudit = createInstallationAudit(audit, () => opened().document.reporting.auditLog.level)
  const access = await openAccess({
    material,
    hasher,
    clock,
    initialPassword: () => 'manage',
    forcePasswordChange: true,
    loginInformation: () => opened().document.loginInformation,
    ownCertificate: own,
    audit: installationAudit,
    ...(given.log === undefined ? {} : { log: given.log }),
  })
  const caller = (role: string): Caller => ({ user: role, roles: roles.filter((known) => known === role), initialPassword: false })
  const authenticate: Access['authenticate'] = async (request, reply) => {
    const role = request.headers['x-role']
    return typeof role === 'string' ? caller(role) : await access.authenticate(request, reply)
  }
  const notices: PairNotice[] = []
  let port = 0
  const installation = createInstallation({ editor, connector, material, version: given.version ?? '1.2.3' })
  const page = (): Page => (given.isPageReplaced === true ? { port, rejectUnauthorized: false } : { port, ca: ca.certificate })
  const pair = createPair({
    store: await openHaSettings(material),
    installation,
    own: () => ({ port, certificate: own.certificate }),
    callPeer: (request) =>
      given.network?.cut === true ? Promise.reject(new ConnectivityError('PEER_UNREACHABLE', 'the network is cut')) : callPeer(request),
    clock,
    log: silentLogger,
    audit: installationAudit,
    notice: (notice) => void notices.push(notice),
  })
  editor.onChange(() => pair.configurationChanged())
  await pair.begin()
  await connector.start()
  await adoptIdentities(editor, identities)
  const listener: AdminListener = createAdminListener({
    monitoring: {
      connector,
      machine: createMachineProbe({ folder: '.' }),
      certificateValidityDays: () => 30,
      hardware: () => ({}) as never,
      alerts: () => [],
      now: clock.now,
    },
    tls: access.tls(),
    admit: createAdmitMonitoring(authenticate),
    routes: createAdministrationRoutes({
      editor,
      version: given.version ?? '1.2.3',
      clock,
      lifecycle: createSubaccountLifecycle({
        editor,
        connector,
        material,
        connectorId: given.connectorId ?? 'bench',
        openWay,
        corrupted,
      }),
      leafKey: connector.leafKey,
      checkKerberos: connector.checkKerberos,
      isLocked: (key, { user }) => given.isLocked?.(key.subaccount, user) ?? false,
      access: { ...access, authenticate },
      traces,
      connectorId: given.connectorId ?? 'bench',
      runtime: {
        heapLimitBytes: 1,
        read: async () => startOptions.heap,
        async write(settings) {
          startOptions.heap = settings
        },
      },
      hostAgent: given.hostAgent ?? { isFile: async () => false, ping: async () => {} },
      pair,
      backup: {
        material,
        audit,
        startOptions: {
          read: () => Promise.resolve(startOptions.current),
          async keepRestored(text) {
            startOptions.restored = text
          },
        },
        restart: () => void restarts++,
      },
    }),
    isMaster: () => opened().document.connector.haRole === 'master',
  })
  port = (await listener.listen({ host: '127.0.0.1', port: given.port ?? 0 })).port
  access.editor.onChange(() => listener.useTls(access.tls()))
  const bench: AdministrationBench = {
    editor,
    connector,
    material,
    clock,
    port,
    audited,
    audit,
    traces,
    identity: own,
    installation,
    pair,
    notices,
    get restarts() {
      return restarts
    },
    get restoredStartOptions() {
      return startOptions.restored
    },
    async expose(subaccount) {
      await opened().change('bench', (document) => ({
        ...document,
        subaccounts: [...document.subaccounts, administeredSubaccountSchema.parse(subaccount)],
      }))
    },
    rendered: (subaccount) =>
      renderConnectors(opened().document).connectors.find((entry) => (entry as { readonly subaccount: string }).subaccount === subaccount),
    async upload(method, path, parts, { as = 'sccadmin' } = {}) {
      const form = new FormData()
      for (const [name, content] of parts)
        form.append(
          name,
          ...(typeof content === 'string' ? ([content] as const) : ([new Blob([new Uint8Array(content)]), 'file'] as unknown as [string])),
        )
      const encoded = new Response(form)
      const type = encoded.headers.get('content-type') ?? ''
      return call(page(), method, path, Buffer.from(await encoded.arrayBuffer()), { 'content-type': type, 'x-role': as })
    },
    access,
    call: (method, path, body, { as = 'sccadmin', headers } = {}) => call(page(), method, path, body, { 'x-role': as, ...headers }),
    send: (method, path, { body, user, headers } = {}) =>
      call(page(), method, path, body, {
        // Without it, this client says that it closes the connection.
        connection: 'keep-alive',
        ...(user === undefined ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }),
        ...headers,
      }),
    async [Symbol.asyncDispose]() {
      await listener.close()
      await pair[Symbol.asyncDispose]()
      await connector.stop({ graceMs: 0 })
      await traces.close()
    },
  }
  if (given.haRole !== undefined) await bench.call('POST', '/api/v1/configuration/connector/haRole', given.haRole)
  return bench
}

/** Where a bench answers, and what its page may show. */
type Page = { readonly port: number } & ({ readonly ca: string } | { readonly rejectUnauthorized: false })

function call(page: Page, method: string, path: string, body: unknown, headers: Readonly<Record<string, string>>): Promise<BenchAnswer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        ...page,
        method,
        path,
        agent: false,
        headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const bytes = Buffer.concat(chunks)
          const text = bytes.toString()
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, bytes, json: () => JSON.parse(text) })
        })
      },
    )
    request.on('error', reject).end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body))
  })
}

/** What cannot be reached from a bench. */
export interface BenchNetwork {
  cut: boolean
  cloudCut?: boolean
}
