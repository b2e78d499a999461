import { abortedError, type Clock } from '@sallyport/core'

/** A connection that carries one piece of work at a time. */
export interface PooledConnection {
  /** Why it is not used any more; `undefined` while it works. */
  readonly failure: unknown
  /** Rejects when it breaks, also while nobody uses it. */
  readonly broken: Promise<never>
  /** Says goodbye. Never rejects, and ends in a time of its own. */
  close(): Promise<void>
}

/** The connections of one client, so that whatever happens to one concerns nobody else's work. */
export interface ConnectionPool<Connection extends PooledConnection> {
  /** Hands out a connection for the time of `work`: an idle one, a new one, or the next that becomes free. */
  use<T>(signal: AbortSignal, work: (connection: Connection) => Promise<T>): Promise<T>
  /** Opens a connection in another way and then uses none of the earlier ones again. When it fails everything stays as it was. */
  replace(signal: AbortSignal, open: () => Promise<Connection>): Promise<void>
  /** Uses none of the connections again that are open now. */
  retire(): void
  /** Says goodbye on all that are idle; those in use end when their work does, if they are retired or broken. */
  closeIdle(): Promise<void>
}

/** How many connections there may be, and how one is opened. */
export interface ConnectionPoolOptions<Connection extends PooledConnection> {
  readonly open: (signal: AbortSignal) => Promise<Connection>
  readonly maxConnections: number
  /** Connections that nobody has used for so long are closed. */
  readonly idleMs: number
  readonly clock: Clock
  /** For errors: what somebody waits for, e.g. `wait for a connection to the directory`. */
  readonly waiting: string
}

/** Makes a pool that is empty until it is used. */
export function createConnectionPool<Connection extends PooledConnection>({
  open,
  maxConnections,
  idleMs,
  clock,
  waiting,
}: ConnectionPoolOptions<Connection>): ConnectionPool<Connection> {
  /** Connections of another generation are not used again. */
  let generation = 0
  let count = 0
  const idle = new Map<Connection, () => void>()
  const waiters = new Set<() => void>()
  const goodbyes = new Set<Promise<void>>()

  const takeIdle = (): Connection | undefined => {
    for (const [connection, cancel] of idle) {
      cancel()
      idle.delete(connection)
      if (connection.failure === undefined) return connection
    }
    return undefined
  }
  const discard = (connection: Connection): Promise<void> => {
    const goodbye = connection.close()
    goodbyes.add(goodbye)
    return goodbye.finally(() => goodbyes.delete(goodbye))
  }
  const leave = (connection: Connection): void => {
    idle.get(connection)?.()
    if (idle.delete(connection)) void discard(connection)
  }
  const watched = (connection: Connection): Connection => {
    connection.broken.catch(() => leave(connection))
    return connection
  }
  const put = (connection: Connection, ofGeneration: number): void => {
    if (connection.failure !== undefined || ofGeneration !== generation) void discard(connection)
    else
      idle.set(
        connection,
        clock.after(idleMs, () => leave(connection)),
      )
  }
  /** One of the places, at once or when somebody else leaves it. */
  const takePlace = async (signal: AbortSignal): Promise<void> => {
    if (signal.aborted) throw abortedError(signal, waiting)
    if (count < maxConnections) {
      count += 1
      return
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const onAbort = (): void => {
      waiters.delete(resolve)
      reject(abortedError(signal, waiting))
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

  return {
    async use(signal, work) {
      await takePlace(signal)
      const ofGeneration = generation
      let connection: Connection | undefined
      try {
        connection = takeIdle() ?? watched(await open(signal))
        return await work(connection)
      } finally {
        if (connection !== undefined) put(connection, ofGeneration)
        leavePlace()
      }
    },
    async replace(signal, openAnother) {
      await takePlace(signal)
      try {
        const connection = watched(await openAnother())
        generation += 1
        void closeIdle()
        put(connection, generation)
      } finally {
        leavePlace()
      }
    },
    retire() {
      generation += 1
    },
    closeIdle,
  }
}
