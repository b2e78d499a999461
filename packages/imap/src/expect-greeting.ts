import type { Duplex } from 'node:stream'
import { abortedError } from '@sallyport/core'
import { streamError, violationError } from './imap-errors.ts'
import { maxGreetingBytes } from './limits.ts'

const beginnings = ['* OK', '* PREAUTH', '* BYE']

/** Whether a first line can be, or become, the greeting of an IMAP server (RFC 9051 §7.1). */
export function mayBeGreeting(bytes: Buffer): boolean {
  const text = bytes.toString('latin1', 0, 9).toUpperCase()
  return beginnings.some((beginning) => text.startsWith(beginning) || beginning.startsWith(text))
}

/**
 * Waits for the first line of a stream and puts it back. The library would wait for a greeting for a minute and more where
 * something else answers.
 *
 * @throws ConnectivityError `PROTOCOL_VIOLATION`; the stream is destroyed then.
 */
export function expectGreeting(stream: Duplex, signal: AbortSignal, attempt: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0)
    const settle = (error?: Error): void => {
      signal.removeEventListener('abort', onAbort)
      stream.off('data', onData).off('error', onBreak).off('close', onBreak).off('end', onBreak)
      stream.pause()
      if (error === undefined) resolve()
      else {
        // Whatever it says on its way down, the reason is known.
        stream.on('error', () => {})
        stream.destroy()
        reject(error)
      }
    }
    const onAbort = (): void => settle(abortedError(signal, attempt))
    const onBreak = (error?: unknown): void => settle(streamError(attempt, error))
    const onData = (chunk: Buffer): void => {
      held = Buffer.concat([held, chunk])
      const complete = held.includes('\r\n')
      if (!mayBeGreeting(held) || (!complete && held.length > maxGreetingBytes)) settle(violationError(attempt))
      else if (complete) {
        stream.pause()
        stream.unshift(held)
        settle()
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
