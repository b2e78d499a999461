import type { AddressInfo } from 'node:net'
import { ConnectivityError, type Logger, type Secret, silentLogger, trackSockets } from '@sallyport/core'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  adminRequestTimeoutMs,
  maxAdminBodyBytes,
  maxAdminConnections,
  maxAdminCredentialsBytes,
  maxAdminPathMemberLength,
} from '../limits.ts'
import { type MonitoringSources, monitoringRoutes } from './monitoring-routes.ts'

/** Roles that may read the monitoring interfaces. */
export type AdminRole = 'Administrator' | 'Monitoring'

/**
 * Checks a user and password that came from an address; `undefined` for a wrong one. It is asked for every request and limits guessing by itself. A
 * `ConnectivityError` is answered with its status.
 */
export type VerifyAdministrator = (user: string, password: string, address: string) => Promise<{ readonly role: string } | undefined>

/** The HTTPS listener for administration and monitoring. */
export interface AdminListener extends AsyncDisposable {
  /** @throws ConnectivityError `PORT_IN_USE`. */
  listen(address: { readonly host: string; readonly port: number }): Promise<{ readonly host: string; readonly port: number }>
  close(): Promise<void>
}

const roles: ReadonlySet<string> = new Set<AdminRole>(['Administrator', 'Monitoring'])

/**
 * Serves the probes of `/exposed` to everybody, and the monitoring interfaces to users with the role Administrator or Monitoring, in the wire format
 * of the original.
 */
export function createAdminListener(options: {
  /** What is shown; the certificate of the listener is added to it. */
  readonly monitoring: Omit<MonitoringSources, 'uiCertificate'>
  readonly tls: { readonly certificate: string; readonly key: Secret }
  readonly verify: VerifyAdministrator
  /** Puts more on the same port, such as the administration API. */
  readonly routes?: (server: FastifyInstance) => void
  /** Whether this instance answers requests; always, unless it may be a shadow. */
  readonly isMaster?: () => boolean
  readonly log?: Logger
}): AdminListener {
  const { isMaster = () => true, log = silentLogger, monitoring, tls } = options
  const server = fastify({
    https: { cert: tls.certificate, key: tls.key.reveal(), minVersion: 'TLSv1.2' },
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

  for (const [path, render] of Object.entries(monitoringRoutes({ ...monitoring, uiCertificate: tls.certificate }))) {
    server.get(path, { onRequest: (request, reply) => admit(request, reply, options.verify) }, async (_request, reply) =>
      reply.header('cache-control', 'no-store').send(await render()),
    )
  }

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

async function admit(request: FastifyRequest, reply: FastifyReply, verify: VerifyAdministrator): Promise<FastifyReply | undefined> {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(request.headers.authorization ?? '')?.[1]
  const decoded =
    encoded === undefined || encoded.length > maxAdminCredentialsBytes ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
  const colon = decoded?.indexOf(':') ?? -1
  const user = decoded === undefined || colon < 0 ? undefined : await verify(decoded.slice(0, colon), decoded.slice(colon + 1), request.ip)
  if (user === undefined) {
    return reply
      .code(401)
      .header('www-authenticate', 'Basic realm="cloud connector", charset="UTF-8"')
      .send({ type: 'UNAUTHORIZED', message: 'user and password are needed' })
  }
  if (roles.has(user.role)) return undefined
  return reply.code(403).send({ type: 'FORBIDDEN_REQUEST', message: 'the role Administrator or Monitoring is needed' })
}

function answerError(error: unknown, reply: FastifyReply, log: Logger): FastifyReply {
  if (ConnectivityError.is(error)) return reply.code(error.traits.status).send({ type: 'RUNTIME_FAILURE', message: error.message })
  const status = (error as { readonly statusCode?: number }).statusCode ?? 500
  if (status < 500) return reply.code(status).send({ type: 'INVALID_REQUEST', message: (error as Error).message })
  log.error({ reason: error instanceof Error ? error.message : 'unknown' }, 'a request to the administration listener failed')
  return reply.code(500).send({ type: 'RUNTIME_FAILURE', message: 'the cloud connector failed; its log has the reason' })
}
