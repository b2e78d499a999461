import type { AddressInfo } from 'node:net'
import type { SecureContextOptions, Server } from 'node:tls'
import { ConnectivityError, type Logger, type Secret, silentLogger, trackSockets } from '@sallyport/core'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { adminRequestTimeoutMs, maxAdminBodyBytes, maxAdminConnections, maxAdminPathMemberLength } from '../limits.ts'
import { metricsType, renderMetrics } from './metrics-text.ts'
import { type MonitoringSources, monitoringRoutes, routesOfShadow } from './monitoring-routes.ts'

/**
 * Lets a request for a monitoring interface pass, or answers it and returns the reply. Who calls, and what he may, is decided outside; a `ConnectivityError` is
 * answered with its status.
 */
export type AdmitMonitoring = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply | undefined>

/** What the listener shows, and whom it asks for a certificate. */
export interface AdminTls {
  /** PEM with its chain, and the key to it. */
  readonly certificate: string
  readonly key: Secret
  /** As OpenSSL writes them; the usual ones when absent. */
  readonly ciphers?: string | undefined
  /** PEM of certificates that those of clients lead to. Clients are asked for one only when this was there at the start. */
  readonly clientAuthorities?: readonly string[] | undefined
}

/** The HTTPS listener for administration and monitoring. */
export interface AdminListener extends AsyncDisposable {
  /** Shows another certificate, or takes other ciphers, from the next connection on. @throws for a key that belongs to another certificate. */
  useTls(tls: AdminTls): void
  /** @throws ConnectivityError `PORT_IN_USE`. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly host: string; readonly port: number }>
  close(): Promise<void>
}

/**
 * Serves the probes of `/exposed` to everybody, and the monitoring interfaces to whom `admit` lets pass, in the wire format of the original.
 */
export function createAdminListener(options: {
  /** What is shown; the certificate of the listener is added to it. */
  readonly monitoring: Omit<MonitoringSources, 'uiCertificate'>
  readonly tls: AdminTls
  readonly admit: AdmitMonitoring
  /** Puts more on the same port, such as the administration API. */
  readonly routes?: (server: FastifyInstance) => void
  /** Whether this instance answers requests; always, unless it may be a shadow. */
  readonly isMaster?: () => boolean
  readonly log?: Logger
}): AdminListener {
  const { isMaster = () => true, log = silentLogger, monitoring } = options
  let { tls } = options
  const server = fastify({
    https: {
      ...contextOf(tls),
      // Whoever comes without one, or with one that is not trusted, is told so in an answer that he can read.
      requestCert: tls.clientAuthorities !== undefined,
      rejectUnauthorized: false,
    },
    bodyLimit: maxAdminBodyBytes,
    routerOptions: { maxParamLength: maxAdminPathMemberLength },
    requestTimeout: adminRequestTimeoutMs,
    connectionTimeout: 2 * adminRequestTimeoutMs,
    forceCloseConnections: true,
    logger: false,
  }) as unknown as FastifyInstance
  server.server.maxConnections = maxAdminConnections

  server.setErrorHandler((error, _request, reply) => answerError(error, reply, log))
  server.setNotFoundHandler((_request, reply) => reply.code(404).send({ type: 'NOT_FOUND', message: 'there is nothing here' }))

  server.get<{ Querystring: { action?: string } }>('/exposed', (request, reply) => {
    switch (request.query.action) {
      case 'ping':
        return reply.code(200).send()
      case 'hasMasterRole':
        return reply.type('text/plain').send(String(isMaster()))
      case 'ensureMasterRole':
        return reply
          .code(isMaster() ? 200 : 409)
          .type('text/plain')
          .send(String(isMaster()))
      default:
        return reply.code(400).send({ type: 'INVALID_REQUEST', message: 'action is ping, hasMasterRole or ensureMasterRole' })
    }
  })

  for (const [path, render] of Object.entries(monitoringRoutes({ ...monitoring, uiCertificate: () => tls.certificate }))) {
    server.get(path, { onRequest: options.admit }, async (_request, reply) => {
      reply.header('cache-control', 'no-store')
      if (isMaster() || routesOfShadow.has(path)) return reply.send(await render())
      return reply.code(400).send({ type: 'INVALID_REQUEST', message: 'only the master instance knows this' })
    })
  }

  server.get('/metrics', { onRequest: options.admit }, async (_request, reply) =>
    reply
      .header('cache-control', 'no-store')
      .type(metricsType)
      .send(await renderMetrics({ ...monitoring, uiCertificate: () => tls.certificate })),
  )

  options.routes?.(server)

  const sockets = trackSockets(server.server, (error) =>
    log.error({ reason: error.message }, 'the administration listener failed to accept a connection'),
  )
  const close = async (): Promise<void> => {
    const closed = server.close()
    sockets.destroyAll()
    await closed
  }
  return {
    useTls(next) {
      ;(server.server as unknown as Server).setSecureContext(contextOf(next))
      tls = next
    },
    async listen(address) {
      try {
        await server.listen(address)
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause
        throw new ConnectivityError('PORT_IN_USE', `port ${address.port} of the administration listener is in use`, { cause })
      }
      const { address: host, port } = server.server.address() as AddressInfo
      return { host, port }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

function contextOf({ certificate, ciphers, clientAuthorities, key }: AdminTls): SecureContextOptions {
  return {
    cert: certificate,
    key: key.reveal(),
    minVersion: 'TLSv1.2',
    ...(ciphers === undefined ? {} : { ciphers, honorCipherOrder: true }),
    // What is listed is trusted by itself, also when it is not a root.
    ...(clientAuthorities === undefined ? {} : { ca: [...clientAuthorities], allowPartialTrustChain: true }),
  }
}

function answerError(error: unknown, reply: FastifyReply, log: Logger): FastifyReply {
  if (ConnectivityError.is(error)) return reply.code(error.traits.status).send({ type: 'RUNTIME_FAILURE', message: error.message })
  const status = (error as { readonly statusCode?: number }).statusCode ?? 500
  if (status < 500) return reply.code(status).send({ type: 'INVALID_REQUEST', message: (error as Error).message })
  log.error({ reason: error instanceof Error ? error.message : 'unknown' }, 'a request to the administration listener failed')
  return reply.code(500).send({ type: 'RUNTIME_FAILURE', message: 'the cloud connector failed; its log has the reason' })
}
