import cookiePlugin from '@fastify/cookie'
import formPlugin from '@fastify/formbody'
import { ConnectivityError, type Clock, type Logger } from '@sallyport/core'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import {
  type AuthorizeDeps,
  type BrowserAnswer,
  type BrowserRequest,
  logOut,
  showAuthorize,
  submitAuthorize,
} from './authorize-endpoint.ts'
import { correlationIdOf } from './correlation.ts'
import { discoveryDocument } from './discovery.ts'
import type { KeyRing } from './key-ring.ts'
import { keySetMaxAgeSeconds, maxBodyBytes, maxHeadBytes } from './limits.ts'
import type { ListenerSocket } from './listener.ts'
import { messagePage, pageHeaders } from './log-on-page.ts'
import type { RandomSource } from './random.ts'
import { parseParameters } from './request-parameters.ts'
import { namedTenant } from './tenant-selection.ts'
import { answerTokenRequest, type GrantDeps, type TokenRequest } from './token-endpoint.ts'
import { answerUserInfo } from './user-info-endpoint.ts'
import { brokenRequestAnswer, type ErrorAnswer, refusal, toErrorAnswer } from './token-errors.ts'

/** What the routes need; the same objects for every listener. */
export interface HttpServerDeps extends GrantDeps, AuthorizeDeps {
  readonly keys: KeyRing
  readonly clock: Clock
  readonly random: RandomSource
  readonly log: Logger
}

/** What is known about a request when it is logged. */
interface RequestFacts {
  readonly startedMs: number
  noted: Readonly<Record<string, string>>
  code: string | undefined
}

const methodsOf: Readonly<Record<string, string>> = {
  '/oauth/token': 'POST',
  '/oauth/authorize': 'GET, HEAD, POST',
  '/logout.do': 'GET, HEAD',
  '/token_keys': 'GET, HEAD',
  '/userinfo': 'GET, HEAD, POST',
  '/.well-known/openid-configuration': 'GET, HEAD',
  '/oauth/token/.well-known/openid-configuration': 'GET, HEAD',
  '/health': 'GET, HEAD',
}

