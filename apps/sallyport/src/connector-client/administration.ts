import { ConnectivityError, type ErrorCode } from '@sallyport/core'
import type { PinnedAnswer, PinnedCaller, PinnedRequest } from './pinned-call.ts'

/** Who is logged on to which connector. */
interface AdministrationSession {
  readonly user: string
  readonly roles: readonly string[]
  /** Still has the password of the installation, and may only change it. */
  readonly initialPassword: boolean
  readonly haRole: 'undefined' | 'master' | 'shadow'
  /** The file that decides alone, where nothing can be changed. */
  readonly configuredBy?: string
}

/** A part of a form: a text, or a file. */
type FormPart = readonly [name: string, content: string | Buffer]

/** The administration of one connector, over its REST API. Disposing it logs off. */
export interface Administration extends AsyncDisposable {
  readonly session: AdministrationSession
  readonly address: string
  /** @throws ConnectivityError that says what the connector said. */
  get<T>(path: string): Promise<T>
  /** As `get`; `undefined` for what is not there. */
  find<T>(path: string): Promise<T | undefined>
  /** Sends JSON. The answer is JSON, or `undefined` when it is empty. */
  send<T = undefined>(method: PinnedRequest['method'], path: string, body?: unknown): Promise<T>
  /** As `send`, for answers that are files, of the type that is wanted where there are several. */
  download(method: 'GET' | 'POST', path: string, body?: unknown, type?: string): Promise<Buffer>
  /** Sends a form. The answer is as that of `send`. */
  upload<T = undefined>(method: PinnedRequest['method'], path: string, parts: readonly FormPart[]): Promise<T>
}

const sessionPath = '/api/private/v1/session'

/** What a session is known by. */
export interface SessionProof {
  readonly cookie: string
  readonly token: string
}

/** Logs on with user and password. @throws ConnectivityError `ACCESS_DENIED` when they are not taken. */
export async function logOn(call: PinnedCaller, user: string, password: string): Promise<SessionProof> {
  const answer = await call({ method: 'POST', path: sessionPath, headers: json, body: JSON.stringify({ user, password }) })
  if (answer.status !== 200) throw refusalOf(answer, 'logging on')
  const [cookie = ''] = [answer.headers['set-cookie'] ?? ''].flat()
  return { cookie: cookie.split(';')[0] ?? '', token: String(answer.headers['x-csrf-token'] ?? '') }
}

const json = { 'content-type': 'application/json' }

/** Opens the administration in a session that is there already. */
export async function openAdministration(call: PinnedCaller, address: string, { cookie, token }: SessionProof): Promise<Administration> {
  const ask = async (request: PinnedRequest): Promise<PinnedAnswer> => {
    const answer = await call({ ...request, headers: { cookie, 'x-csrf-token': token, ...request.headers } })
    // An ended session is answered with a page for browsers.
    if (String(answer.headers['content-type'] ?? '').startsWith('text/html'))
      throw new ConnectivityError('ACCESS_DENIED', 'the session has ended meanwhile; run the command again')
    return answer
  }
  const session = readJson(await ask({ method: 'GET', path: sessionPath }), 'logging on') as AdministrationSession
  const requestOf = (method: PinnedRequest['method'], path: string, body: unknown): PinnedRequest =>
    body === undefined ? { method, path } : { method, path, headers: json, body: JSON.stringify(body) }
  const checked = (answer: PinnedAnswer, method: string, path: string): PinnedAnswer => {
    if (answer.status >= 300) throw refusalOf(answer, `${method} ${path}`, session)
    return answer
  }
  return {
    session,
    address,
    get: async <T>(path: string) => readJson(checked(await ask({ method: 'GET', path }), 'GET', path), path) as T,
    async find<T>(path: string) {
      const answer = await ask({ method: 'GET', path })
      return answer.status === 404 ? undefined : (readJson(checked(answer, 'GET', path), path) as T)
    },
    async send<T>(method: PinnedRequest['method'], path: string, body?: unknown) {
      const answer = checked(await ask(requestOf(method, path, body)), method, path)
      return (answer.body.length === 0 ? undefined : readJson(answer, path)) as T
    },
    async download(method, path, body, type) {
      const request = requestOf(method, path, body)
      const wanted = type === undefined ? {} : { accept: type }
      return checked(await ask({ ...request, headers: { ...request.headers, ...wanted } }), method, path).body
    },
    async upload<T>(method: PinnedRequest['method'], path: string, parts: readonly FormPart[]) {
      const form = new FormData()
      for (const [name, content] of parts) {
        if (typeof content === 'string') form.append(name, content)
        else form.append(name, new Blob([new Uint8Array(content)]), name)
      }
      const encoded = new Response(form)
      const body = Buffer.from(await encoded.arrayBuffer())
      const headers = { 'content-type': encoded.headers.get('content-type') ?? '' }
      const answer = checked(await ask({ method, path, headers, body }), method, path)
      return (answer.body.length === 0 ? undefined : readJson(answer, path)) as T
    },
    async [Symbol.asyncDispose]() {
      // One that is left open ends by itself.
      await ask({ method: 'DELETE', path: sessionPath }).catch(() => {})
      call[Symbol.dispose]()
    },
  }
}

function readJson(answer: PinnedAnswer, what: string): unknown {
  if (answer.status >= 300) throw refusalOf(answer, what)
  try {
    return JSON.parse(answer.body.toString('utf8')) as unknown
  } catch (cause) {
    throw new ConnectivityError('PROTOCOL_VIOLATION', `${what}: the answer is no JSON; is there a cloud connector at this address?`, {
      cause,
    })
  }
}

const codes: Readonly<Record<number, ErrorCode>> = {
  400: 'MESSAGE_INVALID',
  401: 'ACCESS_DENIED',
  403: 'ACCESS_DENIED',
  404: 'NOT_FOUND',
  409: 'CONFIGURATION_INVALID',
}

/** What the connector said, with what to do about it where its state is in the way. */
function refusalOf(answer: PinnedAnswer, what: string, session?: AdministrationSession): ConnectivityError {
  let message = `${what}: the connector answered ${answer.status}`
  let isTaken = false
  let told: string | undefined
  try {
    const body = JSON.parse(answer.body.toString('utf8')) as {
      readonly message?: unknown
      readonly next?: unknown
      readonly type?: unknown
    }
    if (typeof body.message === 'string') ({ message } = body as { message: string })
    if (typeof body.next === 'string') told = body.next
    isTaken = answer.status === 409 && body.type === 'INVALID_CONFIGURATION'
  } catch {
    // Not of a connector: the status says enough.
  }
  const next =
    told ?? (answer.status === 401 ? nextWithoutAccess : answer.status === 403 && session !== undefined ? nextOf(session) : undefined)
  return new ConnectivityError(codes[answer.status] ?? 'SERVICE_UNAVAILABLE', message, {
    details: { ...(next === undefined ? {} : { next }), ...(isTaken ? { isTaken } : {}) },
  })
}

const nextWithoutAccess = 'on the machine of the connector no password is needed: leave --user out, and name its data folder with --data'

/** What to do when the state of an installation is in the way. */
function nextOf({ configuredBy, haRole, initialPassword, user }: AdministrationSession): string | undefined {
  if (initialPassword) return `change the password of ${user} first (docs/connector-administration.md, "First log-on")`
  if (configuredBy !== undefined) return `change ${configuredBy}; a running connector takes it over by itself`
  if (haRole === 'undefined') return 'give the connector its role first: sallyport connector change-role master'
  if (haRole === 'shadow') return 'a shadow takes its configuration from the master: administer that one'
  return undefined
}
