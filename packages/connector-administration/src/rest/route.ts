import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { type Caller, type Permission, permits, rolesWith } from '../access/roles.ts'
import type { HaRole } from '../document/administered-document.ts'
import { maxJsonBodyBytes, maxUploadBytes } from '../limits.ts'
import { checkBody } from './check-body.ts'
import { forbidden, invalidRequest, passwordChangeNeeded, RestError } from './rest-error.ts'
import { readUploadForm, type UploadForm } from './upload-form.ts'

/** What a route learns about a call. */
export interface Call<Body> {
  readonly caller: Caller
  readonly body: Body
  /** Parts of the body, where the route takes uploads. */
  readonly form: UploadForm
  /** Decoded members of the path, such as `subaccount`. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string>>
  readonly headers: FastifyRequest['headers']
  /** Absolute URI of a path of this API as the caller sees it, for links and `Location`. */
  url(path: string): string
  /** Of the client. */
  readonly address: string
  /** Connection of the client, which may have shown a certificate. */
  readonly socket: Socket
  /** Fires when the client has gone before it was answered. Its reason is a refusal that nobody will see. */
  readonly signal: AbortSignal
}

/** What a route answers: JSON unless `type` says otherwise; `undefined` as body is an empty answer. */
export interface Answer {
  readonly status: number
  readonly body?: unknown
  readonly type?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** One method of one path of the REST API. */
export interface Route<Schema extends z.ZodType = z.ZodType> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** As fastify writes paths, below the root: `/api/v1/configuration/connector`. */
  readonly path: string
  /** `everybody`: nobody is asked who he is, and the state of the installation does not matter. */
  readonly permission: Permission | 'everybody'
  /** Which instance answers; both when absent. What the other one says is 403, or the status given in `otherwise`. */
  readonly only?: 'master' | 'shadow'
  readonly otherwise?: 400 | 403
  /** Works before the initial password is changed, or before a role is chosen. */
  readonly before?: 'password-change' | 'role-choice'
  /** Shape of the JSON body; without it the body is not read. */
  readonly body?: Schema
  /** Takes `multipart/form-data` instead of JSON. */
  readonly upload?: true
  /**
   * What a call that is no `GET` changes of what a pair has in common: something, unless told, and the answer waits until that may be acknowledged, also when the
   * call only repeats a change that has not been yet. `if-needed` waits only after a call that has changed something, `nothing` never.
   */
  readonly shared?: 'nothing' | 'if-needed'
  handle(call: Call<z.output<Schema>>): Answer | Promise<Answer>
}

/** Checks that a body is used with its own type, and returns the route as it is. */
export function route<Schema extends z.ZodType>(definition: Route<Schema>): Route {
  return definition
}

/** The same routes, of what each instance of a pair has for itself. */
export function ofOneInstance(routes: readonly Route[]): readonly Route[] {
  return routes.map((each) => ({ ...each, shared: 'nothing' }))
}

/** Who calls, or `undefined` after it has answered the request itself, because nobody is known to. */
export type Authenticate = (request: FastifyRequest, reply: FastifyReply) => Promise<Caller | undefined>

/** What all routes have in common. */
export interface RouteSurroundings {
  readonly haRole: () => HaRole
  readonly authenticate: Authenticate
  /** Settles when what a call has done is in the audit log on disk. */
  readonly flushed: () => Promise<void>
  /** Settles when what is shared by a pair may be acknowledged; `what` is the call that has changed it, for people. @throws RestError that takes the place of the answer. */
  readonly confirm: (what: string) => Promise<void>
  /** Tells apart states of what is shared by a pair; the same text where there is none. */
  readonly sharedState: () => Promise<string>
}

/** Serves routes on the administration listener: who calls, whether he may, in which state, with which body; then the route. */
export function serveRoutes(server: FastifyInstance, routes: readonly Route[], surroundings: RouteSurroundings): void {
  server.addContentTypeParser('multipart/form-data', { parseAs: 'buffer', bodyLimit: maxUploadBytes }, (_request, body, done) =>
    done(null, body),
  )
  for (const each of [...routes, ...missingMethods(routes)]) {
    for (const url of aliasesOf(each.path)) {
      server.route({
        method: each.method,
        url,
        bodyLimit: each.upload === true ? maxUploadBytes : maxJsonBodyBytes,
        // Before the body is read: nobody sends one without being known.
        onRequest: async (request, reply) => {
          reply.header('cache-control', 'no-store')
          const caller = each.permission === 'everybody' ? nobody : await surroundings.authenticate(request, reply)
          if (caller === undefined) return reply
          callers.set(request, caller)
          return undefined
        },
        handler: (request, reply) => serve(each, callers.get(request) ?? nobody, request, reply, surroundings),
      })
    }
  }
}

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