/** Puts the routes on a listener. Every listener has the same ones, with the same keys behind them. */
export function createHttpServer(socket: ListenerSocket, deps: HttpServerDeps): FastifyInstance {
  const { keys, clock, random, log } = deps
  const facts = new WeakMap<FastifyRequest, RequestFacts>()
  const app = Fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    genReqId: (raw) => correlationIdOf(raw.headers, random),
    requestIdHeader: false,
    // A handler parses the query itself, bounded and together with the body.
    routerOptions: { querystringParser: () => ({}) },
    serverFactory: (handler) => socket.createServer(handler),
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => void sendError(request, reply, toErrorAnswer(error)),
    clientErrorHandler(error, connection) {
      const { status, reason, ...answer } = brokenRequestAnswer((error as NodeJS.ErrnoException).code)
      if (!connection.writable || (connection as { bytesWritten?: number }).bytesWritten === undefined) {
        connection.destroy()
        return
      }
      const body = JSON.stringify({ error: answer.error, error_description: answer.description })
      connection.end(
        `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
      )
    },
  })

  app.removeAllContentTypeParsers()
  void app.register(formPlugin, { bodyLimit: maxBodyBytes, parser: (text: string) => ({ text }) })
  void app.register(cookiePlugin)

  app.addHook('onRequest', async (request, reply) => {
    facts.set(request, { startedMs: clock.now(), noted: {}, code: undefined })
    void reply.headers({
      'x-vcap-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      pragma: 'no-cache',
    })
    if (request.raw.httpVersion === '1.1' && request.headers.host === undefined)
      throw refusal(400, 'invalid_request', 'The Host header is missing')
  })
  app.addHook('onResponse', async (request, reply) => {
    const known = facts.get(request)
    const fields = {
      correlationId: request.id,
      ...known?.noted,
      ...(known?.code === undefined ? {} : { code: known.code }),
      // The route, not the path: what a client writes there may be a secret in the wrong place.
      route: request.routeOptions.url ?? '',
      status: reply.statusCode,
      ...(known === undefined ? {} : { durationMs: clock.now() - known.startedMs }),
    }
    if (reply.statusCode < 400) log.debug(fields, 'request answered')
    else log.info(fields, 'request refused')
  })
  app.setErrorHandler(async (error, request, reply) => {
    const answer = toErrorAnswer(error)
    const known = facts.get(request)
    if (known !== undefined) known.code = answer.error
    if (answer.status === 500) log.error({ correlationId: request.id, ...known?.noted, ...failureFields(error) }, 'request failed')
    return sendError(request, reply, answer)
  })
  app.setNotFoundHandler(async (request, reply) => {
    const allowed = methodsOf[pathOf(request)]
    if (allowed === undefined)
      return sendError(request, reply, { status: 404, error: 'not_found', description: 'There is nothing at this path' })
    return sendError(request, reply.header('allow', allowed), {
      status: 405,
      error: 'invalid_request',
      description: `Only ${allowed} is possible here`,
    })
  })

  const noteFor =
    (request: FastifyRequest): TokenRequest['note'] =>
    (noted) => {
      const known = facts.get(request)
      if (known !== undefined) known.noted = { ...known.noted, ...noted }
    }

  app.post('/oauth/token', async (request) =>
    answerTokenRequest(
      {
        parameters: parseParameters(queryOf(request), bodyOf(request)),
        authorization: request.headers.authorization,
        zidHeader: headerOf(request, 'x-zid'),
        host: request.headers.host,
        certificate: socket.certificateOf(request.raw.socket),
        note: noteFor(request),
      },
      deps,
    ),
  )

  app.route({
    // The standard wants both.
    method: ['GET', 'POST'],
    url: '/userinfo',
    handler: (request) => answerUserInfo({ authorization: request.headers.authorization, note: noteFor(request) }, deps),
  })

  app.get('/token_keys', async (request, reply) => {
    const parameters = parseParameters(queryOf(request))
    const zid = parameters.get('zid')
    // To the official clients 400 means "this token is not for you", which is true of a token that names a tenant nobody knows.
    if (zid !== undefined && (await deps.tenants.findById(zid)) === undefined)
      throw refusal(400, 'invalid_request', 'There is no tenant with this zid')
    await namedTenant(
      { parameters, zidHeader: headerOf(request, 'x-zid'), host: request.headers.host },
      { tenants: deps.tenants, address: deps.address() },
    )
    void reply.header('cache-control', `public, max-age=${keySetMaxAgeSeconds}`).removeHeader('pragma')
    return { keys: await keys.publicKeys() }
  })

  for (const path of ['/.well-known/openid-configuration', '/oauth/token/.well-known/openid-configuration']) {
    app.get(path, async (request) => {
      const hints = { parameters: new Map<string, string>(), zidHeader: undefined, host: request.headers.host }
      return discoveryDocument(deps.address(), await namedTenant(hints, { tenants: deps.tenants, address: deps.address() }))
    })
  }

  app.get('/health', async () => {
    await keys.signingKey()
    return { status: 'ok' }
  })

  app.get('/oauth/authorize', async (request, reply) => sendBrowserAnswer(reply, await showAuthorize(browserRequest(request), deps)))
  app.post('/oauth/authorize', async (request, reply) => {
    const submitted = {
      fields: parseParameters(bodyOf(request)),
      origin: request.headers.origin,
      fetchSite: headerOf(request, 'sec-fetch-site'),
    }
    return sendBrowserAnswer(reply, await submitAuthorize(browserRequest(request), submitted, deps))
  })
  app.get('/logout.do', async (request, reply) => sendBrowserAnswer(reply, await logOut(browserRequest(request), deps)))

  function browserRequest(request: FastifyRequest): BrowserRequest {
    const query = queryOf(request)
    return {
      parameters: parseParameters(query),
      query,
      cookies: request.cookies,
      secure: socket.secure,
      remoteAddress: request.raw.socket.remoteAddress ?? '',
      zidHeader: undefined,
      host: request.headers.host,
    }
  }

  return app
}

function sendBrowserAnswer(reply: FastifyReply, answer: BrowserAnswer): FastifyReply {
  for (const { name, value, secure, sameSite } of answer.cookies) {
    void reply.setCookie(name, value ?? '', { path: '/', httpOnly: true, secure, sameSite, ...(value === undefined ? { maxAge: 0 } : {}) })
  }
  if (answer.kind === 'redirect') return reply.redirect(answer.location, answer.status)
  return reply.code(answer.status).headers(answer.headers).send(answer.html)
}

/** JSON for programs, and a page for a browser on the pages' routes. */
function sendError(request: FastifyRequest, reply: FastifyReply, answer: ErrorAnswer): FastifyReply {
  void reply.code(answer.status)
  if (answer.retryAfterSeconds !== undefined) void reply.header('retry-after', String(answer.retryAfterSeconds))
  if (answer.status === 401 && /^basic /i.test(request.headers.authorization ?? ''))
    void reply.header('www-authenticate', 'Basic realm="token service"')
  const path = pathOf(request)
  const wantsPage = (path === '/oauth/authorize' || path === '/logout.do') && (request.headers.accept ?? '').includes('text/html')
  if (wantsPage) return reply.headers(pageHeaders([])).send(messagePage('This did not work', `${answer.description}.`))
  return reply.send({ error: answer.error, error_description: answer.description })
}

/** What a log may say of a defect: our code and text, or the kind of a foreign error and where it arose. Foreign texts may quote what they choked on. */
function failureFields(error: unknown): Readonly<Record<string, string>> {
  if (ConnectivityError.is(error)) {
    const cause = error.cause instanceof Error ? { cause: `${error.cause.name}: ${error.cause.message}` } : {}
    return { code: error.code, reason: error.message, ...cause }
  }
  if (!(error instanceof Error)) return { reason: typeof error }
  const [, ...frames] = (error.stack ?? '').split('\n    at ')
  return { reason: error.name, at: frames.slice(0, 5).join(' < ') }
}

function pathOf(request: FastifyRequest): string {
  return (request.raw.url ?? '').split('?', 1)[0] ?? ''
}

function queryOf(request: FastifyRequest): string {
  const url = request.raw.url ?? ''
  const mark = url.indexOf('?')
  return mark === -1 || url.length > maxHeadBytes ? '' : (url.slice(mark + 1).split('#', 1)[0] ?? '')
}

function bodyOf(request: FastifyRequest): string {
  const body = request.body as { readonly text: string } | undefined
  return body?.text ?? ''
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value.join(',') : value
}
