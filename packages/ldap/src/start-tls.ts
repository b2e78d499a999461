import type { Duplex } from 'node:stream'
import { readFirst } from '@sallyport/stream'
import { MalformedBer, writeElement } from './ber.ts'
import { resultError, violationError } from './ldap-errors.ts'
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
export async function requestStartTls(stream: Duplex, signal: AbortSignal, attempt: string): Promise<void> {
  let answer: LdapMessage | undefined
  let pendingBytes = 0
  const split = splitMessages(maxAnswerBytes, (message) => {
    pendingBytes -= message.length
    answer ??= readResponse(message)
  })
  const take = (chunk: Buffer): boolean => {
    try {
      pendingBytes += chunk.length
      split(chunk)
      if (answer === undefined) return false
      if (answer.operation !== extendedResponse || answer.id !== messageId || answer.result === undefined)
        throw new MalformedBer('the server answers something else than StartTLS')
      if (answer.result.resultCode === 0 && pendingBytes + stream.readableLength > 0)
        throw new MalformedBer('the server goes on in plain after it has agreed to TLS')
    } catch (error) {
      throw violationError(attempt, (error as Error).message)
    }
    if (answer.result.resultCode !== 0) throw resultError(`${attempt} with StartTLS`, answer.result)
    return true
  }
  const answered = readFirst(stream, { signal, attempt, take })
  if (!stream.destroyed) stream.write(request)
  await answered
}
