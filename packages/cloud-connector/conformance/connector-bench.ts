import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http'
import type { Duplex } from 'node:stream'
import {
  type AuditEntry,
  type Clock,
  type ConnectivityEvent,
  createSecret,
  type EventSink,
  type LogFields,
  type Logger,
  noEvents,
  type StreamCloseReason,
  systemClock,
  type TunnelStream,
  type TunnelTransport,
} from '@sallyport/core'
import type { SynchronisedIssuer } from '@sallyport/principal-propagation'
import { createTestCa, type TestIdentity } from '@sallyport/test-fixtures'
import {
  createTunnelServer,
  formatMessage,
  type ServeChannel,
  toDuplex,
  type Tunnel,
  type TunnelServer,
  type WirePrincipal,
} from '@sallyport/tunnel'
import { createMemoryTransport } from '@sallyport/tunnel/memory'
import {
  type CloudConnector,
  type CloudConnectorOptions,
  type ConnectorIdentity,
  type ConnectorTraces,
  createCloudConnector,
  createConfigurationText,
  createMaterialMemory,
  type MaterialStore,
} from '../src/index.ts'

/** An answer as the cloud side sees it. */
export interface BenchAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly body: string
}

/** What a request of the cloud side consists of. */
export interface BenchRequest {
  readonly path?: string
  readonly method?: string
  readonly host?: string
  readonly port?: number
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  readonly body?: string | Buffer
  readonly principal?: WirePrincipal
  readonly correlationId?: string
  /** Shares a connection among requests. */
  readonly agent?: Agent
}

/** The cloud side's end of a stream. */
export interface RawConnection {
  readonly stream: TunnelStream
  /** Everything received. */
  readonly text: string
  readonly closed: StreamCloseReason | undefined
  /** The connector has ended its side. */
  readonly ended: boolean
  write(text: string): void
  /** Changes the principal for the requests that follow. */
  become(principal: WirePrincipal | null, correlationId?: string): void
  /** Reads on, where `reads` was `false`. */
  read(): void
}

/** The data path of a connector at the far end of a tunnel in memory, and a tiny cloud side that opens streams. */
export interface ConnectorBench extends AsyncDisposable {
  readonly audit: AuditEntry[]
  readonly auditSink: { failing: boolean }
  readonly events: ConnectivityEvent[]
  /** Every log line, fields and message as JSON. */
  readonly logged: string[]
  readonly connector: CloudConnector
  /** What the subaccount trusts. */
  readonly cloud: { issuers: readonly SynchronisedIssuer[] }
  readonly cloudSide: TunnelServer
  readonly tunnel: Tunnel
  readonly openStreams: number
  /** Replaces the configuration and waits until it decides. */
  configure(connector: unknown, files?: Readonly<Record<string, string | Buffer>>): Promise<void>
  /** A connection of an application. */
  connect(options?: Pick<BenchRequest, 'host' | 'port' | 'principal' | 'correlationId'>, onMessage?: (message: Buffer) => void): Duplex
  /** A connection of an application, with its messages. `reads: false`: no more arrives than the window of the stream at first. */
  raw(options?: Pick<BenchRequest, 'host' | 'port' | 'principal' | 'correlationId'> & { readonly reads?: boolean }): RawConnection
  /** An agent that keeps one connection. */
  keepAlive(options?: Pick<BenchRequest, 'host' | 'port' | 'principal'>): Agent
  request(options: BenchRequest): Promise<BenchAnswer>
  /** Sends a request and hands over the answer as it arrives. */
  send(options: BenchRequest): Promise<IncomingMessage>
  tcp(options: {
    readonly host: string
    readonly port: number
    readonly timeoutMs?: number
  }): Promise<{ readonly answer: unknown; readonly stream: Duplex }>
}

export const subaccount = 'demo'
export const locationId = ''

