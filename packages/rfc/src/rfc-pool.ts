import { abortedError, type Clock, type RfcPoolSettings } from '@sallyport/core'
import { checkMs, maxWaiters } from './limits.ts'
import { createPlaces } from './places.ts'
import type { RfcConnection } from './rfc-binding.ts'
import { rfcError } from './rfc-errors.ts'

/** A connection for one user at a time. Who takes it gives it back. */
export interface RfcLease {
  readonly connection: RfcConnection
  /** To the pool: for the next user, or closed when there are enough. `stateful` clears the session before. */
  giveBack(stateful: boolean): Promise<void>
  /** Closes it: it is in a state that nobody knows. */
  discard(): void
}

/** The connections of one client, opened when they are needed (protocols.md 9.3). */
export interface RfcPool extends AsyncDisposable {
  /** @throws ConnectivityError `POOL_EXHAUSTED` at the limit, and whatever opening a connection throws. */
  lease(signal: AbortSignal, attempt: string): Promise<RfcLease>
}

/** What the pool is for. */
export interface RfcPoolDeps {
  readonly settings: RfcPoolSettings
  readonly open: (signal: AbortSignal) => Promise<RfcConnection>
  readonly clock: Clock
}

interface Idle {
  readonly connection: RfcConnection
  readonly sinceMs: number
}

/** Makes an empty pool. */
export function createRfcPool({ settings, open, clock }: RfcPoolDeps): RfcPool {
  const { capacity, peakLimit, maxWaitMs, expirationMs, expirationCheckMs, checkConnection } = settings
  const places = createPlaces({ limit: peakLimit, maxWaitMs, maxWaiters, after: (delayMs, callback) => clock.after(delayMs, callback) })
  /** The one that was used last is the last: it is taken first, so that those that are too many grow old. */
  const idle: Idle[] = []
  const leased = new Set<RfcLease>()
  const closing = new Set<Promise<void>>()
  let isClosed = false
  let cancelSweep: (() => void) | undefined

  const close = (connection: RfcConnection): Promise<void> => {
    const closed = connection.close().finally(() => closing.delete(closed))
    closing.add(closed)
    return closed
  }
  const sweep = (): void => {
    cancelSweep = undefined
    const limitMs = clock.now() - expirationMs
    while (idle[0] !== undefined && idle[0].sinceMs <= limitMs) void close(idle.shift()!.connection)
    armSweep()
  }
  const armSweep = (): void => {
    if (idle.length > 0) cancelSweep ??= clock.after(expirationCheckMs, sweep)
  }
  const isFit = async (connection: RfcConnection, signal: AbortSignal): Promise<boolean> => {
    if (!connection.isAlive) return false
    if (!checkConnection) return true
    try {
      await connection.ping(AbortSignal.any([signal, AbortSignal.timeout(checkMs)]))
      return true
    } catch {
      // That is the answer: a dead connection is replaced without a word. Whether the caller gave up is asked below.
      return false
    }
  }
  const takeIdle = async (signal: AbortSignal, attempt: string): Promise<RfcConnection | undefined> => {
    for (let last = idle.pop(); last !== undefined; last = idle.pop()) {
      if (await isFit(last.connection, signal)) return last.connection
      await close(last.connection)
      if (signal.aborted) throw abortedError(signal, attempt)
    }
    return undefined
  }
  const leaseOf = (connection: RfcConnection): RfcLease => {
    let isGivenBack = false
    const discard = (): void => {
      if (isGivenBack) return
      isGivenBack = true
      leased.delete(lease)
      void close(connection).then(() => places.leave())
    }
    const lease: RfcLease = {
      connection,
      discard,
      async giveBack(stateful) {
        if (isGivenBack) return
        if (isClosed || !connection.isAlive || idle.length >= capacity) {
          discard()
          return
        }
        try {
          if (stateful) await connection.reset(AbortSignal.timeout(checkMs))
        } catch {
          // The work itself is done and was good; only this connection is of no use for the next.
          discard()
          return
        }
        if (isClosed || idle.length >= capacity) {
          discard()
          return
        }
        isGivenBack = true
        leased.delete(lease)
        idle.push({ connection, sinceMs: clock.now() })
        armSweep()
        places.leave()
      },
    }
    leased.add(lease)
    return lease
  }

  return {
    async lease(signal, attempt) {
      let hasPlace: boolean
      try {
        hasPlace = await places.take(signal)
      } catch {
        throw abortedError(signal, attempt)
      }
      if (!hasPlace) {
        throw rfcError('RESOURCE', attempt, {
          text: `all ${peakLimit} connections are in use, and none came free in ${maxWaitMs} ms; look at jco.destination.peak_limit`,
          requestSent: false,
        })
      }
      try {
        const connection = (await takeIdle(signal, attempt)) ?? (await open(signal))
        // Disposed while it was being opened.
        if (isClosed || signal.aborted) {
          await close(connection)
          throw abortedError(signal, attempt)
        }
        return leaseOf(connection)
      } catch (error) {
        places.leave()
        throw signal.aborted ? abortedError(signal, attempt) : error
      }
    },
    async [Symbol.asyncDispose]() {
      isClosed = true
      cancelSweep?.()
      for (const lease of leased) lease.discard()
      for (const { connection } of idle.splice(0)) void close(connection)
      await Promise.all(closing)
    },
  }
}
