import type { Duplex } from 'node:stream'
import type { Clock, ConnectivityError } from '@sallyport/core'
import { connectionError } from '@sallyport/stream'
import { createByteReader } from './byte-reader.ts'
import { createUnstuffer } from './dot-stuffing.ts'
import { maxLineBytes } from './limits.ts'
import { endedError, timeoutError, violationError } from './pop3-errors.ts'
import { type Status, tryParseStatus } from './status-line.ts'

/** A conversation over one stream, which it owns: lines out, lines and messages in. Whatever goes wrong ends it. */
export interface Dialogue {
  /** Why nothing can be said any more. */
  readonly failure: ConnectivityError | undefined
  /** Says what is done from now on, for errors. */
  attempt: string
  /** Sends a line; `shown` is what a log may have of it. */
  send(line: string, shown?: string): void
  /** The next line without its end, whatever it is. */
  readLine(): Promise<string>
  /** The next line, which has to be a status. */
  readStatus(): Promise<Status>
  /** The lines of a multi-line answer, of which there are at most so many bytes. */
  readLines(maxBytes: number): Promise<readonly string[]>
  /** The body of a multi-line answer, as it comes. It has to be read to its end before anything else is asked for. */
  readBody(maxBytes: number): AsyncGenerator<Buffer, void, undefined>
  /** Goes on over another stream on top of this one. What has arrived before is thrown away; the result says how much that was. */
  upgrade(secure: (stream: Duplex) => Promise<Duplex>): Promise<number>
  /** Ends the connection at once. The first error stays. */
  fail(error: ConnectivityError): void
  /** Ends the connection; settles when it is closed. */
  close(): Promise<void>
}

/** What a dialogue needs besides its stream. */
export interface DialogueOptions {
  readonly name: string
  readonly attempt: string
  readonly clock: Clock
  /** Longest silence while an answer is awaited. */
  readonly timeoutMs: number
  /** Sees every line but those of messages. */
  readonly trace: (direction: 'sent' | 'received', line: string) => void
}

/** Begins a conversation. @throws by its methods only, and ConnectivityError only. */
export function createDialogue(first: Duplex, { name, attempt: firstAttempt, clock, timeoutMs, trace }: DialogueOptions): Dialogue {
  let stream = first
  let reader = createByteReader(stream, leaveEnded)
  let failure: ConnectivityError | undefined
  const ignore = (): void => {}

  const fail = (error: ConnectivityError): void => {
    failure ??= error
    reader.fail(failure)
    // The reader has let go of it, or hears of it; the reason is known.
    stream.on('error', ignore)
    stream.destroy()
  }
  /** A server that has ended is left at once and not at the next command; what came before counts. */
  function leaveEnded(): void {
    if (failure === undefined && reader.isOver) fail(connectionError(dialogue.attempt))
  }
  const violate = (what: string): ConnectivityError => {
    fail(violationError(dialogue.attempt, what))
    return failure as ConnectivityError
  }
  /** The end of the stream is never an answer. */
  const next = async (): Promise<Buffer> => {
    if (failure !== undefined) throw failure
    const cancel = clock.after(timeoutMs, () => fail(timeoutError(dialogue.attempt, timeoutMs)))
    try {
      const chunk = await reader.next()
      if (chunk !== undefined) return chunk
      fail(connectionError(dialogue.attempt))
    } catch (error) {
      fail(connectionError(dialogue.attempt, error))
    } finally {
      cancel()
    }
    throw failure as unknown as ConnectivityError
  }

  const readLine = async (): Promise<string> => {
    let held: Buffer = Buffer.alloc(0)
    for (;;) {
      held = Buffer.concat([held, await next()])
      const end = held.indexOf('\r\n')
      if ((end < 0 ? held.length - 1 : end) > maxLineBytes) throw violate(`the server sends a line of more than ${maxLineBytes} bytes`)
      if (end < 0) continue
      reader.putBack(held.subarray(end + 2))
      const line = held.toString('utf8', 0, end)
      trace('received', line)
      leaveEnded()
      return line
    }
  }

  async function* readBody(maxBytes: number): AsyncGenerator<Buffer, void, undefined> {
    const unstuff = createUnstuffer()
    let total = 0
    let complete = false
    try {
      while (!complete) {
        const { body, rest } = unstuff(await next())
        if (rest !== undefined) {
          reader.putBack(rest)
          complete = true
        }
        // A message of many dotted lines comes in as many pieces; one copy costs less than a turn for each.
        const part = body.length === 1 && body[0] !== undefined ? body[0] : Buffer.concat(body)
        total += part.length
        if (total > maxBytes) throw violate(`the answer is larger than ${maxBytes} bytes`)
        if (part.length > 0) yield part
      }
    } finally {
      // Nobody else could tell the rest of it from the next answer.
      if (!complete) fail(endedError(name))
      leaveEnded()
    }
  }

  const dialogue: Dialogue = {
    attempt: firstAttempt,
    get failure() {
      return failure
    },
    send(line, shown = line) {
      if (failure !== undefined) throw failure
      trace('sent', shown)
      stream.write(`${line}\r\n`)
    },
    readLine,
    async readStatus() {
      const status = tryParseStatus(await readLine())
      if (status === undefined) throw violate('the server answers with something else than +OK or -ERR')
      return status
    },
    async readLines(maxBytes) {
      const parts: Buffer[] = []
      for await (const part of readBody(maxBytes)) parts.push(part)
      const lines = Buffer.concat(parts).toString('utf8').split('\r\n')
      if (lines.pop() !== '') throw violate('the answer ends in the middle of a line')
      return lines
    },
    readBody,
    async upgrade(secure) {
      const discarded = reader.release()
      // Failures from here on are those of the handshake, which destroys the stream.
      stream.on('error', ignore)
      const under = stream
      stream = await secure(under)
      stream.once('close', () => under.destroy())
      reader = createByteReader(stream, leaveEnded)
      if (failure !== undefined) fail(failure)
      return discarded
    },
    fail,
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      if (stream.closed) resolve()
      else stream.once('close', () => resolve())
      fail(endedError(name))
      await promise
    },
  }
  return dialogue
}
