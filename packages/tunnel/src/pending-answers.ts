import { abortedError, type Clock, ConnectivityError } from '@sallyport/core'

/** Requests of one kind whose answers come back in the order they were asked. */
export interface PendingAnswers<T> {
  /** Sends and waits. @throws ConnectivityError `DEADLINE_EXCEEDED`, `ABORTED`, `SERVICE_UNAVAILABLE` when too many wait, or what `failAll` is given. */
  ask(send: () => void, signal: AbortSignal | undefined): Promise<T>
  /** The next answer. `false`: nobody asked. */
  answer(value: T): boolean
  /** The next answer is an error. `false`: nobody asked. */
  refuse(error: Error): boolean
  failAll(error: Error): void
}

/** @param what is asked for, in messages to people. */
export function createPendingAnswers<T>(options: {
  readonly what: string
  readonly clock: Clock
  readonly timeoutMs: number
  readonly max: number
}): PendingAnswers<T> {
  /** Who has stopped waiting keeps its place until the answer comes, so that the next one does not get it. */
  const waiting: { settle(outcome: { readonly value: T } | { readonly error: Error }): void }[] = []
  return {
    ask(send, signal) {
      if (signal?.aborted === true) return Promise.reject(abortedError(signal, options.what))
      if (waiting.length >= options.max) {
        return Promise.reject(new ConnectivityError('SERVICE_UNAVAILABLE', `${options.what}: ${options.max} requests are waiting already`))
      }
      return new Promise((resolve, reject) => {
        send()
        const finish = (act: () => void): void => {
          cancel()
          signal?.removeEventListener('abort', onAbort)
          act()
        }
        const onAbort = (): void => {
          if (signal !== undefined) finish(() => reject(abortedError(signal, options.what)))
        }
        const cancel = options.clock.after(options.timeoutMs, () => {
          finish(() => reject(new ConnectivityError('DEADLINE_EXCEEDED', `${options.what}: no answer in ${options.timeoutMs} ms`)))
        })
        signal?.addEventListener('abort', onAbort, { once: true })
        waiting.push({
          settle: (outcome) => finish(() => ('value' in outcome ? resolve(outcome.value) : reject(outcome.error))),
        })
      })
    },
    answer(value) {
      const next = waiting.shift()
      next?.settle({ value })
      return next !== undefined
    },
    refuse(error) {
      const next = waiting.shift()
      next?.settle({ error })
      return next !== undefined
    },
    failAll(error) {
      for (const one of waiting.splice(0)) one.settle({ error })
    },
  }
}
