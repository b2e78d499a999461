import type { Readable } from 'node:stream'
import { abortedError, type MailLogons, type ProtocolClient, underSignal } from '@sallyport/core'
import type { Capabilities } from './capabilities.ts'
import { expectWhole, formatCommand } from './command-line.ts'
import { maxListingBytes } from './limits.ts'
import { type Pop3Message, type Pop3Stat, type Pop3UniqueId, tryParseMessage, tryParseStat, tryParseUniqueId } from './listings.ts'
import { createMessageStream } from './message-stream.ts'
import { openSession, type Session, type SessionDeps } from './open-session.ts'
import { busyError, closedError, endedError, lostError, refusedError, violationError } from './pop3-errors.ts'
import type { Status } from './status-line.ts'

/** How long an operation may take besides the limits of the destination. */
export interface Pop3Options {
  readonly signal?: AbortSignal
}

/** Which message; all of them without. */
export interface Pop3ListOptions extends Pop3Options {
  readonly number?: number
}

/**
 * One mailbox, in sessions. The first operation opens one, and `quit` or `close` ends it. Message numbers hold for one session,
 * so when a session is lost every operation fails until `open` (or `close`) is called. Operations wait for each other.
 *
 * What the server refuses is a `ConnectivityError` with `response` and perhaps `responseCode` in its details.
 */
export interface Pop3Client extends ProtocolClient {
  /** Begins a session, unless one is open. While it lasts the mailbox is locked for other clients. */
  open(options?: Pop3Options): Promise<void>
  /** What the server says it can do after the logon. */
  capabilities(options?: Pop3Options): Promise<Capabilities>
  stat(options?: Pop3Options): Promise<Pop3Stat>
  list(options?: Pop3ListOptions): Promise<readonly Pop3Message[]>
  uidl(options?: Pop3ListOptions): Promise<readonly Pop3UniqueId[]>
  /**
   * The message as it is stored, as a stream that is read from the server as fast as from here. Nothing else can be done before
   * it is read to its end; destroying it earlier ends the session. `signal` ends both.
   */
  retr(number: number, options?: Pop3Options): Promise<Readable>
  /** The header and the first lines of the body, as {@link Pop3Client.retr}. */
  top(number: number, lines: number, options?: Pop3Options): Promise<Readable>
  /** Marks a message. It is deleted by `quit` and by nothing else. */
  dele(number: number, options?: Pop3Options): Promise<void>
  /** Takes every mark back. */
  rset(options?: Pop3Options): Promise<void>
  noop(options?: Pop3Options): Promise<void>
  /** Ends the session and has the marked messages deleted. Without an open session it does nothing. */
  quit(options?: Pop3Options): Promise<void>
  /** Ends the session at once. Nothing is deleted. */
  close(): Promise<void>
}

/** What the adapter has decided before there is a client. */
export interface Pop3ClientDeps extends SessionDeps {
  readonly logons: MailLogons
  readonly maxMessageBytes: number
}

