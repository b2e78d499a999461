import type { Duplex } from 'node:stream'
import { readFirst } from '@sallyport/stream'
import { violationError } from './imap-errors.ts'
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
  let held: Buffer = Buffer.alloc(0)
  const take = (chunk: Buffer): boolean => {
    held = Buffer.concat([held, chunk])
    const complete = held.includes('\r\n')
    if (!mayBeGreeting(held) || (!complete && held.length > maxGreetingBytes)) throw violationError(attempt)
    if (!complete) return false
    stream.pause()
    // Now: a stream that has ended already would say so in the next turn.
    stream.unshift(held)
    return true
  }
  return readFirst(stream, { signal, attempt, take })
}
