import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import type { TokenVerifier } from '@sallyport/token-verifier'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { createAttemptLimiter } from './attempt-limiter.ts'
import { type ConnectorRegistry, formatConnector } from './connector-registry.ts'
import type { ConnectorAuthority } from './connector-authority.ts'
import { apiRequestTimeoutMs, attemptWindowMs, maxApiBodyBytes, maxApiConnections } from './limits.ts'
import type { Pairing } from './pairing.ts'
import { pairingRequestSchema } from './pairing-messages.ts'

/** What the REST interface hands its requests to. */
export interface ConnectivityApiOptions {
  /** PEM; read once. */
  readonly tls: { readonly key: string; readonly certificate: string }
  readonly authority: ConnectorAuthority
  readonly pairing: Pairing
  readonly registry: ConnectorRegistry
  readonly verifier: TokenVerifier
  /** Clients whose tokens may read and disconnect the connectors of their tenant. */
  readonly apiClients: { has(clientId: string): boolean }
  readonly clock: Clock
  readonly log: Logger
}

/** The REST interface of the connectivity service. The caller listens and closes. */
export function createConnectivityApi(options: ConnectivityApiOptions): FastifyInstance {
  const { authority, pairing, registry, clock, log } = options
  const limiter = createAttemptLimiter(clock)
  const api = fastify({
    https: { key: options.tls.key, cert: options.tls.certificate, minVersion: 'TLSv1.2' },
    bodyLimit: maxApiBodyBytes,
    requestTimeout: apiRequestTimeoutMs,
    connectionTimeout: 2 * apiRequestTimeoutMs,
    forceCloseConnections: true,
    logger: false,
  }) as unknown as FastifyInstance
  api.server.maxConnections = maxApiConnections

  api.setErrorHandler((error, _request, reply) => answerError(error, reply, log))
  api.setNotFoundHandler((_request, reply) => reply.code(404).send({ code: 'NOT_FOUND', message: 'there is nothing here' }))

  // Says that this process can answer, and nothing about anybody else.
  api.get('/healthcheck', (_request, reply) => reply.type('text/plain').send('OK\n'))

  api.get('/api/v1/CAs', (_request, reply) => reply.type('application/x-pem-file').send(authority.bundle()))

  api.post('/api/v1/pairing', async (request, reply) => {
    if (!limiter.admit(request.ip)) {
      log.warn({ source: request.ip }, 'too many attempts to pair')
      return reply
        .code(429)
        .header('retry-after', attemptWindowMs / 1000)
        .send({ code: 'PAIRING_REFUSED', message: 'too many attempts to pair; wait a minute' })
    }
    const body = pairingRequestSchema.safeParse(request.body)
    if (!body.success) {
      const problems = body.error.issues.map((issue) => `${issue.path.join('.')} ${issue.message}`).join('; ')
      return reply.code(400).send({ code: 'MESSAGE_INVALID', message: `the pairing request is not valid: ${problems}` })
    }
    return await pairing.pair(body.data)
  })

  api.get('/api/v1/connectors', async (request) => {
    const { tenant } = await admit(request, options)
    return (await registry.list(tenant)).map((connector) => formatConnector(connector))
  })

  api.delete<{ Params: { clientId: string } }>('/api/v1/connectors/:clientId', async (request, reply) => {
    const { tenant, client } = await admit(request, options)
    const { clientId } = request.params
    if (!registry.disconnect(tenant, clientId)) {
      throw new ConnectivityError('NOT_FOUND', 'no connector of that id is connected')
    }
    log.info({ subaccount: tenant, connectorId: clientId, client }, 'a connector was disconnected on request')
    return reply.code(204).send()
  })

  return api
}

/** @throws ConnectivityError `TOKEN_INVALID` (401) without a valid token, `ACCESS_DENIED` (403) for one of another plan. */
async function admit(request: FastifyRequest, options: ConnectivityApiOptions): Promise<{ tenant: string; client: string }> {
  const token = /^bearer +([\w.~+/=-]+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) throw new ConnectivityError('TOKEN_INVALID', 'send Authorization: Bearer with a token of an api_access client')
  const verdict = await options.verifier.verify(token)
  if (!verdict.valid) throw new ConnectivityError('TOKEN_INVALID', `the token was not accepted: ${verdict.reason}`)
  const { zid, client_id, cid, azp } = verdict.token.claims
  const client = client_id ?? cid ?? azp ?? ''
  if (!options.apiClients.has(client))
    throw new ConnectivityError('ACCESS_DENIED', 'the token was not issued for a client with plan api_access')
  if (typeof zid !== 'string' || zid === '') throw new ConnectivityError('TOKEN_INVALID', 'the token names no tenant')
  return { tenant: zid, client }
}

function answerError(error: unknown, reply: FastifyReply, log: Logger): FastifyReply {
  if (ConnectivityError.is(error) && error.details['store'] === true) {
    // What the database says names its host, which is for those who run it.
    log.error({ code: error.code, reason: error.message }, 'the store does not answer')
    return reply
      .code(error.traits.status === 503 ? 503 : 500)
      .send({ code: error.code, message: 'the connectivity service cannot use its database' })
  }
  if (ConnectivityError.is(error)) {
    if (error.code === 'TOKEN_INVALID') void reply.header('www-authenticate', 'Bearer')
    return reply.code(error.traits.status).send({ code: error.code, message: error.message })
  }
  const status = (error as { readonly statusCode?: number }).statusCode ?? 500
  if (status < 500) return reply.code(status).send({ code: 'MESSAGE_INVALID', message: (error as Error).message })
  log.error({ error }, 'a request to the connectivity service failed')
  return reply.code(500).send({ code: 'STORE_FAILED', message: 'the connectivity service failed; its log has the reason' })
}
