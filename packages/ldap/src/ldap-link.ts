import { Duplex } from 'node:stream'
import { type Clock, ConnectivityError } from '@sallyport/core'
import { MalformedBer } from './ber.ts'
import { connectionError } from '@sallyport/stream'
import { violationError } from './ldap-errors.ts'
import { answers, type LdapMessage, type LdapResult, readRequest, readResponse, type WireEntry, writeResult } from './ldap-message.ts'
import { goodbyeMs, maxAnswerBytes, maxAnswerElements, maxMessageBytes } from './limits.ts'
import { splitMessages } from './message-split.ts'

/** What a server has answered to one request. */
export interface LdapAnswer extends LdapResult {
  readonly entries: readonly WireEntry[]
  /** URLs of servers that know more (RFC 4511 §4.5.3). */
  readonly references: readonly string[]
}

/**
 * A connection to a directory, between the stream of a dial and the library that speaks over it.
 *
 * Answers are read and judged here. The library learns only whether its request succeeded, from a message that is written
 * here: both libraries alter entries (one rewrites DNs, one invents attributes), drop parts of a result, and can be stalled
 * or brought down by answers that are not as they should be.
 */
export interface LdapLink {
  /** For the library. */
  readonly stream: Duplex
  /** Requests sent so far that have an answer. */
  readonly requests: number
  /** The answer to the latest request, when it is complete. */
  readonly answer: LdapAnswer | undefined
  /** The server has ended the connection, and nothing was wrong before that. */
  readonly hasEnded: boolean
  /** Why the connection cannot be used any more. */
  readonly failure: ConnectivityError | undefined
  /** Rejects with `failure`; whoever waits for an answer waits for this too. */
  readonly broken: Promise<never>
  /** Ends the connection at once. */
  fail(error: ConnectivityError): void
  /** Says goodbye and ends the connection; settles when it is closed. */
  close(): Promise<void>
}

/** RFC 4511 §4.3. Its message ID is one that no library has come to use on a connection. */
const unbindRequest = Buffer.from('300802047ffffffe4200', 'hex')
const other = 80
const noticeOfDisconnection = '1.3.6.1.4.1.1466.20036'

/** Stands between a stream and a library. The link owns the stream from here on. */
export function createLdapLink(far: Duplex, { attempt, clock }: { readonly attempt: string; readonly clock: Clock }): LdapLink {
  let requests = 0
  let answer: LdapAnswer | undefined
  let failure: ConnectivityError | undefined
  let hasEnded = false
  let closing = false
  let pending: { readonly id: number; readonly operation: number } | undefined
  let entries: WireEntry[] = []
  let references: string[] = []
  let answerBytes = 0
  let answerElements = 0
  const { promise: broken, reject } = Promise.withResolvers<never>()
  // Not everybody is waiting when it happens.
  broken.catch(() => {})

  const fail = (error: ConnectivityError): void => {
    failure ??= error
    reject(failure)
    far.destroy()
    stream.destroy()
  }
  const take = (message: Buffer): void => {
    const response = readResponse(message)
    if (response.id === 0 && response.result?.responseName === noticeOfDisconnection) throw noticeError(response.result, attempt)
    if (pending?.id !== response.id || answers[pending.operation]?.includes(response.operation) !== true) {
      throw new MalformedBer('the server answers what was not asked')
    }
    count(message.length, response)
    if (response.entry !== undefined) entries.push(response.entry)
    for (const url of response.references ?? []) references.push(url)
    if (response.result === undefined) return
    answer = { ...response.result, entries, references }
    pending = undefined
    stream.push(writeResult(response.id, response.operation, plainCode(response.result)))
  }
  const count = (bytes: number, { entry, references: urls = [] }: LdapMessage): void => {
    answerBytes += bytes
    answerElements += 1 + urls.length
    for (const [, values] of entry?.attributes ?? []) answerElements += 1 + values.length
    if (answerBytes > maxAnswerBytes || answerElements > maxAnswerElements) {
      throw new MalformedBer('the answer to one request is larger than this side takes, ask for it in pages')
    }
  }
  const guarded = (work: () => void): void => {
    try {
      work()
    } catch (error) {
      fail(ConnectivityError.is(error) ? error : violationError(attempt, (error as Error).message))
    }
  }

  const receive = splitMessages(maxMessageBytes, (message) => {
    if (failure === undefined) take(message)
  })
  const note = splitMessages(maxMessageBytes, (message) => {
    const request = readRequest(message)
    if (!(request.operation in answers)) return
    requests += 1
    pending = request
    answer = undefined
    entries = []
    references = []
    answerBytes = 0
    answerElements = 0
  })
  const stream: Duplex = new Duplex({
    // Results are few and small.
    read: () => {},
    write(chunk: Buffer, _encoding, callback) {
      guarded(() => note(chunk))
      if (far.destroyed) callback()
      else far.write(chunk, () => callback())
    },
    final: (callback) => callback(),
    destroy(_error, callback) {
      if (!closing) far.destroy()
      callback(null)
    },
  })
  // What libraries look at before they wait for a socket to connect.
  Object.assign(stream, { connecting: false, readyState: 'open' })
  stream.on('error', () => {})

  far.on('data', (chunk: Buffer) => guarded(() => receive(chunk)))
  far.on('error', (error) => fail(connectionError(attempt, error)))
  // LDAP has no half-closed connections.
  for (const event of ['end', 'close']) {
    far.on(event, () => {
      hasEnded ||= failure === undefined
      fail(connectionError(attempt))
    })
  }

  return {
    stream,
    get requests() {
      return requests
    },
    get answer() {
      return answer
    },
    get hasEnded() {
      return hasEnded
    },
    get failure() {
      return failure
    },
    broken,
    fail,
    async close() {
      if (far.destroyed) return
      closing = true
      failure ??= new ConnectivityError('ABORTED', `${attempt}: the connection is closed`)
      reject(failure)
      stream.destroy()
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      far.once('close', () => resolve())
      const cancel = clock.after(goodbyeMs, () => far.destroy())
      far.resume()
      far.end(unbindRequest, () => {
        if (far.readableEnded) far.destroy()
      })
      await closed
      cancel()
    },
  }
}

/** Libraries know the codes of the standard at best; what is no success is a failure to them, and the code is read from the answer. */
function plainCode({ resultCode }: LdapResult): number {
  return [0, 5, 6].includes(resultCode) ? resultCode : other
}

/** RFC 4511 §4.4.1: the server ends the connection and says why. */
function noticeError({ resultCode }: LdapResult, attempt: string): ConnectivityError {
  return new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: the server ended the connection with notice (result ${resultCode})`, {
    details: { resultCode },
  })
}
