import type { Duplex } from 'node:stream'
import { abortedError } from '@sallyport/core'
import { connectionError } from './stream-errors.ts'

/** Who reads the beginning of a stream, and what for. */
export interface ReadFirstOptions {
  readonly signal: AbortSignal
  readonly attempt: string
  /** Gets what arrives. `true` means that it has what it wants; what it throws ends the attempt. */
  readonly take: (chunk: Buffer) => boolean
}

/**
 * Reads the beginning of a stream, before it is given to somebody else: it is paused then, with nobody listening. On failure
 * it is destroyed.
 *
 * @throws ConnectivityError for a stream that ends or breaks first and for an abort; else what `take` throws.
 */
export function readFirst(stream: Duplex, { signal, attempt, take }: ReadFirstOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort)
      stream.off('data', onData).off('error', onBreak).off('close', onBreak).off('end', onBreak)
      stream.pause()
      if (error === undefined) {
        resolve()
        return
      }
      // Whatever it says on its way down, the reason is known.
      stream.on('error', () => {})
      stream.destroy()
      reject(error)
    }
    const onAbort = (): void => settle(abortedError(signal, attempt))
    const onBreak = (error?: unknown): void => settle(connectionError(attempt, error))
    const onData = (chunk: Buffer): void => {
      try {
        if (take(chunk)) settle()
      } catch (error) {
        settle(error as Error)
      }
    }
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    stream.on('error', onBreak).on('close', onBreak).on('end', onBreak).on('data', onData)
  })
}
