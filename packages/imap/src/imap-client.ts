import { abortedError, type ConnectivityError, type MailLogons, type ProtocolClient, underSignal } from '@sallyport/core'
import type { FetchMessageObject, FetchQueryObject, ImapFlow } from 'imapflow'
import { closedError, imapError } from './imap-errors.ts'
import { tokenMarginMs } from './limits.ts'
import { type ConnectionDeps, type ImapConnection, openConnection } from './open-connection.ts'

/** How long an operation may take besides the limits of the destination. */
export interface ImapOptions {
  readonly signal?: AbortSignal
}

/** How a mailbox is opened. */
export interface ImapMailboxOptions extends ImapOptions {
  /** Nothing in the mailbox changes, no message becomes seen. */
  readonly readOnly?: boolean
}

/** What is fetched of each message. */
export interface ImapFetchOptions extends ImapOptions {
  /** The default is UID, envelope and the whole message. Fetching leaves a message unseen. */
  readonly query?: FetchQueryObject
}

/**
 * One account on an IMAP server, over one connection at a time. It is opened when it is needed, and replaced at its next use when
 * it has ended or its token is about to expire. An operation that is aborted ends the connection.
 */
export interface ImapClient extends ProtocolClient {
  /**
   * The library's client, connected and logged on, for everything that it can do. It belongs to this client: ask for it each time
   * and do not close it. Its errors are the library's.
   */
  flow(options?: ImapOptions): Promise<ImapFlow>
  /** Works in a mailbox that nobody else selects another in meanwhile. Errors of library and server become `ConnectivityError`. */
  withMailbox<T>(path: string, work: (flow: ImapFlow) => Promise<T>, options?: ImapMailboxOptions): Promise<T>
  /** The unseen messages, oldest first, each fetched when it is asked for; between them the connection is free for other commands. */
  fetchUnseen(path?: string, options?: ImapFetchOptions): AsyncGenerator<FetchMessageObject, void, undefined>
  /** Why the latest connection broke. The library's own errors only say that it has. */
  readonly failure: ConnectivityError | undefined
  /** Ends the connection in order. The next operation opens another. */
  logout(): Promise<void>
}

/** What the adapter has decided before there is a client. */
export interface ImapClientDeps extends ConnectionDeps {
  readonly logons: MailLogons
}

interface Held {
  readonly connection: ImapConnection
  /** Work that is going on. */
  uses: number
}

interface Opening {
  readonly promise: Promise<Held>
  readonly givenUp: AbortController
  waiters: number
}

/** Makes the client of one destination. */
export function createImapClient(deps: ImapClientDeps): ImapClient {
  const { logons, clock } = deps
  const { name } = deps.destination
  const closed = new AbortController()
  let held: Held | undefined
  let opening: Opening | undefined
  let failure: ConnectivityError | undefined
  /** Connections that have been replaced and still work. */
  const leaving = new Set<Held>()

  const isOver = ({ connection }: Held): boolean => !connection.flow.usable
  const isStale = ({ connection: { expiresAtMs } }: Held): boolean =>
    expiresAtMs !== undefined && expiresAtMs - tokenMarginMs <= clock.now()
  const leave = (old: Held): void => {
    leaving.add(old)
    if (old.uses === 0) void old.connection.close().finally(() => leaving.delete(old))
  }
  const open = async (signal: AbortSignal): Promise<Held> => {
    const connection = await logons.connect((logon) => openConnection(deps, logon, signal), signal)
    if (closed.signal.aborted) {
      await connection.close()
      throw closedError(name)
    }
    held = { connection, uses: 0 }
    return held
  }
  /** The connection at hand or a new one, which everybody waits for who comes meanwhile. It counts as used from now on. */
  const acquire = async (signal: AbortSignal, attempt: string): Promise<Held> => {
    if (signal.aborted) throw abortedError(signal, attempt)
    if (held !== undefined && (isOver(held) || isStale(held))) {
      failure = held.connection.failure ?? failure
      leave(held)
      held = undefined
    }
    if (held !== undefined) {
      held.uses += 1
      return held
    }
    const mine = (opening ??= beginOpening())
    mine.waiters += 1
    try {
      const opened = await underSignal(mine.promise, signal, attempt)
      opened.uses += 1
      return opened
    } finally {
      mine.waiters -= 1
      if (mine.waiters === 0) mine.givenUp.abort()
    }
  }
  /** Not under the signal of whoever came first: it ends when all who wait have given up. */
  const beginOpening = (): Opening => {
    const givenUp = new AbortController()
    const promise = open(AbortSignal.any([closed.signal, givenUp.signal])).finally(() => (opening = undefined))
    promise.catch(() => {})
    return { promise, givenUp, waiters: 0 }
  }
  const use = async <T>(what: string, { signal }: ImapOptions, work: (flow: ImapFlow, attempt: string) => Promise<T>): Promise<T> => {
    if (closed.signal.aborted) throw closedError(name)
    const attempt = `${what} at destination "${name}"`
    const either = signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal])
    const mine = await acquire(either, attempt)
    const { connection } = mine
    const onAbort = (): void => connection.fail(abortedError(either, attempt))
    either.addEventListener('abort', onAbort, { once: true })
    try {
      if (either.aborted) onAbort()
      return await underSignal(work(connection.flow, attempt), either, attempt)
    } catch (error) {
      throw imapError(error, { attempt, failure: connection.failure })
    } finally {
      either.removeEventListener('abort', onAbort)
      mine.uses -= 1
      if (mine.uses === 0 && leaving.has(mine)) leave(mine)
    }
  }
  const withMailbox: ImapClient['withMailbox'] = (path, work, { readOnly = false, signal } = {}) =>
    use('work in a mailbox', signal === undefined ? {} : { signal }, async (flow) => {
      const lock = await flow.getMailboxLock(path, { readOnly })
      try {
        return await work(flow)
      } finally {
        lock.release()
      }
    })

  return {
    flow: (options = {}) => use('connect', options, async (flow) => flow),
    withMailbox,
    async *fetchUnseen(path = 'INBOX', { query = { uid: true, envelope: true, source: true }, signal } = {}) {
      const options = { readOnly: false, ...(signal === undefined ? {} : { signal }) }
      const found = await withMailbox(path, (flow) => flow.search({ seen: false }, { uid: true }), options)
      for (const uid of found === false || found === undefined ? [] : found) {
        const message = await withMailbox(path, (flow) => flow.fetchOne(uid, query, { uid: true }), options)
        // Deleted by somebody else since.
        if (message !== false && message !== undefined) yield message
      }
    },
    get failure() {
      return held?.connection.failure ?? failure
    },
    async logout() {
      const ending = held
      held = undefined
      if (ending !== undefined) leave(ending)
      await Promise.all([...leaving].filter(({ uses }) => uses === 0).map(({ connection }) => connection.close()))
    },
    async ping(signal) {
      await use('ping', { signal }, async (flow, attempt) => {
        await flow.noop()
        if (!flow.usable)
          throw imapError(Object.assign(new Error('it has ended'), { code: 'NoConnection' }), {
            attempt,
            failure: held?.connection.failure,
          })
      })
    },
    async [Symbol.asyncDispose]() {
      closed.abort(closedError(name))
      const all = [...leaving, ...(held === undefined ? [] : [held])]
      held = undefined
      await Promise.all([...all.map(({ connection }) => connection.close()), opening?.promise.catch(() => {})])
    },
  }
}
