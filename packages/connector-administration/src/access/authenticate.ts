import type { FastifyReply, FastifyRequest } from 'fastify'
import { checkLoginHtml } from '../document/login-information.ts'
import { maxCredentialsCharacters } from '../limits.ts'
import type { Authenticate } from '../rest/route.ts'
import type { Credentials, ProveUser } from './prove-user.ts'
import type { Caller } from './roles.ts'
import type { Session, Sessions } from './sessions.ts'
import type { KnownUser } from './user-store.ts'

/** Name of the cookie, which clients of the original know. */
export const sessionCookie = 'JSESSIONID'

/** What stands on the page has been checked when it was set; what has come by another way is checked again. */
function logOnPage(information: string): string {
  const shown = checkLoginHtml(information) === undefined ? information : ''
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Log on</title></head>
<body><p>Your session has ended. Log on again.</p>${shown}</body></html>
`
}

/**
 * Finds out who calls: by a session (cookie, and a token for whatever changes something), or by user and password, which open one. Clients that send user and
 * password with every call need no token (cloud-connector.md §8.2).
 */
export function createAuthenticate(options: {
  readonly proveUser: ProveUser
  readonly sessions: Sessions
  /** Whether a user has to change his password before anything else. */
  readonly hasInitialPassword: (name: string) => boolean
  /** HTML on the page that says that a session has ended. */
  readonly loginInformation: () => string
}): Authenticate {
  const { hasInitialPassword, loginInformation, proveUser, sessions } = options
  const callerOf = (user: KnownUser, session?: Session): Caller => ({
    user: user.name,
    roles: user.roles,
    initialPassword: hasInitialPassword(user.name),
    session: session?.id,
  })

  return async (request, reply) => {
    const closing = /\bclose\b/i.test(request.headers.connection ?? '')
    const changing = request.method !== 'GET' && request.method !== 'HEAD'
    if (changing && isForeign(request)) return await refuse(reply, 'the request comes from a page of another host')
    const id = cookieOf(request)
    const session = id === undefined ? undefined : sessions.use(id)
    if (session !== undefined) {
      if (closing) sessions.close(session.id)
      if (changing && request.headers['x-csrf-token'] !== session.token)
        return await refuse(reply, 'the header X-CSRF-Token is missing, or is not the one of this session')
      return callerOf(session.user, closing ? undefined : session)
    }
    const proof = await proveUser({ socket: request.raw.socket, address: request.ip }, readBasic(request.headers.authorization))
    if (proof.kind === 'refused') {
      if (!proof.tried && id !== undefined) {
        await reply
          .code(200)
          .header('content-security-policy', "default-src 'none'")
          .type('text/html; charset=utf-8')
          .send(logOnPage(loginInformation()))
        return undefined
      }
      if (proof.withPassword) reply.header('www-authenticate', 'Basic realm="cloud connector", charset="UTF-8"')
      return await unknown(reply, proof.reason)
    }
    const { user } = proof
    if (closing) return callerOf(user)
    const opened = sessions.open(user)
    reply.headers(sessionHeaders(opened))
    return callerOf(user, opened)
  }
}

/** What a client needs to come back to its session. */
export function sessionHeaders({ id, token }: Session): Readonly<Record<string, string>> {
  return { 'set-cookie': `${sessionCookie}=${id}; Path=/; Secure; HttpOnly; SameSite=Strict`, 'x-csrf-token': token }
}

/** Browsers add user and password, and certificates, by themselves; what tells their own pages from others is the origin. */
function isForeign({ headers }: FastifyRequest): boolean {
  const { origin } = headers
  if (origin === undefined) return headers['sec-fetch-site'] === 'cross-site'
  return URL.parse(origin)?.host !== headers.host
}

async function refuse(reply: FastifyReply, message: string): Promise<undefined> {
  await reply.code(403).send({ type: 'FORBIDDEN_REQUEST', message })
}

async function unknown(reply: FastifyReply, message: string): Promise<undefined> {
  await reply.code(401).send({ type: 'UNAUTHORIZED', message })
}

function cookieOf({ headers }: FastifyRequest): string | undefined {
  return /(?:^|;\s*)JSESSIONID=([\w.-]{1,128})/.exec(headers.cookie ?? '')?.[1]
}

/** User and password of an `Authorization` header. */
function readBasic(header: string | undefined): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+=*)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined || encoded.length > maxCredentialsCharacters) return undefined
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? []
  return name === undefined || password === undefined ? undefined : { name, password }
}
