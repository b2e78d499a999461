import { abortedError } from '@sallyport/core'

/** Waits for `work` no longer than the signal allows, also when `work` itself does not look at it. */
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
