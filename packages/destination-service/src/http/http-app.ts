import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { ConnectivityError, type Logger } from '@sallyport/core'
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify'
import type { IdentityTrust } from '../access/admit-identity-client.ts'
import type { Administration } from '../administration/administration-context.ts'
import { serveAdministration } from '../administration/serve-administration.ts'
import type { DestinationInstances } from '../access/destination-instances.ts'
import {
  connectionTimeoutMs,
  headersTimeoutMs,
  keepAliveTimeoutMs,
  maxBodyBytes,
  maxHeaderBytes,
  maxUriLength,
  requestTimeoutMs,
  tlsHandshakeTimeoutMs,
} from '../limits.ts'
import { errorAnswer, malformed, refuse } from './answer.ts'
import { registerApiPages } from './api-pages.ts'
import { answerClientError, answerFastifyError } from './protocol-errors.ts'
import { routes } from './routes.ts'
import { sendAnswer } from './send-answer.ts'
import { serveRoute } from './serve-route.ts'
import type { ServiceContext } from './service-request.ts'

/** Certificate chain and key of a listener, PEM. */
export interface ListenerTls {
  readonly cert: string
  readonly key: string
}

/**
 * The HTTP side: bounds, correlation ids, who may call at all, bodies, and answers. What a request means is not known here.
 */
export function createHttpApp(
  context: ServiceContext,
  deps: {
    readonly instances: DestinationInstances
    readonly identity: IdentityTrust | undefined
    readonly administration: Administration | undefined
    readonly log: Logger
    readonly tls: ListenerTls | undefined
  },
): FastifyInstance {
  const serverOptions = {
    maxHeaderSize: maxHeaderBytes,
    headersTimeout: headersTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
  }
  const app = Fastify({
    ...(deps.tls === undefined
      ? { http: serverOptions }
      : {
          https: {
            ...serverOptions,
            ...deps.tls,
            minVersion: 'TLSv1.2' as const,
            handshakeTimeout: tlsHandshakeTimeoutMs,
            // Whoever has a client certificate may show it; tokens say which one counts, so any issuer will do.
            requestCert: deps.identity !== undefined,
            rejectUnauthorized: false,
          },
        }),
    bodyLimit: maxBodyBytes,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    genReqId: correlationIdOf,
    routerOptions: {
      // Names come percent-encoded; what is too long for a URI has been refused before.
      maxParamLength: maxUriLength,
      querystringParser: (text) => (text === '' ? noQuery : new URLSearchParams(text)) as unknown as Record<string, unknown>,
    },
    frameworkErrors: (error, request, reply) => void sendAnswer(reply, answerFastifyError(error), request.id),
    clientErrorHandler: answerClientError,
  }) as unknown as FastifyInstance

  const logOf = (request: FastifyRequest): Logger => deps.log.child({ correlationId: request.id })

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseBody(body as Buffer))
    } catch (error) {
      done(error as Error)
    }
  })
  app.setErrorHandler((error, request, reply) => {
    const answer = ConnectivityError.is(error) ? errorAnswer(error) : answerFastifyError(error)
    if (answer.status >= 500) logOf(request).error({ code: codeOf(error), reason: reasonOf(error) }, 'request failed')
    return sendAnswer(reply, answer, request.id)
  })
  app.setNotFoundHandler((request, reply) => sendAnswer(reply, refuse(404, 'There is no such resource'), request.id))
  app.addHook('onRequest', (request, reply, next) => {
    if (request.raw.url === undefined || request.raw.url.length <= maxUriLength) next()
    else void sendAnswer(reply, refuse(414, `The URI must not be longer than ${maxUriLength} characters`), request.id)
  })
  app.addHook('onResponse', (_request, _reply, next) => {
    // Node closes idle connections when it stops to listen; this one was not idle then.
    if (!app.server.listening) setImmediate(() => app.server.closeIdleConnections())
    next()
  })

  app.get('/health', async (request, reply) => {
    try {
      await context.repository.check()
      return sendAnswer(reply, { status: 200, body: { status: 'UP' } }, request.id)
    } catch (error) {
      logOf(request).error({ code: codeOf(error), reason: reasonOf(error) }, 'the store does not answer')
      return sendAnswer(reply, { status: 503, body: { status: 'DOWN' } }, request.id)
    }
  })

  void app.register(async (scope) => {
    await registerApiPages(scope)
    for (const route of routes) serveRoute(scope, route, { context, ...deps })
    const { administration } = deps
    if (administration !== undefined)
      serveAdministration(scope, { context: { ...context, administration }, instances: deps.instances, log: deps.log })
  })
  return app
}

/** Nobody changes it. */
const noQuery = new URLSearchParams()

/** The caller's own id when it can be shown in a log line, otherwise a new one. */
function correlationIdOf(request: { readonly headers: IncomingMessage['headers'] }): string {
  const given = [request.headers['x-request-id'], request.headers['x-vcap-request-id']]
  return given.find((id): id is string => typeof id === 'string' && /^[\w.:/+=-]{1,128}$/.test(id)) ?? randomUUID()
}

function parseBody(body: Buffer): unknown {
  if (body.length === 0) return undefined
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch {
    // The parser's own message quotes the body, which may hold a password.
    throw malformed('The request body is not valid JSON')
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
