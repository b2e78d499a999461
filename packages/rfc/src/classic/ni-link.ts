import type { Duplex } from 'node:stream'
import { abortedError, type Clock, ConnectivityError } from '@sallyport/core'
import { createNiReader, formatNiFrame, maxClientFrameBytes, niPong } from '@sallyport/rfc-wire'
import { goodbyeMs, maxUnsentBytes } from '../limits.ts'
import { brokenError, lostError, violationError } from './classic-errors.ts'

/** Messages of NI over the stream of a dial, which the link owns. Pings are answered at any time, also when nobody is waiting. */
export interface NiLink {
  /** Whether nothing has gone wrong so far. */
  readonly isAlive: boolean
  /**
   * One question with its answer; only one at a time. When it fails, is aborted or the far side breaks the protocol the link ends, because what comes later could
   * be taken for the answer to the next question.
   */
  exchange<T>(options: NiExchange, work: (turn: NiTurn) => Promise<T>): Promise<T>
  /** Ends the link because of what an answer said. */
  fail(error: ConnectivityError): void
  /** Sends a last message if there is one, and settles when the stream is closed. Never throws, works more than once. */
  close(farewell?: Buffer): Promise<void>
}

/** What an exchange is called in errors, and what ends it. */
interface NiExchange {
  readonly attempt: string
  readonly signal: AbortSignal
  /** It carries a call of the application: errors say whether a byte of that has left. */
  readonly isCall?: boolean
  /** Pongs are messages of this exchange: SAProuter says so that a route stands. */
  readonly expectsPong?: boolean
}

/** The two directions of an exchange. */
export interface NiTurn {
  /** Settles when the stream takes more. */
  send(payload: Buffer): Promise<void>
  /** The next message; a view that is good until the next call. */
  receive(): Promise<Buffer>
}

/** Puts a link on a stream. */
export function createNiLink(stream: Duplex, clock: Clock): NiLink {
  const reader = createNiReader({ maxPayloadBytes: maxClientFrameBytes })
  const messages: Buffer[] = []
  let failure: ConnectivityError | undefined
  let attempt = 'RFC connection'
  let isCall = false
  let requestSent = false
  let isBusy = false
  let expectsPong = false
  let wake: (() => void) | undefined
  const { promise: closed, resolve: settleClosed } = Promise.withResolvers<void>()

  const fail = (error: ConnectivityError): void => {
    failure ??= error
    stream.destroy()
    wake?.()
  }
  const take = (chunk: Buffer): void => {
    const { frames, refused } = reader.read(chunk)
    for (const frame of frames) {
      if (frame.kind === 'message') messages.push(frame.payload)
      else if (frame.kind === 'pong' && expectsPong) messages.push(niPong)
      else if (frame.kind === 'ping' && stream.writable) stream.write(formatNiFrame(niPong))
    }
    if (refused !== undefined) return fail(violationError(attempt, refused, requestSent))
    if (stream.writableLength > maxUnsentBytes)
      return fail(violationError(attempt, 'the far side asks and does not read the answers', requestSent))
    if (messages.length === 0) return
    if (!isBusy) return fail(violationError(attempt, 'a message that nobody asked for', requestSent))
    stream.pause()
    wake?.()
  }

  if (stream.closed) settleClosed()
  stream.on('data', (chunk: Buffer) => {
    if (failure === undefined) take(chunk)
  })
  stream.on('drain', () => wake?.())
  stream.on('error', (error) => fail(brokenError(attempt, requestSent, error)))
  stream.on('end', () => fail(brokenError(attempt, requestSent)))
  stream.on('close', () => {
    fail(brokenError(attempt, requestSent))
    settleClosed()
  })

  /** Waits until something holds that an event of the stream may bring about. */
  async function until(isSo: () => boolean): Promise<void> {
    // What has arrived in front of the end of the stream is still an answer.
    while (!isSo()) {
      if (failure !== undefined) throw failure
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await promise
      wake = undefined
    }
  }

  const turn: NiTurn = {
    async send(payload) {
      if (failure !== undefined) throw failure
      requestSent = isCall
      if (!stream.write(formatNiFrame(payload))) await until(() => !stream.writableNeedDrain)
    },
    async receive() {
      if (messages.length === 0) stream.resume()
      await until(() => messages.length > 0)
      return messages.shift() ?? Buffer.alloc(0)
    },
  }

  return {
    get isAlive() {
      return failure === undefined
    },
    fail,
    async exchange(options, work) {
      const { signal } = options
      if (failure !== undefined) throw lostError(options.attempt, failure)
      if (isBusy)
        throw new ConnectivityError('MESSAGE_INVALID', `${options.attempt}: the connection is in use; calls come one after the other`)
      if (signal.aborted) throw abortedError(signal, options.attempt)
      attempt = options.attempt
      isCall = options.isCall === true
      requestSent = false
      isBusy = true
      expectsPong = options.expectsPong === true
      const onAbort = (): void => {
        messages.length = 0
        fail(abortedError(signal, attempt))
      }
      signal.addEventListener('abort', onAbort, { once: true })
      try {
        const result = await work(turn)
        if (messages.length > 0) throw violationError(attempt, 'more messages than the answer has', requestSent)
        return result
      } catch (error) {
        if (ConnectivityError.is(error)) fail(error)
        else stream.destroy()
        throw failure ?? error
      } finally {
        signal.removeEventListener('abort', onAbort)
        isBusy = false
        expectsPong = false
        stream.resume()
      }
    },
    async close(farewell) {
      if (failure === undefined) {
        failure = new ConnectivityError('ABORTED', 'the RFC connection is closed')
        // Whoever is waiting learns of it.
        wake?.()
        if (farewell !== undefined) stream.write(formatNiFrame(farewell))
        stream.resume()
        stream.end()
        const cancel = clock.after(goodbyeMs, () => stream.destroy())
        await closed
        cancel()
      } else {
        stream.destroy()
        await closed
      }
    },
  }
}
