import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { type AuditSink, type Clock, type ConnectivityEvent, type Logger, systemClock, type TunnelTransport } from '@sallyport/core'
import type { Kysely } from 'kysely'
import { createSealer, migrate, openDatabase } from '@sallyport/store'
import type { TokenVerifier } from '@sallyport/token-verifier'
import { createTunnelClient, type TrustedIssuer, type TunnelClient } from '@sallyport/tunnel'
import { createTlsTransport } from '@sallyport/tunnel/tls'
import { createCertificationRequest, formatPem } from '@sallyport/x509'
import {
  connectivityMigrations,
  type ConnectivityRepository,
  type ConnectivitySchema,
  type ConnectivityService,
  type ConnectivityServiceOptions,
  type ConnectorAuthority,
  createConnectivityService,
  createSqlConnectivityRepository,
  openConnectorAuthority,
} from '../src/index.ts'
import { callApi } from './api-client.ts'
import type { TinyConnector } from './tiny-connector.ts'

export const apiClient = 'sb-api-access!b1'

/** The connectivity service with a database in memory, its listeners on loopback, and everything over TLS. */
export interface Cloud extends AsyncDisposable {
  readonly service: ConnectivityService
  readonly authority: ConnectorAuthority
  readonly repository: ConnectivityRepository
  readonly db: Kysely<ConnectivitySchema>
  readonly api: URL
  readonly trust: Map<string, readonly TrustedIssuer[]>
  /** Pairs a connector over the REST interface. */
  pair(options: { readonly subaccount: string; readonly locationId?: string; readonly connectorId?: string }): Promise<PairedConnector>
}

/** What a pairing leaves with a connector. */
export interface PairedConnector {
  readonly connectorId: string
  readonly locationId: string
  readonly subaccount: string
  readonly certificate: string
  readonly key: string
  readonly authorities: string
  readonly tunnelEndpoint: string
}

export interface CloudOptions {
  readonly verifier: TokenVerifier
  readonly audit: AuditSink
  readonly log: Logger
  readonly onEvent?: (event: ConnectivityEvent) => void
  readonly clock?: Clock
  readonly serviceChannels?: ConnectivityServiceOptions['serviceChannels']
  readonly verifyCloudUser?: ConnectivityServiceOptions['verifyCloudUser']
}

export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const { audit, clock = systemClock, log, verifier } = options
  const db = openDatabase<ConnectivitySchema>(':memory:')
  await migrate(db, connectivityMigrations, { part: 'connectivity' })
  const repository = createSqlConnectivityRepository(db)
  const authority = await openConnectorAuthority({ repository, sealer: createSealer({ current: randomBytes(32) }), clock, log })
  const names = ['127.0.0.1', 'localhost']
  const transport = createTlsTransport({
    clock: systemClock,
    server: () => authority.serverMaterial(names),
    onRefused: (refusal) => service.onTlsRefused(refusal),
  })
  const material = authority.serverMaterial(names)
  const trust = new Map<string, readonly TrustedIssuer[]>()
  const service = createConnectivityService({
    authority,
    repository,
    transport,
    verifier,
    clock,
    audit,
    log,
    tunnel: { endpoint: new URL('tls://127.0.0.1:0') },
    api: { host: '127.0.0.1', port: 0, tls: { key: material.key.reveal(), certificate: material.certificate } },
    apiClients: new Set([apiClient]),
    trust: async (subaccount) => trust.get(subaccount) ?? [],
    events: { wanted: true, emit: (event) => options.onEvent?.(event) },
    ...(options.serviceChannels === undefined ? {} : { serviceChannels: options.serviceChannels }),
    ...(options.verifyCloudUser === undefined ? {} : { verifyCloudUser: options.verifyCloudUser }),
  })
  await service.listen()
  const api = service.addresses.api as URL
  let connectors = 0
  return {
    service,
    authority,
    repository,
    db,
    api,
    trust,
    async pair({ subaccount, locationId = '', connectorId = `connector-${++connectors}` }) {
      const { code } = await service.createPairingCode({ subaccount, createdBy: 'admin@acme.test' })
      const { key, request } = newRequest(connectorId)
      const body = { code, certificationRequest: request, connectorId, locationId, description: 'a test' }
      const answer = await callApi(api, '/api/v1/pairing', { ca: authority.bundle(), method: 'POST', body })
      if (answer.status !== 200) throw new Error(`pairing failed: ${answer.text}`)
      const known = answer.json() as Pick<PairedConnector, 'subaccount' | 'certificate' | 'authorities' | 'tunnelEndpoint'>
      return { connectorId, locationId, key, ...known }
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]()
      await db.destroy()
    },
  }
}

/** A new key and a certification request for it, PEM. */
export function newRequest(name: string): { readonly key: string; readonly request: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    request: formatPem('CERTIFICATE REQUEST', createCertificationRequest([{ type: 'CN', value: name }], privateKey, publicKey)),
  }
}

/** The transport that a paired connector dials with. */
export function connectorTransport(paired: PairedConnector): TunnelTransport {
  const { authorities, certificate, key } = paired
  return createTlsTransport({ clock: systemClock, client: { certificate, key, ca: authorities } })
}

/** Connects a paired connector; settles when the server has welcomed it. */
export async function dialCloud(paired: PairedConnector, tiny: TinyConnector): Promise<TunnelClient> {
  const { connectorId, locationId, tunnelEndpoint } = paired
  const client = createTunnelClient({
    transport: connectorTransport(paired),
    endpoint: new URL(tunnelEndpoint),
    hello: { locationId, connectorId, agentVersion: '0.1.0', description: 'a test' },
    onStream: (incoming, opening) => tiny.take(incoming, opening),
    clock: systemClock,
    random: Math.random,
  })
  await client.whenReady(AbortSignal.timeout(10_000))
  return client
}
