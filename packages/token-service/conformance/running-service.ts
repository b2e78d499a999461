import { randomBytes } from 'node:crypto'
import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { createSecret, type LogFields, type Logger, silentLogger } from '@sallyport/core'
import { createManualClock, createTestCa, type ManualClock, type TestCa, type TestIdentity } from '@sallyport/test-fixtures'
import {
  type ClientConfiguration,
  createMemoryGrantStore,
  createMemorySigningKeyStore,
  createPasswordHasher,
  createStaticDirectory,
  createTokenService,
  defaultLimits,
  type ServiceAddress,
  type SigningKeyStore,
  type TokenService,
  type TokenServiceListener,
  type TokenServiceOptions,
} from '../src/index.ts'

/** One CA and server certificate for all tests of a file; making them takes longer than most tests. */
export const testCa: TestCa = createTestCa()
export const serverIdentity: TestIdentity = testCa.issue({
  subject: '/CN=token service',
  names: [
    'localhost',
    '127.0.0.1',
    'authentication.example.test',
    '*.authentication.example.test',
    'authentication.cert.example.test',
    '*.authentication.cert.example.test',
  ],
})

export const secrets = {
  app: 'app-secret-app-secret-app-secret',
  destination: '6f1c$+/=%41 and-more-of-the-secret',
  connectivity: 'connectivity-secret-0123456789',
} as const

export const ids = {
  app: 'sb-app!t1',
  destination: 'sb-clone1!b1|destination-xsappname!b1',
  connectivity: 'sb-clone2!b1|connectivity!b1',
  tenant: '6a4b2c3d-0000-4000-8000-000000000001',
  subscriber: '6a4b2c3d-0000-4000-8000-000000000002',
  stranger: '6a4b2c3d-0000-4000-8000-000000000003',
} as const

export const clients: readonly ClientConfiguration[] = [
  {
    id: ids.app,
    tenant: ids.tenant,
    secrets: [createSecret(secrets.app)],
    subscribedTenants: [ids.subscriber],
    authorities: ['uaa.resource', '$XSAPPNAME.Job'],
    scopes: [
      { name: '$XSAPPNAME.Display', groups: 'everyone' },
      { name: '$XSAPPNAME.Admin', groups: ['admins'] },
    ],
    redirectUris: ['https://*.apps.test/**', 'http://localhost:*/login/callback'],
  },
  {
    id: ids.destination,
    tenant: ids.tenant,
    secrets: [createSecret(secrets.destination)],
    serviceInstanceId: 'destination-instance',
    subscribedTenants: [ids.subscriber],
  },
  {
    id: ids.connectivity,
    tenant: ids.tenant,
    secrets: [createSecret(secrets.connectivity)],
    serviceInstanceId: 'connectivity-instance',
    subscribedTenants: [ids.subscriber],
  },
]

export const users = [
  {
    tenant: ids.tenant,
    name: 'Jane@acme.test',
    password: createSecret('correct horse'),
    groups: ['sales'],
    attributes: { country: 'DE', costcenter: ['1', '2'] },
  },
  { tenant: ids.tenant, name: 'root', password: createSecret('battery staple'), email: 'root@acme.test', groups: ['admins'] },
  { tenant: ids.subscriber, name: 'jane@acme.test', password: createSecret('subscriber pass') },
] as const

export const tenants = [
  { id: ids.tenant, subdomain: 'acme' },
  { id: ids.subscriber, subdomain: 'buyer' },
  { id: ids.stranger, subdomain: 'stranger' },
] as const

export const tenantHosts: ServiceAddress = {
  kind: 'tenant-hosts',
  uaaDomain: 'authentication.example.test',
  certDomain: 'authentication.cert.example.test',
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body as JSON; fails for anything else. */
  json(): Record<string, any>
}

export interface Call {
  readonly method?: string
  readonly path: string
  /** Host header and TLS server name. */
  readonly host?: string
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Readonly<Record<string, string>>
  readonly identity?: TestIdentity
  readonly plain?: boolean
}

export interface LogLine extends LogFields {
  readonly level: string
  readonly message: string
}

