import type { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { TLSSocket } from 'node:tls'
import { type Clock, ConnectivityError, type Logger } from '@sallyport/core'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { admit, type Credentials } from '../access/admit.ts'
import type { IdentityTrust } from '../access/admit-identity-client.ts'
import type { Caller } from '../access/caller.ts'
import type { DestinationInstances } from '../access/destination-instances.ts'
import { chainVariablePrefix } from '../chains/chain-call.ts'
import { singleHeaders } from '../find/find-headers.ts'
import { type Answer, malformed } from './answer.ts'
import type { Route } from './route.ts'
import { sendAnswer } from './send-answer.ts'
import type { ServiceContext, ServiceRequest } from './service-request.ts'

/** What it takes to decide who may call, and where to say so. */
export interface RouteDeps {
  readonly context: ServiceContext
  readonly instances: DestinationInstances
  readonly identity: IdentityTrust | undefined
  readonly log: Logger
}

/** Adds a route of the REST API. */
export function serveRoute(app: FastifyInstance, route: Route, { context, instances, identity, log }: RouteDeps): void {
  const { verifier, clock } = context
  serve<Caller>(app, {
    method: route.method,
    path: route.path,
    description: route.description,
    clock,
    log,
    admit: (credentials) => admit(credentials, { verifier, instances, identity }),
    answer: (caller, request, { name = '' }) => route.answer({ ...request, caller }, context, name),
  })
}

/** A route with the way in which those who call it are admitted. */
export interface ServedRoute<Who> {
  readonly method: Route['method']
  readonly path: string
  readonly description?: Route['description']
  readonly clock: Clock
  readonly log: Logger
  admit(
    credentials: Credentials,
  ): Promise<{ readonly admitted: true; readonly caller: Who } | { readonly admitted: false; readonly answer: Answer }>
  answer(who: Who, request: Omit<ServiceRequest, 'caller'>, parameters: Readonly<Record<string, string>>): Promise<Answer>
}

/** Where a request keeps who was admitted with it: a property, because look-ups beside the request cost more than some requests themselves. */
const admittedCaller = Symbol('admitted caller')
type AdmittedRequest<Who> = FastifyRequest & { [admittedCaller]?: { readonly who: Who } }

/** Adds a route: it is decided who may call before the body is read. */
export function serve<Who>(app: FastifyInstance, route: ServedRoute<Who>): void {
  const { clock, log } = route
  const logOf = (request: FastifyRequest): Logger => log.child({ correlationId: request.id })
  app.route<{ Params: Record<string, string> }>({
    method: route.method,
    url: route.path,
    config: route.description === undefined ? {} : { description: route.description },
    onRequest: async (request, reply) => {
      refuseRepeatedHeaders(request.raw)
      const credentials = { authorization: request.headers.authorization, certificate: () => clientCertificateOf(request.raw) }
      const admission = await route.admit(credentials)
      if (!admission.admitted) {
        logOf(request).info({ status: admission.answer.status }, 'caller refused')
        return sendAnswer(reply, admission.answer, request.id)
      }
      ;(request as AdmittedRequest<Who>)[admittedCaller] = { who: admission.caller }
      return undefined
    },
    handler: async (request, reply) => {
      const caller = (request as AdmittedRequest<Who>)[admittedCaller]
      if (caller === undefined) throw new ConnectivityError('ACCESS_DENIED', 'The caller has not been admitted')
      const startedMs = clock.now()
      const { headers, body, id: correlationId } = request
      const query = request.query as URLSearchParams
      const own = whenUsed(() => logOf(request))
      const answer = await route.answer(caller.who, { headers, query, body, correlationId, log: own }, request.params)
      log.debug({ correlationId, route: route.path, status: answer.status, durationMs: clock.now() - startedMs }, 'request answered')
      return sendAnswer(reply, answer, request.id)
    },
  })
}

/** A logger that is made when there is something to log: most requests have nothing to say. */
function whenUsed(make: () => Logger): Logger {
  let made: Logger | undefined
  const log = (): Logger => (made ??= make())
  return {
    debug: (fields, message) => log().debug(fields, message),
    info: (fields, message) => log().info(fields, message),
    warn: (fields, message) => log().warn(fields, message),
    error: (fields, message) => log().error(fields, message),
    child: (fields) => log().child(fields),
  }
}

function clientCertificateOf({ socket }: IncomingMessage): X509Certificate | undefined {
  return socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
}

/** Node joins most headers that come twice, so only the raw list tells. */
function refuseRepeatedHeaders({ rawHeaders, headers }: IncomingMessage): void {
  // As many names as headers: nothing came twice.
  if (Object.keys(headers).length === rawHeaders.length / 2) return
  const seen = new Set<string>()
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]?.toLowerCase() ?? ''
    if (seen.has(name) && isSingle(name)) throw malformed(`The header ${name} must not be repeated`)
    seen.add(name)
  }
}

function isSingle(name: string): boolean {
  return singleHeaders.includes(name) || name.startsWith(chainVariablePrefix)
}
