/** Connections that may be in use at the same time. */
export interface Places {
  /** One of the places: at once, or when it is this caller's turn. `false` when nobody left one in time, or too many wait. */
  take(signal: AbortSignal): Promise<boolean>
  leave(): void
}

/** How many there are (0 is no limit), and how long and how many may wait. */
export interface PlacesOptions {
  readonly limit: number
  readonly maxWaitMs: number
  readonly maxWaiters: number
  readonly after: (delayMs: number, callback: () => void) => () => void
}

/** Makes the places of one pool. First come, first served. */
export function createPlaces({ limit, maxWaitMs, maxWaiters, after }: PlacesOptions): Places {
  let taken = 0
  const waiters = new Set<() => void>()
  return {
    async take(signal) {
      signal.throwIfAborted()
      if (limit === 0 || taken < limit) {
        taken += 1
        return true
      }
      if (waiters.size >= maxWaiters) return false
      const { promise, resolve, reject } = Promise.withResolvers<boolean>()
      const turn = (): void => resolve(true)
      const onAbort = (): void => {
        // At once: whoever leaves a place in this very turn must not give it to somebody who has gone.
        waiters.delete(turn)
        reject(signal.reason as Error)
      }
      waiters.add(turn)
      const cancel = after(maxWaitMs, () => {
        waiters.delete(turn)
        resolve(false)
      })
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        return await promise
      } finally {
        cancel()
        signal.removeEventListener('abort', onAbort)
      }
    },
    leave() {
      const [next] = waiters
      if (next === undefined) taken -= 1
      else {
        waiters.delete(next)
        next()
      }
    },
  }
}