/** Makes the client of one destination. */
export function createPop3Client(deps: Pop3ClientDeps): Pop3Client {
  const { logons, maxMessageBytes } = deps
  const { name } = deps.destination
  const closed = new AbortController()
  /** Ends with the session. */
  let scope = new AbortController()
  let session: Session | undefined
  let message: Readable | undefined
  let turn: Promise<unknown> = Promise.resolve()

  /** Does one thing after the other. An operation that is aborted ends the session: its answer would be taken for the next one. */
  const inTurn = async <T>(what: string, signal: AbortSignal | undefined, work: (task: Task) => Promise<T>): Promise<T> => {
    if (closed.signal.aborted) throw closedError(name)
    const attempt = `${what} at destination "${name}"`
    const either = AbortSignal.any([closed.signal, scope.signal, ...(signal === undefined ? [] : [signal])])
    const run = async (): Promise<T> => {
      if (either.aborted) throw abortedError(either, attempt)
      if (message !== undefined && !message.destroyed) throw busyError(attempt)
      const task: Task = { attempt, signal: either }
      const onAbort = (): void => session?.dialogue.fail(abortedError(either, attempt))
      either.addEventListener('abort', onAbort, { once: true })
      try {
        return await work(task)
      } finally {
        either.removeEventListener('abort', onAbort)
      }
    }
    const result = turn.then(run)
    turn = result.catch(() => {})
    return underSignal(result, either, attempt)
  }
  const openFresh = ({ signal }: Task): Promise<Session> => logons.connect((logon) => openSession(deps, logon, signal), signal)
  const current = async (task: Task): Promise<Session> => {
    if (session === undefined) {
      const opened = await openFresh(task)
      if (task.signal.aborted) {
        await opened.dialogue.close()
        throw abortedError(task.signal, task.attempt)
      }
      session = opened
    }
    const { dialogue } = session
    if (dialogue.failure !== undefined) throw lostError(task.attempt, dialogue.failure)
    dialogue.attempt = task.attempt
    return session
  }
  const ask = async ({ dialogue }: Session, line: string): Promise<Status> => {
    dialogue.send(line)
    const status = await dialogue.readStatus()
    if (!status.ok) throw refusedError({ attempt: dialogue.attempt, status })
    return status
  }
  const command = (what: string, line: string, { signal }: Pop3Options): Promise<Status> =>
    inTurn(what, signal, async (task) => ask(await current(task), line))
  const readAs = <T>({ dialogue }: Session, line: string, parse: (line: string) => T | undefined): T => {
    const found = parse(line)
    if (found !== undefined) return found
    dialogue.fail(violationError(dialogue.attempt, 'the server answers in a form that POP3 does not have'))
    throw dialogue.failure
  }
  const listing = <T>(
    keyword: string,
    { number, signal }: Pop3ListOptions,
    parse: (line: string) => T | undefined,
  ): Promise<readonly T[]> => {
    const line = number === undefined ? keyword : formatCommand(keyword, messageNumber(number))
    return inTurn(`list messages (${keyword})`, signal, async (task) => {
      const opened = await current(task)
      const { text } = await ask(opened, line)
      if (number !== undefined) return [readAs(opened, text, parse)]
      return (await opened.dialogue.readLines(maxListingBytes)).map((each) => readAs(opened, each, parse))
    })
  }
  const retrieve = (what: string, line: string, { signal }: Pop3Options): Promise<Readable> =>
    inTurn(what, signal, async (task) => {
      const opened = await current(task)
      await ask(opened, line)
      const stream = createMessageStream(opened.dialogue, maxMessageBytes, name)
      const onAbort = (): void => void stream.destroy(abortedError(task.signal, task.attempt))
      task.signal.addEventListener('abort', onAbort, { once: true })
      stream.once('close', () => task.signal.removeEventListener('abort', onAbort))
      // Who takes no interest in it any more is not to be ended by what happens to it.
      stream.on('error', () => {})
      stream.once('end', () => (message = undefined))
      message = stream
      return stream
    })
  const close = async (): Promise<void> => {
    const ending = session
    session = undefined
    scope.abort(endedError(name))
    scope = new AbortController()
    message = undefined
    await ending?.dialogue.close()
  }

  return {
    async open({ signal } = {}) {
      if (session?.dialogue.failure !== undefined) await close()
      await inTurn('open a session', signal, current)
    },
    capabilities: ({ signal } = {}) => inTurn('ask for capabilities', signal, async (task) => (await current(task)).capabilities),
    stat: ({ signal } = {}) =>
      inTurn('ask for the state of the mailbox', signal, async (task) => {
        const opened = await current(task)
        return readAs(opened, (await ask(opened, 'STAT')).text, tryParseStat)
      }),
    list: async (options = {}) => listing('LIST', options, tryParseMessage),
    uidl: async (options = {}) => listing('UIDL', options, tryParseUniqueId),
    retr: async (number, options = {}) =>
      retrieve(`retrieve message ${messageNumber(number)}`, formatCommand('RETR', messageNumber(number)), options),
    top: async (number, lines, options = {}) =>
      retrieve(
        `retrieve the top of message ${messageNumber(number)}`,
        formatCommand('TOP', messageNumber(number), expectWhole(lines, 0, 'the count of lines')),
        options,
      ),
    async dele(number, options = {}) {
      await command(`mark message ${messageNumber(number)}`, formatCommand('DELE', messageNumber(number)), options)
    },
    async rset(options = {}) {
      await command('take marks back', 'RSET', options)
    },
    async noop(options = {}) {
      await command('do nothing', 'NOOP', options)
    },
    quit: ({ signal } = {}) =>
      inTurn('end the session', signal, async (task) => {
        if (session === undefined) return
        const ending = await current(task)
        try {
          await ask(ending, 'QUIT')
        } finally {
          session = undefined
          await ending.dialogue.close()
        }
      }),
    close,
    ping: (signal) =>
      inTurn('ping', signal, async (task) => {
        if (session !== undefined && session.dialogue.failure === undefined) {
          await ask(await current(task), 'NOOP')
          return
        }
        // A session of its own, which does not keep the mailbox locked.
        const opened = await openFresh(task)
        const onAbort = (): void => opened.dialogue.fail(abortedError(task.signal, task.attempt))
        task.signal.addEventListener('abort', onAbort, { once: true })
        try {
          opened.dialogue.attempt = task.attempt
          await ask(opened, 'QUIT')
        } finally {
          task.signal.removeEventListener('abort', onAbort)
          await opened.dialogue.close()
        }
      }),
    async [Symbol.asyncDispose]() {
      closed.abort(closedError(name))
      await close()
    },
  }
}

interface Task {
  readonly attempt: string
  readonly signal: AbortSignal
}

function messageNumber(number: number): number {
  return expectWhole(number, 1, 'the number of a message')
}