/** Starts the bench: a whole connector, a tunnel server, and a transport in memory between them. `connector` is one entry of `connectors:`. */
export async function startConnectorBench(options: {
  readonly connector: unknown
  readonly files?: Readonly<Record<string, string | Buffer>>
  readonly kerberos?: CloudConnectorOptions['kerberos']
  /** Trusted by the connector from the start; the subaccount trusts them as well. */
  readonly issuers?: readonly SynchronisedIssuer[]
  readonly clock?: Clock
  readonly wantsEvents?: boolean
  readonly material?: MaterialStore
  readonly traces?: ConnectorTraces
  /** What the cloud side does with clients of service channels. */
  readonly serveChannel?: ServeChannel
  /** Changes the transport that the connector dials with. */
  readonly through?: (transport: TunnelTransport) => TunnelTransport
}): Promise<ConnectorBench> {
  const { clock = systemClock, material = createMaterialMemory() } = options
  const transport = createMemoryTransport({ clock: systemClock })
  const endpoint = new URL('memory://cloud')
  const audit: AuditEntry[] = []
  const auditSink = { failing: false, write: (entry: AuditEntry) => void audit.push(entry), flushed: () => Promise.resolve() }
  const events: ConnectivityEvent[] = []
  const eventSink: EventSink = options.wantsEvents === true ? { wanted: true, emit: (event) => void events.push(event) } : noEvents
  const logged: string[] = []
  const cloud = { issuers: options.issuers ?? [] }
  const cloudSide = createTunnelServer({
    transport,
    endpoint,
    authorize: () => Promise.resolve({ allowed: true, subaccount }),
    trust: () => Promise.resolve(cloud.issuers),
    ...(options.serveChannel === undefined ? {} : { onChannel: options.serveChannel }),
    clock: systemClock,
    audit: { failing: false, write: () => {}, flushed: () => Promise.resolve() },
  })
  await cloudSide.listen()

  const identity: ConnectorIdentity = {
    subaccount,
    locationId,
    connectorId: 'bench',
    description: '',
    tunnelEndpoint: endpoint.href,
    certificate: benchIdentity().certificate,
    key: createSecret(benchIdentity().key),
    authorities: '',
  }
  const textOf = (connector: unknown): string => JSON.stringify({ connectors: [connector] })
  const configuration = createConfigurationText({ text: textOf(options.connector), files: options.files ?? {} })
  const connector = createCloudConnector({
    // Reloads are asked for, so that a test can wait for them.
    configuration: { ...configuration, watch: () => () => {} },
    identities: [identity],
    createTransport: () => options.through?.(transport) ?? transport,
    material,
    audit: auditSink,
    clock,
    log: options.traces?.log ?? recordingLogger(logged),
    ...(options.traces === undefined ? {} : { traces: options.traces, onRequest: options.traces.recordRequest }),
    events: eventSink,
    ...(options.kerberos === undefined ? {} : { kerberos: options.kerberos }),
    agentVersion: 'test',
  })
  await connector.start()
  await connector.whenConnected(AbortSignal.timeout(5000))
  const tunnel = cloudSide.find(subaccount, locationId) as Tunnel
  if (cloud.issuers.length > 0) await connector.synchroniseTrust(identity, 'bench')
  audit.splice(0)
  events.splice(0)

  const agents: Agent[] = []
  const connect: ConnectorBench['connect'] = (to = {}, onMessage) => {
    const duplex = toDuplex((handlers) => tunnel.openStream(openingFor(to), handlers), onMessage === undefined ? {} : { onMessage })
    duplex.on('error', () => {})
    return duplex
  }
  const openingFor = (to: Pick<BenchRequest, 'host' | 'port' | 'principal' | 'correlationId'>): Buffer => {
    const { correlationId = 'corr-1', host: virtualHost = 's4.demo', port: virtualPort = 443, principal } = to
    const opening = { kind: 'http', subaccount, locationId, virtualHost, virtualPort, correlationId } as const
    return formatMessage(principal === undefined ? opening : { ...opening, principal })
  }
  const bench: ConnectorBench = {
    audit,
    auditSink,
    events,
    logged,
    connector,
    cloud,
    cloudSide,
    tunnel,
    configure: (entry, files) => {
      configuration.replace(textOf(entry), files)
      return connector.reload('administrator')
    },
    get openStreams() {
      return connector.status.links[0]?.openStreams ?? 0
    },
    connect,
    raw({ reads = true, ...to } = {}) {
      let isReading = reads
      let text = ''
      let closed: StreamCloseReason | undefined
      let ended = false
      const stream = tunnel.openStream(openingFor(to), {
        onData(chunk) {
          text += chunk.toString('latin1')
          return isReading
        },
        onEnd() {
          ended = true
        },
        onDrain: () => {},
        onClose(reason) {
          closed = reason
        },
      })
      return {
        stream,
        get text() {
          return text
        },
        get closed() {
          return closed
        },
        get ended() {
          return ended
        },
        read() {
          isReading = true
          stream.resume()
        },
        write: (more) => void stream.write(Buffer.from(more, 'latin1')),
        become: (principal, correlationId = 'corr-next') =>
          void stream.sendMessage(formatMessage({ kind: 'principal', principal, correlationId })),
      }
    },
    keepAlive(to = {}) {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 })
      const createConnection = (): Duplex => {
        const stream = connect(to)
        // Sockets of node:http end with their peer.
        stream.on('end', () => stream.end())
        // An agent says these to the socket it keeps, and takes its own listeners away after that.
        const nothing = (): Duplex => stream
        return Object.assign(stream, { setKeepAlive: nothing, setTimeout: nothing, ref: nothing, unref: nothing })
      }
      Object.assign(agent, { createConnection })
      agents.push(agent)
      return agent
    },
    async send({ agent, body, headers = {}, method = 'GET', path = '/', ...to }) {
      const { host: virtualHost = 's4.demo', port = 443 } = to
      const request = httpRequest({
        method,
        path,
        headers: { host: `${virtualHost}:${port}`, ...headers },
        ...(agent === undefined ? { createConnection: () => connect(to) } : { agent }),
      })
      request.on('error', () => {})
      request.end(body)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      return response
    },
    async request(options_) {
      const response = await bench.send(options_)
      const chunks: Buffer[] = []
      for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
      const { headers, rawHeaders, statusCode = 0 } = response
      return { status: statusCode, headers, rawHeaders, body: Buffer.concat(chunks).toString('utf8') }
    },
    async tcp({ host: virtualHost, port: virtualPort, timeoutMs = 5000 }) {
      const opening = { kind: 'tcp', subaccount, locationId, virtualHost, virtualPort, correlationId: 'corr-tcp', timeoutMs } as const
      const { promise, resolve } = Promise.withResolvers<unknown>()
      const stream = toDuplex((handlers) => tunnel.openStream(formatMessage(opening), handlers), {
        onMessage: (message) => resolve(JSON.parse(message.toString('utf8'))),
      })
      stream.on('error', () => {})
      return { answer: await promise, stream }
    },
    async [Symbol.asyncDispose]() {
      for (const agent of agents) agent.destroy()
      await connector.stop({ graceMs: 0 })
      await cloudSide.close({ graceMs: 0 })
    },
  }
  return bench
}

/** A mapping to a backend; everything below `/` is admitted unless resources are given. */
export function mappingTo(url: string, changes: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> {
  return { virtual: 's4.demo:443', internal: url, resources: [{ path: '/', subPaths: true, websocketUpgradeAllowed: false }], ...changes }
}

let madeIdentity: TestIdentity | undefined
function benchIdentity(): TestIdentity {
  madeIdentity ??= createTestCa().issue({ subject: '/CN=bench', names: [] })
  return madeIdentity
}

function recordingLogger(lines: string[]): Logger {
  const write = (fields: LogFields, message: string): void => void lines.push(JSON.stringify({ ...fields, message }))
  const logger: Logger = { debug: write, info: write, warn: write, error: write, child: () => logger }
  return logger
}

/** Settles when a condition holds; asked again at every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  const deadline = AbortSignal.timeout(10_000)
  while (!condition()) {
    deadline.throwIfAborted()
    await new Promise((resolve) => setImmediate(resolve))
  }
}
