import { randomBytes } from 'node:crypto'
import type { Clock } from '@sallyport/core'
import { maxNewSessions, maxUsedSessions, sessionIdleMs, sessionLifeMs } from '../limits.ts'
import type { KnownUser } from './user-store.ts'

/** A logged-on client that comes back with a cookie. */
export interface Session {
  /** Value of the cookie. */
  readonly id: string
  /** What changing requests send along, so that no foreign page can send them. */
  readonly token: string
  readonly user: KnownUser
  /** When it ends unless it is used again. */
  readonly endsAtMs: number
}

/** Sessions of this process; a restart ends them. */
export interface Sessions {
  open(user: KnownUser): Session
  /** The session of a cookie, which is used by that; `undefined` when there is none, or no longer. */
  use(id: string): Session | undefined
  close(id: string): void
  /** Ends all others, and gives the one that stays, if any, its user anew: after names, passwords or stores have changed. */
  closeOthers(id: string | undefined, user?: KnownUser): void
}

interface Kept extends Session {
  readonly openedAtMs: number
}

/**
 * Clients that log on with every call leave a session each that nobody uses, so those that have never been used are bounded by themselves and cannot push out
 * one that is.
 */
export function createSessions(clock: Clock): Sessions {
  const fresh = new Map<string, Kept>()
  const used = new Map<string, Kept>()

  const keep = (sessions: Map<string, Kept>, session: Kept, bound: number): Session => {
    // A map keeps the order of insertion: whoever is used last stands last.
    sessions.delete(session.id)
    const oldest = sessions.size < bound ? undefined : sessions.keys().next().value
    if (oldest !== undefined) sessions.delete(oldest)
    sessions.set(session.id, session)
    return session
  }
  const endOf = (openedAtMs: number): number => Math.min(clock.now() + sessionIdleMs, openedAtMs + sessionLifeMs)

  return {
    open(user) {
      const openedAtMs = clock.now()
      const session = { id: randomId(), token: randomId(), user, openedAtMs, endsAtMs: endOf(openedAtMs) }
      return keep(fresh, session, maxNewSessions)
    },
    use(id) {
      const session = fresh.get(id) ?? used.get(id)
      fresh.delete(id)
      if (session === undefined || session.endsAtMs <= clock.now()) {
        used.delete(id)
        return undefined
      }
      return keep(used, { ...session, endsAtMs: endOf(session.openedAtMs) }, maxUsedSessions)
    },
    close(id) {
      fresh.delete(id)
      used.delete(id)
    },
    closeOthers(id, user) {
      const staying = id === undefined ? undefined : (used.get(id) ?? fresh.get(id))
      fresh.clear()
      used.clear()
      if (staying !== undefined) used.set(staying.id, user === undefined ? staying : { ...staying, user })
    },
  }
}

function randomId(): string {
  return randomBytes(24).toString('base64url')
}