/** What is there, but knows no such method, says so. */
function missingMethods(routes: readonly Route[]): readonly Route[] {
  return [...new Set(routes.map(({ path }) => path))].flatMap((path) => {
    const known = new Set(routes.filter((each) => each.path === path).map(({ method }) => method))
    return methods
      .filter((method) => !known.has(method))
      .map((method): Route => ({ method, path, permission: 'all', handle: () => refuseMethod(method, [...known]) }))
  })
}

function refuseMethod(method: string, known: readonly string[]): never {
  throw new RestError(405, 'INVALID_REQUEST', `${method} is not supported here; there is ${known.join(', ')}`)
}

const callers = new WeakMap<FastifyRequest, Caller>()
const nobody: Caller = { user: '', roles: [], initialPassword: false }

async function serve(
  each: Route,
  caller: Caller,
  request: FastifyRequest,
  reply: FastifyReply,
  surroundings: RouteSurroundings,
): Promise<FastifyReply> {
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort(new RestError(500, 'RUNTIME_FAILURE', 'the client has gone')))
  try {
    requireState(each, caller, surroundings.haRole())
    const before = each.shared === 'if-needed' ? await surroundings.sharedState() : undefined
    const answer = await each.handle({
      caller,
      body: each.body === undefined ? undefined : readBody(each.body, request),
      form: each.upload === true ? await readForm(request) : noForm,
      params: request.params as Record<string, string>,
      query: request.query as Record<string, string>,
      headers: request.headers,
      address: request.ip,
      socket: request.raw.socket,
      signal: gone.signal,
      url: (path) => `${request.protocol}://${request.headers.host ?? 'localhost'}${path}`,
    })
    if (each.method !== 'GET' && each.permission !== 'everybody') {
      await surroundings.flushed()
      const isConfirmed = each.shared === 'nothing' || (before !== undefined && before === (await surroundings.sharedState()))
      if (!isConfirmed) await surroundings.confirm(`${each.method} ${request.url.split('?')[0]}`)
    }
    reply.code(answer.status).headers(answer.headers ?? {})
    if (answer.body === undefined) return await reply.send()
    return await (answer.type === undefined ? reply.send(answer.body) : reply.type(answer.type).send(answer.body))
  } catch (error) {
    if (!(error instanceof RestError)) throw error
    return reply
      .code(error.status)
      .send({ type: error.type, message: error.message, ...(error.next === undefined ? {} : { next: error.next }) })
  }
}

function requireState(each: Route, caller: Caller, haRole: HaRole): void {
  if (each.permission === 'everybody') return
  if (caller.initialPassword && each.before !== 'password-change') throw forbidden(passwordChangeNeeded)
  if (each.permission !== 'authenticated' && !permits(each.permission, caller)) throw forbidden(explainRoles(each.permission, caller))
  if (haRole === 'undefined' && each.before === undefined)
    throw forbidden('method is not allowed for connector running with HA role undefined')
  if (each.only !== undefined && haRole !== each.only && haRole !== 'undefined') {
    const message = `method is not allowed for connector running with HA role ${haRole}`
    throw each.otherwise === 400 ? invalidRequest(message) : forbidden(message)
  }
}

function explainRoles(permission: Exclude<Permission, 'authenticated'>, { roles, user }: Caller): string {
  const wanted = `it takes one of the roles ${rolesWith(permission).join(', ')}; ask an administrator for one, or log on as another user`
  return roles.length === 0
    ? `the user ${user} has no role, and may do nothing: ${wanted}`
    : `the role ${roles.join(', ')} does not allow this: ${wanted}`
}

function readBody(schema: z.ZodType, request: FastifyRequest): unknown {
  // Without a body at all there is nothing whose type could be wrong; whether that is enough is the schema's matter.
  if (request.headers['content-type'] === undefined && (request.body === undefined || request.body === null)) {
    const read = schema.safeParse(undefined)
    if (read.success) return read.data
  }
  if (!/^application\/(?:[\w.+-]+\+)?json\b/i.test(request.headers['content-type'] ?? ''))
    throw new RestError(415, 'INVALID_REQUEST', 'the body has to be JSON, with Content-Type: application/json')
  return checkBody(schema, request.body)
}

async function readForm(request: FastifyRequest): Promise<UploadForm> {
  const type = request.headers['content-type'] ?? ''
  if (!/^multipart\/form-data\s*;/i.test(type) || !Buffer.isBuffer(request.body))
    throw new RestError(415, 'INVALID_REQUEST', 'the body has to be multipart/form-data')
  return readUploadForm(request.body, type)
}

const missing = (name: string): never => {
  throw invalidRequest(`the part "${name}" is missing`)
}
const noForm: UploadForm = { text: missing, file: missing, optionalText: () => undefined, files: () => [] }

/** The original spells one member of its paths in two ways. */
function aliasesOf(path: string): readonly string[] {
  return path.includes('/onPremises') ? [path, path.replace('/onPremises', '/onPremise')] : [path]
}
