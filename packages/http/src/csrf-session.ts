import { createHash } from 'node:crypto'
import type { Dispatcher } from 'undici'
import { maxCsrfSessions } from './limits.ts'
import type { PreparedRequest } from './prepare-request.ts'

/** What a server that guards against cross-site requests wants to see with a writing request: a token, and the session it belongs to. */
export interface CsrfSession {
  readonly token: string
  /** `name=value; …` */
  readonly cookie: string
}

/** Reads the answer to `x-csrf-token: Fetch`. `undefined` when it brings no token: the server wants none here. */
export function readCsrfSession(headers: Readonly<Record<string, string | string[] | undefined>>): CsrfSession | undefined {
  const token = [headers['x-csrf-token']].flat()[0] ?? ''
  if (token === '' || /^required$/i.test(token)) return undefined
  const cookies = [headers['set-cookie'] ?? []].flat().map((cookie) => (cookie.split(';')[0] ?? '').trim())
  return { token, cookie: cookies.filter((cookie) => cookie !== '').join('; ') }
}

/** Whether an answer says that the token was missing or is too old. The server has done nothing then. */
export function wantsCsrfToken(status: number, headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  return status === 403 && /^required$/i.test([headers['x-csrf-token']].flat()[0] ?? '')
}

/** The sessions of one client. */
export interface CsrfSessions {
  /** The session for whoever sends this request; opened where there is none. */
  of(request: PreparedRequest, open: () => Promise<CsrfSession | undefined>): Promise<CsrfSession | undefined>
  /** False when there was none. */
  forget(request: PreparedRequest): boolean
}

/**
 * Keeps sessions apart by pool, which is one principal's, and by what the request itself says of its sender: its `authorization` and
 * its cookies. A session never serves another user, and ends with the connections of its pool.
 */
export function createCsrfSessions(): CsrfSessions {
  const pools = new WeakMap<Dispatcher, Map<string, Promise<CsrfSession | undefined>>>()
  return {
    of(request, open) {
      const sessions = pools.get(request.pool) ?? new Map<string, Promise<CsrfSession | undefined>>()
      pools.set(request.pool, sessions)
      const sender = senderOf(request)
      const known = sessions.get(sender)
      if (known !== undefined) return known
      const session = open()
      sessions.set(sender, session)
      // Whoever waits for it is told; the next request tries again.
      session.catch(() => sessions.get(sender) === session && sessions.delete(sender))
      const [oldest] = sessions.keys()
      if (sessions.size > maxCsrfSessions && oldest !== undefined) sessions.delete(oldest)
      return session
    },
    forget: (request) => pools.get(request.pool)?.delete(senderOf(request)) ?? false,
  }
}

function senderOf({ headers }: PreparedRequest): string {
  return createHash('sha256')
    .update(JSON.stringify([headers['authorization'], headers['cookie']]))
    .digest('base64')
}
