import type { Duplex, Readable } from 'node:stream'
import { abortedError, type Clock, ConnectivityError, type MailDestination, type MailLogon } from '@sallyport/core'
import { connectionError, type PooledConnection, tlsConnectionOptions, type TlsOptions } from '@sallyport/stream'
import type { SMTPConnectionSendInfo, SMTPEnvelope } from 'nodemailer/lib/smtp-connection'
import type SMTPConnection from 'nodemailer/lib/smtp-connection'
import type { DialogueLog } from './dialogue-log.ts'
import { answerTimeoutMs, freshMs, goodbyeMs, greetingTimeoutMs, maxAnswerBytes, maxMessagesPerConnection } from './limits.ts'
import { logOn, mechanismHandlers, secretsOf } from './log-on.ts'
import { noLogonError, smtpError, timeoutError, unknownOutcomeError } from './smtp-errors.ts'

/** One step of the dialogue: what it is called in errors, and how long somebody wants to wait for it. */
export interface Step {
  readonly attempt: string
  readonly signal: AbortSignal
}

/** A connection to a mail server that carries one message at a time. */
export interface SmtpLink extends PooledConnection {
  readonly failure: ConnectivityError | undefined
  /** Messages that were begun over it. */
  readonly messages: number
  /** TLS protects what goes over it. */
  readonly secure: boolean
  /** Reads the greeting, begins TLS where the destination says so, and logs on. @throws ConnectivityError */
  begin(logon: MailLogon, step: Step): Promise<void>
  /** Sends one message. What the server declines leaves the connection as it was. @throws ConnectivityError */
  send(envelope: SMTPEnvelope, message: Readable, step: Step): Promise<SMTPConnectionSendInfo>
  /** Whether the server still answers; asked only when the connection has been idle for a while. @throws ConnectivityError `ABORTED` */
  answers(step: Step): Promise<boolean>
  /** Proves that the server answers. @throws ConnectivityError */
  reset(step: Step): Promise<void>
  /** Ends it without a word. */
  abandon(error: ConnectivityError): void
}

/** What a connection is made of. */
export interface SmtpLinkDeps {
  readonly destination: MailDestination
  readonly tls: TlsOptions
  readonly logon: MailLogon
  readonly clock: Clock
  readonly log: DialogueLog
  /** nodemailer's. */
  readonly Connection: typeof SMTPConnection
}

