import { abortedError, type Clock } from '@sallyport/core'
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
  /** Changes with the user: connections of another generation are not used again. */
  let generation = 0
  let count = 0
  const idle = new Map<LdapConnection, () => void>()
  const waiters = new Set<() => void>()
  const goodbyes = new Set<Promise<void>>()

  const takeIdle = (): LdapConnection | undefined => {
    for (const [connection, cancel] of idle) {
      cancel()
      idle.delete(connection)
      if (connection.link.failure === undefined) return connection
    }
    return undefined
  }
  const discard = (connection: LdapConnection): Promise<void> => {
    const goodbye = connection.link.close()
    goodbyes.add(goodbye)
    return goodbye.finally(() => goodbyes.delete(goodbye))
  }
  const put = (connection: LdapConnection, ofGeneration: number): void => {
    if (connection.link.failure !== undefined || ofGeneration !== generation) void discard(connection)
    else {
      const leave = (): void => {
        idle.get(connection)?.()
        if (idle.delete(connection)) void discard(connection)
      }
      idle.set(connection, clock.after(idleConnectionMs, leave))
      connection.link.broken.catch(leave)
    }
  }
  /** One of the places, at once or when somebody else leaves it. */
  const takePlace = async (signal: AbortSignal): Promise<void> => {
    if (count < maxConnections) {
      count += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      waiters.delete(resolve)
      reject(abortedError(signal, 'wait for a connection to the directory'))
    }
    waiters.add(resolve)
    signal.addEventListener('abort', onAbort, { once: true })
    await promise.finally(() => signal.removeEventListener('abort', onAbort))
  }
  const leavePlace = (): void => {
    const [next] = waiters
    if (next === undefined) count -= 1
    else {
      waiters.delete(next)
      next()
    }
  }
  const closeIdle = async (): Promise<void> => {
    for (const [connection, cancel] of idle) {
      cancel()
      idle.delete(connection)
      void discard(connection)
    }
    await Promise.all(goodbyes)
  }

  const goOnAs = (next: LdapUser | undefined): void => {
    user = next
    generation += 1
  }

  return {
    forget: goOnAs,
    async use(signal, work) {
      await takePlace(signal)
      const ofGeneration = generation
      let connection: LdapConnection | undefined
      try {
        connection = takeIdle() ?? (await open(user, signal))
        return await work(connection)
      } finally {
        if (connection !== undefined) put(connection, ofGeneration)
        leavePlace()
      }
    },
    async become(next, signal) {
      await takePlace(signal)
      try {
        const connection = await open(next, signal)
        goOnAs(next)
        void closeIdle()
        put(connection, generation)
      } finally {
        leavePlace()
      }
    },
    closeIdle,
  }
}
