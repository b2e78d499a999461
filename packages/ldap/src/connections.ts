import type { Clock } from '@sallyport/core'
import { createConnectionPool, type PooledConnection } from '@sallyport/stream'
import { idleConnectionMs, maxConnections } from './limits.ts'
import type { LdapConnection, LdapUser } from './open-link.ts'

/** The connections of one client. Each carries one operation at a time, so that whatever happens to one concerns nobody else. */
export interface Connections {
  /** Hands out a connection for the time of `work`: an idle one, a new one, or the next that becomes free. */
  use<T>(signal: AbortSignal, work: (connection: LdapConnection) => Promise<T>): Promise<T>
  /** Opens a connection for another user, and goes on as that user from then on. When it fails everything stays as it was. */
  become(user: LdapUser, signal: AbortSignal): Promise<void>
  /** Goes on as that user, on connections that are opened from now on. */
  forget(user: LdapUser | undefined): void
  /** Says goodbye on all of them; those in use end when their operation does. */
  closeIdle(): Promise<void>
}

/** How a connection is opened; the signal ends the attempt. */
export interface ConnectionsDeps {
  readonly open: (user: LdapUser | undefined, signal: AbortSignal) => Promise<LdapConnection>
  readonly user: LdapUser | undefined
  readonly clock: Clock
}

/** Makes a pool that is empty until it is used. */
export function createConnections({ open, user: firstUser, clock }: ConnectionsDeps): Connections {
  let user = firstUser
  const pool = createConnectionPool({
    open: async (signal) => pooled(await open(user, signal)),
    maxConnections,
    idleMs: idleConnectionMs,
    clock,
    waiting: 'wait for a connection to the directory',
  })
  return {
    use: pool.use,
    become: (next, signal) =>
      pool.replace(signal, async () => {
        const connection = pooled(await open(next, signal))
        user = next
        return connection
      }),
    forget(next) {
      user = next
      pool.retire()
    },
    closeIdle: pool.closeIdle,
  }
}

function pooled({ link, session }: LdapConnection): LdapConnection & PooledConnection {
  return {
    link,
    session,
    get failure() {
      return link.failure
    },
    broken: link.broken,
    close: () => link.close(),
  }
}