/** Speaks SMTP over a stream that is open, and secured already where TLS is implicit. The link owns the stream from here on. */
export function createSmtpLink(stream: Duplex, { destination, tls, logon, clock, log, Connection }: SmtpLinkDeps): SmtpLink {
  const { name, address, localName, debug } = destination
  const implicit = destination.tls === 'implicit'
  const timeoutMs = destination.timeoutMs ?? answerTimeoutMs
  const terms = tlsConnectionOptions({ host: address.host, tls, rules: destination.tlsRules })
  const secrets = secretsOf(logon)
  let current = `connect to destination "${name}"`
  let failure: ConnectivityError | undefined
  let messages = 0
  let lastUseMs = 0
  let streamFailure: ConnectivityError | undefined
  const { promise: broken, reject } = Promise.withResolvers<never>()
  // Not everybody is waiting when it happens.
  broken.catch(() => {})

  // Before the library listens: it ends the connection, and then the reason is known.
  stream.on('error', ({ cause }) => (streamFailure ??= connectionError(current, cause)))
  const connection = new Connection({
    host: address.host,
    port: address.port,
    // The library takes any duplex stream with the members of a socket.
    connection: stream as never,
    // Always said: for port 465 the library has an opinion of its own.
    secure: implicit,
    secured: implicit,
    ignoreTLS: destination.tls === 'none',
    requireTLS: destination.tls === 'startTls',
    opportunisticTLS: destination.tls === 'startTlsIfOffered',
    tls: terms,
    ...(localName === undefined ? {} : { name: localName }),
    connectionTimeout: timeoutMs,
    greetingTimeout: destination.timeoutMs ?? greetingTimeoutMs,
    socketTimeout: timeoutMs,
    maxResponseSize: maxAnswerBytes,
    customAuth: mechanismHandlers,
    logger: debug ? log : false,
    transactionLog: debug,
  })

  const errorOf = (error: unknown): ConnectivityError => {
    // oxlint-disable-next-line no-underscore-dangle -- the library documents it as public
    const { _socket: socket } = connection
    // The TLS socket may have broken before the library hears of it by the end of the stream below.
    const upgrading = connection.upgrading === true ? { error: (socket || stream).errored ?? undefined } : undefined
    const { code } = (error ?? {}) as { readonly code?: unknown }
    if (streamFailure !== undefined && code === 'ESOCKET' && upgrading === undefined) return streamFailure
    return smtpError({ attempt: current, upgrading, secrets }, error)
  }
  const fail = (error: ConnectivityError): void => {
    failure ??= error
    reject(failure)
    connection.close()
    stream.destroy()
  }
  connection.on('error', (error: unknown) => fail(errorOf(error)))
  connection.once('end', () => fail(streamFailure ?? connectionError(current)))

  const step = async <T>({ attempt, signal }: Step, waitMs: number | undefined, begin: (done: Done<T>) => void): Promise<T> => {
    if (failure !== undefined) throw failure
    current = attempt
    const onAbort = (): void => fail(abortedError(signal, attempt))
    const cancelTimer = waitMs === undefined ? () => {} : clock.after(waitMs, () => fail(timeoutError(attempt, waitMs)))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      if (signal.aborted) onAbort()
      const done = new Promise<T>((resolve, refuse) => {
        // At once: what the server has said counts more than that it then closes.
        if (failure === undefined) begin((error, value) => (error ? refuse(errorOf(error)) : resolve(value as T)))
      })
      return await Promise.race([broken, done])
    } finally {
      cancelTimer()
      signal.removeEventListener('abort', onAbort)
    }
  }
  const reset = (options: Step): Promise<void> => step(options, timeoutMs, (done: Done<void>) => connection.reset((error) => done(error)))

  const link: SmtpLink = {
    get failure() {
      return failure ?? (messages < maxMessagesPerConnection ? undefined : connectionError(current))
    },
    get messages() {
      return messages
    },
    get secure() {
      return connection.secure
    },
    broken,
    async begin(who, options) {
      await step(options, undefined, (done: Done<void>) => connection.connect((error) => done(error)))
      if (who.kind === 'none') return
      if (!connection.allowsAuth) throw noLogonError(options.attempt)
      await step(options, undefined, (done: Done<void>) => logOn(connection, who, destination.mechanisms, done))
    },
    async send(envelope, message, options) {
      messages += 1
      // Answers have a limit of their own; in between the message takes as long as it takes, while it moves.
      const late = (): void => fail(timeoutError(options.attempt, timeoutMs))
      let cancel = clock.after(timeoutMs, late)
      let handedOver = false
      message.once('resume', () => cancel())
      message.once('end', () => {
        handedOver = true
        cancel = clock.after(timeoutMs, late)
      })
      try {
        return await step(options, undefined, (done: Done<SMTPConnectionSendInfo>) => connection.send(envelope, message, done))
      } catch (error) {
        message.destroy()
        if (error === failure && failure !== undefined) throw handedOver ? unknownOutcomeError(failure) : failure
        // What the server declines concerns the message only; whatever else leaves half a dialogue on the connection.
        const declined = ConnectivityError.is(error) && error.details['responseCode'] !== undefined
        if (!declined) fail(connectionError(current))
        if (failure === undefined) await reset(options).catch(() => {})
        throw error
      } finally {
        cancel()
        lastUseMs = clock.now()
      }
    },
    async answers(options) {
      if (messages === 0 || clock.now() - lastUseMs < freshMs) return true
      return reset(options).then(
        () => true,
        (error: unknown) => {
          if (options.signal.aborted) throw error
          return false
        },
      )
    },
    reset,
    abandon: fail,
    async close() {
      if (failure === undefined) {
        failure = connectionError(current)
        reject(failure)
        connection.quit()
      } else stream.destroy()
      if (stream.closed) return
      const { promise: closed, resolve } = Promise.withResolvers<void>()
      const cancel = clock.after(goodbyeMs, () => stream.destroy())
      stream.once('close', () => resolve())
      await closed
      cancel()
    },
  }
  return link
}

type Done<T> = (error: unknown, value?: T) => void
