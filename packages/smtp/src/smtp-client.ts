import { abortedError, ConnectivityError, type MailDestination, type ProtocolClient } from '@sallyport/core'
import type { ConnectionPool } from '@sallyport/stream'
import type { SendMailOptions, Transporter } from 'nodemailer'
import { deliveryOf, type SmtpDelivery, type SmtpSentInfo } from './delivery.ts'
import type { Nodemailer } from './load-nodemailer.ts'
import { closedError, smtpError } from './smtp-errors.ts'
import type { SmtpLink, Step } from './smtp-link.ts'
import { createTransport, verify } from './transport.ts'

/** A message as nodemailer has it: `from`, `to`, `subject`, `text`, `html`, `attachments`, … */
export type SmtpMessage = SendMailOptions

/** How messages are sent. */
export interface SmtpSendOptions {
  readonly signal?: AbortSignal
}

/** How several messages are sent. */
export interface SmtpSendManyOptions extends SmtpSendOptions {
  /** One after the other with `false`; else as many at a time as there may be connections. */
  readonly parallel?: boolean
}

/**
 * Sends mail through one server, over connections that are opened when they are needed, reused and closed when they are idle.
 * Nothing is sent twice: when a connection breaks after the message was handed over, the error says that its fate is unknown.
 */
export interface SmtpClient extends ProtocolClient {
  /**
   * Sends one message. Resolves when the server has taken it for at least one recipient.
   *
   * @throws ConnectivityError; `OPERATION_REFUSED` and `SERVICE_UNAVAILABLE` have the server's answer in their details.
   */
  send(message: SmtpMessage, options?: SmtpSendOptions): Promise<SmtpDelivery>
  /** Sends several messages; each has its outcome, in their order. One that fails does not stop the others. */
  send(messages: readonly SmtpMessage[], options?: SmtpSendManyOptions): Promise<readonly PromiseSettledResult<SmtpDelivery>[]>
  /** nodemailer's own object over the same connections, for plugins and for code that knows nodemailer. Closing it closes the client. */
  readonly transporter: Transporter<SmtpSentInfo>
}

/** What the adapter has decided before there is a client. */
export interface SmtpClientDeps {
  readonly destination: MailDestination
  readonly pool: ConnectionPool<SmtpLink>
  /** Ends every connection and every wait when it fires. */
  readonly closed: AbortController
  readonly fileAccess: boolean
  readonly urlAccess: boolean
  readonly library: Pick<Nodemailer, 'createTransporter'>
}

/** Makes the client of one destination. */
export function createSmtpClient({ destination, pool, closed, fileAccess, urlAccess, library }: SmtpClientDeps): SmtpClient {
  const { name } = destination
  const prepare = (what: string, signal?: AbortSignal): Step => {
    if (closed.signal.aborted) throw closedError(name)
    return {
      attempt: `${what} at destination "${name}"`,
      signal: signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]),
    }
  }
  const close = async (): Promise<void> => {
    closed.abort(closedError(name))
    await pool.closeIdle()
  }
  const transporter = library.createTransporter(createTransport({ destination, pool, prepare, close: () => void close() }), {
    ...(destination.from === undefined ? {} : { from: destination.from }),
    // What a message names is read here and not at the far side; whoever composes messages may be anybody.
    disableFileAccess: !fileAccess,
    disableUrlAccess: !urlAccess,
  })
  const sendOne = async ({ from, ...message }: SmtpMessage, options: SmtpSendOptions): Promise<SmtpDelivery> => {
    const { attempt, signal } = prepare('send a message', options.signal)
    const either = message.signal ? AbortSignal.any([message.signal, signal]) : signal
    try {
      // A sender that is named and empty would keep the destination's away.
      return deliveryOf(await transporter.sendMail({ ...message, ...(from ? { from } : {}), signal: either }))
    } catch (error) {
      if (!ConnectivityError.is(error) && either.aborted) throw abortedError(either, attempt)
      throw smtpError({ attempt }, error)
    }
  }
  const sendMany = async (messages: readonly SmtpMessage[], { parallel = true, ...options }: SmtpSendManyOptions) => {
    const outcomes: Promise<SmtpDelivery>[] = []
    for (const message of messages) {
      const sending = sendOne(message, options)
      outcomes.push(sending)
      // oxlint-disable-next-line no-await-in-loop -- one after the other is what was asked for
      if (!parallel) await sending.catch(() => {})
    }
    return Promise.allSettled(outcomes)
  }
  function send(message: SmtpMessage, options?: SmtpSendOptions): Promise<SmtpDelivery>
  function send(messages: readonly SmtpMessage[], options?: SmtpSendManyOptions): Promise<readonly PromiseSettledResult<SmtpDelivery>[]>
  function send(what: SmtpMessage | readonly SmtpMessage[], options: SmtpSendManyOptions = {}): Promise<unknown> {
    return Array.isArray(what) ? sendMany(what, options) : sendOne(what as SmtpMessage, options)
  }

  return {
    send,
    transporter,
    async ping(signal) {
      await verify({ pool, prepare }, signal)
    },
    [Symbol.asyncDispose]: close,
  }
}
