import { type Clock, ConnectivityError, pause } from '@sallyport/core'
import { serviceLogonRetryMs, ticketGrantingMs, ticketMs } from '../limits.ts'

/** The log-on of the service user, which all its tickets share. How long ago something was is measured, not read from the time of day. */
export interface ServiceLogon {
  /**
   * Logs the service user on, unless that has been done a short time ago. After a failure nobody tries for a while, and all get that failure again.
   *
   * @throws ConnectivityError `PRINCIPAL_NOT_ISSUED`; the reason of the signal, and the others go on waiting. When the last who waited has gone, the attempt is
   * ended; the next one begins after the pause of a failure, because the key may have been shown. One for which there was no time left ends by itself.
   */
  ensure(signal: AbortSignal): Promise<void>
  /** Logs on anew because the KDC calls for it, but not twice in a short time: requests come faster than another log-on helps. @throws as {@link ensure}. */
  renew(signal: AbortSignal): Promise<void>
  /** Logs on in any case, except shortly after a failure: only that shows whether it can be done. A log-on that is good stays so if not. @throws as {@link ensure}. */
  prove(signal: AbortSignal): Promise<void>
  /** Ends an attempt that is under way; who waits for it gets the reason. */
  close(reason: Error): void
}

/** Makes one that has not logged on. `attempt` does it once, and has a deadline of its own, whoever waits for it. */
export function createServiceLogon(options: {
  readonly attempt: (signal: AbortSignal) => Promise<void>
  readonly clock: Clock
  readonly onFailed: (error: ConnectivityError) => void
}): ServiceLogon {
  const { attempt, clock, onFailed } = options
  const closing = new AbortController()
  let doneAtMs: number | undefined
  let failure: { readonly error: ConnectivityError; readonly atMs: number } | undefined
  let underWay: { readonly done: Promise<void>; readonly giveUp: () => void; waiting: number } | undefined
  let givenUpAtMs: number | undefined

  const isWithin = (atMs: number | undefined, ms: number): boolean => atMs !== undefined && clock.elapsed() - atMs < ms
  const perform = async (abandoned: AbortSignal): Promise<void> => {
    const pauseMs = givenUpAtMs === undefined ? 0 : givenUpAtMs + serviceLogonRetryMs - clock.elapsed()
    if (pauseMs > 0) await pause(clock, pauseMs, AbortSignal.any([closing.signal, abandoned]), 'log-on of the service user')
    let isRunning = true
    abandoned.addEventListener('abort', () => {
      if (isRunning) givenUpAtMs = clock.elapsed()
    })
    const late = new AbortController()
    const cancelLate = clock.after(ticketMs, () =>
      late.abort(new ConnectivityError('PRINCIPAL_NOT_ISSUED', 'the KDC does not answer in time', { details: { everybody: true } })),
    )
    try {
      await attempt(AbortSignal.any([late.signal, closing.signal, abandoned]))
      doneAtMs = clock.elapsed()
      failure = undefined
      givenUpAtMs = undefined
    } catch (error) {
      if (ConnectivityError.is(error) && !closing.signal.aborted && !abandoned.aborted) {
        failure = { error, atMs: clock.elapsed() }
        onFailed(error)
      }
      throw error
    } finally {
      isRunning = false
      cancelLate()
    }
  }
  const begin = (): NonNullable<typeof underWay> => {
    const abandoned = new AbortController()
    const forget = (): void => {
      if (underWay === begun) underWay = undefined
    }
    const begun = {
      done: perform(abandoned.signal).finally(forget),
      giveUp() {
        // Who comes now waits for another one.
        forget()
        abandoned.abort()
      },
      waiting: 0,
    }
    return begun
  }
  const logOnUnless = async (ageMs: number, signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted()
    if (isWithin(doneAtMs, ageMs)) return
    if (failure !== undefined && isWithin(failure.atMs, serviceLogonRetryMs)) throw failure.error
    // One for all who wait.
    const shared = (underWay ??= begin())
    shared.waiting++
    try {
      await raceWith(shared.done, signal)
    } finally {
      shared.waiting--
      if (shared.waiting === 0 && signal.aborted && !isOverTime(signal)) shared.giveUp()
    }
  }
  return {
    ensure: (signal) => logOnUnless(ticketGrantingMs, signal),
    renew(signal) {
      // The others need not find out as well.
      if (!isWithin(doneAtMs, serviceLogonRetryMs)) doneAtMs = undefined
      return logOnUnless(serviceLogonRetryMs, signal)
    },
    prove: (signal) => logOnUnless(0, signal),
    close: (reason) => closing.abort(reason),
  }
}

/** Whether a wait has ended because there was no time left, or everything is being stopped, and not because somebody has gone. */
function isOverTime(signal: AbortSignal): boolean {
  return ConnectivityError.is(signal.reason, 'PRINCIPAL_NOT_ISSUED')
}

function raceWith(shared: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error)
    signal.addEventListener('abort', onAbort, { once: true })
    shared.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}
