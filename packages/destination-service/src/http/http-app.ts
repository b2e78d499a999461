import { randomUUID, type X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { TLSSocket } from 'node:tls'
import { ConnectivityError, type Logger } from '@sallyport/core'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { type Answer, errorAnswer, malformed, refuse } from './answer.ts'
import type { IdentityTrust } from '../access/admit-identity-client.ts'
import { admit } from '../access/admit.ts'
import type { Caller } from '../access/caller.ts'
import type { DestinationInstances } from '../access/destination-instances.ts'
import { chainVariablePrefix } from '../chains/chain-call.ts'
import { singleHeaders } from '../find/find-headers.ts'
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
import { answerClientError, answerFastifyError } from './protocol-errors.ts'
import { routes } from './routes.ts'
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
      querystringParser: (text) => new URLSearchParams(text) as unknown as Record<string, unknown>,
    },
    frameworkErrors: (error, request, reply) => void send(reply, answerFastifyError(error), request.id),
    clientErrorHandler: answerClientError,
  }) as unknown as FastifyInstance

  const callers = new WeakMap<FastifyRequest, Caller>()
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
    return send(reply, answer, request.id)
  })
  app.setNotFoundHandler((request, reply) => send(reply, refuse(404, 'There is no such resource'), request.id))
  app.addHook('onRequest', async (request, reply) => {
    if (request.raw.url !== undefined && request.raw.url.length > maxUriLength) {
      return send(reply, refuse(414, `The URI must not be longer than ${maxUriLength} characters`), request.id)
    }
    return undefined
  })
  app.addHook('onResponse', async () => {
    // Node closes idle connections when it stops to listen; this one was not idle then.
    if (!app.server.listening) setImmediate(() => app.server.closeIdleConnections())
  })

  app.get('/health', async (request, reply) => {
    try {
      await context.repository.check()
      return send(reply, { status: 200, body: { status: 'UP' } }, request.id)
    } catch (error) {
      logOf(request).error({ code: codeOf(error), reason: reasonOf(error) }, 'the store does not answer')
      return send(reply, { status: 503, body: { status: 'DOWN' } }, request.id)
    }
  })

  for (const route of routes) {
    app.route<{ Params: { name?: string } }>({
      method: route.method,
      url: route.path,
      onRequest: async (request, reply) => {
        refuseRepeatedHeaders(request.raw)
        const credentials = { authorization: request.headers.authorization, certificate: () => clientCertificateOf(request.raw) }
        const admission = await admit(credentials, { verifier: context.verifier, ...deps })
        if (!admission.admitted) {
          logOf(request).info({ status: admission.answer.status }, 'caller refused')
          return send(reply, admission.answer, request.id)
        }
        callers.set(request, admission.caller)
        return undefined
      },
      handler: async (request, reply) => {
        const caller = callers.get(request)
        if (caller === undefined) throw new ConnectivityError('ACCESS_DENIED', 'The caller has not been admitted')
        const log = logOf(request)
        const startedMs = context.clock.now()
        const { headers, body, id: correlationId } = request
        const query = request.query as URLSearchParams
        const answer = await route.answer({ caller, headers, query, body, correlationId, log }, context, request.params.name ?? '')
        log.debug({ route: route.path, status: answer.status, durationMs: context.clock.now() - startedMs }, 'request answered')
        return send(reply, answer, request.id)
      },
    })
  }
  return app
}

/** The caller's own id when it can be shown in a log line, otherwise a new one. */
function correlationIdOf(request: { readonly headers: IncomingMessage['headers'] }): string {
  const given = [request.headers['x-request-id'], request.headers['x-vcap-request-id']]
  return given.find((id): id is string => typeof id === 'string' && /^[\w.:/+=-]{1,128}$/.test(id)) ?? randomUUID()
}

function clientCertificateOf({ socket }: IncomingMessage): X509Certificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
}

function refuseRepeatedHeaders(request: IncomingMessage): void {
  const variables = Object.keys(request.headersDistinct).filter((name) => name.startsWith(chainVariablePrefix))
  for (const name of [...singleHeaders, ...variables]) {
    if ((request.headersDistinct[name]?.length ?? 0) > 1) throw malformed(`The header ${name} must not be repeated`)
  }
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

function send(reply: FastifyReply, answer: Answer, correlationId: string): FastifyReply {
  reply.code(answer.status).headers({
    ...answer.headers,
    'x-request-id': correlationId,
    'x-vcap-request-id': correlationId,
    // Answers hold credentials; caches on the way must not keep them.
    'cache-control': 'no-store',
    // Somebody who keeps the connection open would keep a service from closing.
    ...(reply.server.server.listening ? {} : { connection: 'close' }),
  })
  if (answer.stream !== undefined) return reply.type('application/json').send(Readable.from(answer.stream, { objectMode: false }))
  if (answer.body !== undefined) return reply.type('application/json').send(JSON.stringify(answer.body))
  return reply.send()
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'UNKNOWN'
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown'
}
