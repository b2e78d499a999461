import { ConnectivityError } from './errors.ts'

/** Turns the abort of a signal into our error: `DEADLINE_EXCEEDED` for a timeout, `ABORTED` otherwise. `attempt` says what was being done. */
export function abortedError(signal: AbortSignal, attempt: string): ConnectivityError {
  const reason: unknown = signal.reason
  if (ConnectivityError.is(reason)) return reason
  const timedOut = reason instanceof DOMException && reason.name === 'TimeoutError'
  return new ConnectivityError(
    timedOut ? 'DEADLINE_EXCEEDED' : 'ABORTED',
    `${attempt}: ${timedOut ? 'no answer in time' : 'aborted by the caller'}`,
    { cause: reason },
  )
}

/** A signal that fires when the parent does or after `timeoutMs`, whichever is first. */
export function withDeadline(timeoutMs: number, parent?: AbortSignal): AbortSignal {
  const timeout = AbortSignal.timeout(timeoutMs)
  return parent === undefined ? timeout : AbortSignal.any([parent, timeout])
}

/** Waits for `work` no longer than the signal allows, also when `work` itself does not look at it. What `work` opens after that is its own to close. */
export async function underSignal<T>(work: Promise<T>, signal: AbortSignal, attempt: string): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(abortedError(signal, attempt))
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
