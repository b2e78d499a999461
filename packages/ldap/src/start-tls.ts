import type { Duplex } from 'node:stream'
import { abortedError } from '@sallyport/core'
import { MalformedBer, writeElement } from './ber.ts'
import { connectionError, resultError, violationError } from './ldap-errors.ts'
import { type LdapMessage, readResponse } from './ldap-message.ts'
import { splitMessages } from './message-split.ts'

const messageId = 1
const extendedResponse = 0x78
/** The answer holds no data. */
const maxAnswerBytes = 64 * 1024

/** RFC 4511 §4.14.1. */
const request = writeElement(
  0x30,
  Buffer.of(0x02, 0x01, messageId),
  writeElement(0x77, writeElement(0x80, Buffer.from('1.3.6.1.4.1.1466.20037', 'latin1'))),
)

/**
 * Asks the server to begin TLS, as the first thing on a stream, and waits until it agrees. After that the stream is the
 * handshake's. What comes behind the answer in plain was put there by somebody in between and ends the attempt.
 */
export function requestStartTls(stream: Duplex, signal: AbortSignal, attempt: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let answer: LdapMessage | undefined
    let pendingBytes = 0
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
    const onBreak = (error?: unknown): void => settle(connectionError(attempt, error))
    const split = splitMessages(maxAnswerBytes, (message) => {
      pendingBytes -= message.length
      answer ??= readResponse(message)
    })
    const onData = (chunk: Buffer): void => {
      try {
        pendingBytes += chunk.length
        split(chunk)
        if (answer === undefined) return
        if (answer.operation !== extendedResponse || answer.id !== messageId || answer.result === undefined)
          throw new MalformedBer('the server answers something else than StartTLS')
        if (answer.result.resultCode !== 0) settle(resultError(`${attempt} with StartTLS`, answer.result))
        else if (pendingBytes + stream.readableLength > 0) throw new MalformedBer('the server goes on in plain after it has agreed to TLS')
        else settle()
      } catch (error) {
        settle(violationError(attempt, (error as Error).message))
      }
    }
    if (signal.aborted) {
      onAbort()
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    stream.on('data', onData).on('error', onBreak).on('close', onBreak).on('end', onBreak)
    stream.write(request)
  })
}
