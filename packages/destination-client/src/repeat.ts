import { type Clock, ConnectivityError, pause } from '@sallyport/core'
import { maxAttempts, retryPauseMs } from './limits.ts'

/**
 * Repeats a call that may be repeated while its error says that a later attempt may do better. Pauses double and are
 * spread at random, so that many clients do not return together; the signal bounds all attempts.
 */
export async function repeat<T>(
  call: () => Promise<T>,
  {
    clock,
    signal,
    attempt,
    random,
  }: { readonly clock: Clock; readonly signal: AbortSignal; readonly attempt: string; readonly random: () => number },
): Promise<T> {
  for (let count = 1; ; count++) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- attempts come one after the other
      return await call()
    } catch (error) {
      const again = ConnectivityError.is(error) && (error.code === 'SERVICE_UNAVAILABLE' || error.code === 'PEER_UNREACHABLE')
      if (!again || count >= maxAttempts || signal.aborted) throw error
      const pauseMs = retryPauseMs * 2 ** (count - 1) * (1 + random())
      // oxlint-disable-next-line no-await-in-loop -- the pause between two attempts
      await pause(clock, pauseMs, signal, attempt)
    }
  }
}
