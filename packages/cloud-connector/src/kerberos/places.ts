import { ConnectivityError } from '@sallyport/core'

/** A fixed number of places that one piece of work at a time occupies, each known by its number. */
export interface Places {
  /** A free place, after a wait if there is none. @throws ConnectivityError `PRINCIPAL_NOT_ISSUED` when too many wait; the reason of the signal. */
  take(signal: AbortSignal): Promise<number>
  give(place: number): void
}

/** Makes places that are all free. Who has waited longest is first. */
export function createPlaces({ count, maxWaiting }: { readonly count: number; readonly maxWaiting: number }): Places {
  // The one that was given back last goes first, so that what belongs to the others can rest.
  const free = Array.from({ length: count }, (_, at) => count - 1 - at)
  const waiting = new Set<(place: number) => void>()
  return {
    take(signal) {
      const place = free.pop()
      if (place !== undefined) return Promise.resolve(place)
      if (waiting.size >= maxWaiting)
        return Promise.reject(new ConnectivityError('PRINCIPAL_NOT_ISSUED', `more than ${maxWaiting} requests wait for tickets`))
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          waiting.delete(onFree)
          reject(signal.reason as Error)
        }
        const onFree = (given: number): void => {
          signal.removeEventListener('abort', onAbort)
          resolve(given)
        }
        signal.addEventListener('abort', onAbort, { once: true })
        waiting.add(onFree)
        if (signal.aborted) onAbort()
      })
    },
    give(place) {
      const [next] = waiting
      if (next === undefined) return void free.push(place)
      waiting.delete(next)
      next(place)
    },
  }
}
