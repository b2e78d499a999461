import { type Clock, ConnectivityError } from '@sallyport/core'
import type { TunnelServerLimits } from './limits.ts'
import { createLocationMap } from './location-map.ts'
import { formatTunnelId } from './tunnel-id.ts'

/** Where requests wait for a connector that has just gone and is expected back. */
export interface WaitingRoom<T> {
  /** The connector is gone: for a while, requests wait for it. */
  departed(subaccount: string, locationId: string): void
  /** The connector is there: everybody who waited gets it. */
  arrived(subaccount: string, locationId: string, value: T): void
  /** @throws ConnectivityError `CONNECTOR_NOT_CONNECTED`, `TUNNEL_NOT_OPENED`, `SERVICE_UNAVAILABLE`, `ABORTED`. */
  wait(subaccount: string, locationId: string, signal: AbortSignal): Promise<T>
  /** Nobody comes any more. */
  close(): void
}

/** An empty room; time and number of those who wait come from the limits. */
export function createWaitingRoom<T>(options: { readonly clock: Clock; readonly limits: TunnelServerLimits }): WaitingRoom<T> {
  const { clock, limits } = options
  const departures = createLocationMap<{ readonly atMs: number }>()
  const waiters = createLocationMap<Set<{ resolve(value: T): void; reject(error: Error): void }>>()
  let waiting = 0

  const isExpected = (subaccount: string, locationId: string): boolean => {
    const departure = departures.get(subaccount, locationId)
    return departure !== undefined && clock.elapsed() - departure.atMs < limits.openTimeoutMs
  }

  return {
    departed(subaccount, locationId) {
      // Too many at once means that the network is down for all; who is not remembered is told "not connected" and tries again.
      if (departures.size >= limits.maxDeparted) return
      const departure = { atMs: clock.elapsed() }
      departures.set(subaccount, locationId, departure)
      clock.after(limits.openTimeoutMs, () => {
        if (departures.get(subaccount, locationId) === departure) departures.delete(subaccount, locationId)
      })
    },
    arrived(subaccount, locationId, value) {
      departures.delete(subaccount, locationId)
      const here = waiters.get(subaccount, locationId)
      for (const waiter of here ?? []) waiter.resolve(value)
    },
    wait(subaccount, locationId, signal) {
      const tunnelId = formatTunnelId(subaccount, locationId)
      if (!isExpected(subaccount, locationId)) {
        const text = `no cloud connector is connected for ${tunnelId}: check that it runs and that the location ID is spelled the same, in upper and lower case`
        return Promise.reject(new ConnectivityError('CONNECTOR_NOT_CONNECTED', text, { details: { subaccount, locationId } }))
      }
      if (signal.aborted) return Promise.reject(endOfWait(signal, tunnelId))
      if (waiting >= limits.maxWaiting) {
        return Promise.reject(new ConnectivityError('SERVICE_UNAVAILABLE', `${waiting} requests are waiting for connectors already`))
      }
      return new Promise((resolve, reject) => {
        let here = waiters.get(subaccount, locationId)
        if (here === undefined) waiters.set(subaccount, locationId, (here = new Set()))
        const set = here
        const leave = (): void => {
          if (!set.delete(waiter)) return
          waiting--
          cancel()
          signal.removeEventListener('abort', onAbort)
          if (set.size === 0) waiters.delete(subaccount, locationId)
        }
        const waiter = {
          resolve(value: T) {
            leave()
            resolve(value)
          },
          reject(error: Error) {
            leave()
            reject(error)
          },
        }
        const onAbort = (): void => waiter.reject(endOfWait(signal, tunnelId))
        const cancel = clock.after(limits.openTimeoutMs, () => waiter.reject(notOpened(tunnelId)))
        waiting++
        set.add(waiter)
        signal.addEventListener('abort', onAbort, { once: true })
      })
    },
    close() {
      const error = new ConnectivityError('SERVICE_UNAVAILABLE', 'the tunnel server is stopping')
      for (const here of waiters.values()) for (const waiter of here) waiter.reject(error)
    },
  }
}

function notOpened(tunnelId: string, cause?: unknown): ConnectivityError {
  return new ConnectivityError('TUNNEL_NOT_OPENED', `timed out waiting for tunnel to open: ${tunnelId}`, { cause })
}

/** The caller's own error as it is, its deadline as the documented situation. */
function endOfWait(signal: AbortSignal, tunnelId: string): ConnectivityError {
  const reason: unknown = signal.reason
  if (ConnectivityError.is(reason)) return reason
  if (reason instanceof DOMException && reason.name === 'TimeoutError') return notOpened(tunnelId, reason)
  return new ConnectivityError('ABORTED', `waiting for ${tunnelId}: aborted by the caller`, { cause: reason })
}