export interface RunningService extends AsyncDisposable {
  readonly service: TokenService
  readonly clock: ManualClock
  readonly https: TokenServiceListener
  readonly http: TokenServiceListener
  readonly logged: readonly LogLine[]
  /** The log line of a request, as soon as it is written: that is after the answer. */
  loggedRequest(correlationId: unknown): Promise<LogLine>
  call(call: Call): Promise<Answer>
  /** `POST /oauth/token` with the parameters as body. */
  token(parameters: Readonly<Record<string, string>>, rest?: Partial<Call>): Promise<Answer>
  /** A user token of the application, without the time that a password takes. */
  userToken(user?: string): Promise<string>
}

/** Starts the service on both listeners, over real sockets, with a clock that the test moves. */
export async function startService(
  overrides: Partial<TokenServiceOptions> & {
    readonly clients?: never
    readonly moreClients?: readonly ClientConfiguration[]
    readonly trustClientCa?: boolean
    readonly keys?: SigningKeyStore
  } = {},
): Promise<RunningService> {
  const clock = createManualClock(Date.now())
  const logged: LogLine[] = []
  const logEvents = new EventTarget()
  const hasher = createPasswordHasher({ random: randomBytes })
  const { moreClients = [], trustClientCa = false, clients: _, ...options } = overrides
  const service = createTokenService({
    ...createStaticDirectory({ tenants, clients: [...clients, ...moreClients], users, hasher }),
    keys: createMemorySigningKeyStore(),
    grants: createMemoryGrantStore({ clock, bounds: defaultLimits }),
    hasher,
    address: { kind: 'loopback' },
    limits: defaultLimits,
    clock,
    random: randomBytes,
    log: recordingLogger(logged, logEvents),
    ...options,
  })
  const https = await service.listenHttps({
    host: '127.0.0.1',
    port: 0,
    tls: () => ({ cert: serverIdentity.certificate, key: serverIdentity.key, ...(trustClientCa ? { ca: testCa.certificate } : {}) }),
  })
  const http = await service.listenHttp({ host: '127.0.0.1', port: 0 })
  const call: RunningService['call'] = (wanted) => send(wanted.plain === true ? http.port : https.port, wanted)
  const token: RunningService['token'] = (parameters, rest = {}) =>
    call({ method: 'POST', path: '/oauth/token', body: parameters, ...rest })
  return {
    service,
    clock,
    https,
    http,
    logged,
    async loggedRequest(correlationId) {
      for (;;) {
        const line = logged.find((candidate) => candidate.correlationId === correlationId && candidate['status'] !== undefined)
        if (line !== undefined) return line
        await new Promise((resolve) => logEvents.addEventListener('line', resolve, { once: true }))
      }
    },
    call,
    token,
    async userToken(user = 'jane@acme.test') {
      return String((await service.issueUserToken({ tenant: ids.tenant, user, clientId: ids.app })).access_token)
    },
    [Symbol.asyncDispose]: () => service.close(),
  }
}

/** Claims of a token, unchecked. */
export function claimsOf(token: unknown): Record<string, any> {
  return JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, any>
}

/** Header of a token. */
export function headerOf(token: unknown): Record<string, any> {
  return JSON.parse(Buffer.from(String(token).split('.')[0] ?? '', 'base64url').toString('utf8')) as Record<string, any>
}

function send(port: number, wanted: Call): Promise<Answer> {
  const host = wanted.host ?? 'localhost'
  const body = wanted.body === undefined || typeof wanted.body === 'string' ? wanted.body : new URLSearchParams(wanted.body).toString()
  const options = {
    host: '127.0.0.1',
    port,
    method: wanted.method ?? 'GET',
    path: wanted.path,
    agent: false as const,
    headers: {
      host: wanted.host ?? `localhost:${port}`,
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(Buffer.byteLength(body)) }),
      ...(wanted.headers as Record<string, string | string[]>),
    },
  }
  const tls = {
    servername: host.replace(/:\d+$/, ''),
    ca: testCa.certificate,
    ...(wanted.identity === undefined ? {} : { cert: wanted.identity.certificate, key: wanted.identity.key }),
  }
  return new Promise((resolve, reject) => {
    const request = wanted.plain === true ? httpRequest(options) : httpsRequest({ ...options, ...tls })
    request.on('error', reject)
    request.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text) as Record<string, any>,
        })
      })
    })
    request.end(body)
  })
}

function recordingLogger(lines: LogLine[], events: EventTarget): Logger {
  const at =
    (level: string) =>
    (fields: LogFields, message: string): void => {
      lines.push({ ...fields, level, message })
      events.dispatchEvent(new Event('line'))
    }
  return { ...silentLogger, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
