import { ConnectivityError, type ErrorCode, foreignText } from '@sallyport/core'
import { connectionError, handshakeError } from '@sallyport/stream'

/** What nodemailer's errors have. */
interface NodemailerFailure {
  readonly code?: unknown
  /** Code of the system's error that nodemailer has given one of its own. */
  readonly originalCode?: unknown
  readonly response?: unknown
  readonly responseCode?: unknown
  readonly command?: unknown
  readonly rejected?: unknown
}

/** What was known when something failed. */
export interface FailureContext {
  readonly attempt: string
  /** The TLS handshake of STARTTLS was under way; what the TLS socket broke with, where it did. */
  readonly upgrading?: { readonly error: unknown } | undefined
  /** Cut out of what the server says. */
  readonly secrets?: readonly string[]
}

/** What the library will not send, and what it cannot read. */
const unsendable: Readonly<Record<string, string>> = {
  EENVELOPE: 'the sender or a recipient is no address',
  EMESSAGE: 'the message cannot be sent, perhaps it is larger than the server takes',
  ESTREAM: 'the content of the message cannot be read',
  EFILEACCESS: 'the content is a file, and the adapter is not allowed to read files (fileAccess)',
  EURLACCESS: 'the content is behind a URL, and the adapter is not allowed to fetch any (urlAccess)',
  EMAXRECIPIENTS: 'the message has too many recipients',
  EREQUIRETLS: 'the message asks for TLS up to its recipients, and this server does not promise that',
}

/**
 * Turns whatever ended a step of the dialogue into our error. What the server said is in `details` (`responseCode`,
 * `enhancedCode`, `response`, `command`, `rejected`); the message holds no address.
 */
export function smtpError(context: FailureContext, error: unknown): ConnectivityError {
  if (ConnectivityError.is(error)) return error
  const failure = (error ?? {}) as NodemailerFailure
  const code = text(failure.code)
  if (typeof failure.responseCode === 'number') return answerError(context, failure, failure.responseCode)
  if (context.upgrading !== undefined) return upgradeError(context.attempt, failure, context.upgrading.error)
  const { attempt } = context
  if (code === 'ETIMEDOUT') return new ConnectivityError('BACKEND_TIMEOUT', `${attempt}: no answer in time`)
  const what = unsendable[text(failure.originalCode)] ?? unsendable[code]
  if (what !== undefined) return new ConnectivityError('MESSAGE_INVALID', `${attempt}: ${what}`, code === 'ESTREAM' ? { cause: error } : {})
  if (code === 'EPROTOCOL' || code === 'EAUTH') {
    return new ConnectivityError(
      'PROTOCOL_VIOLATION',
      `${attempt}: the answer is not SMTP; is this the port of a mail server, with or without TLS?`,
    )
  }
  // The library's own error quotes the dialogue.
  return connectionError(attempt, { code: failure.originalCode })
}

/** A message that was handed over as a whole when the connection ended: it may be on its way. */
export function unknownOutcomeError(error: ConnectivityError): ConnectivityError {
  return new ConnectivityError(error.code, `${error.message}; the message may have been taken, sending it again may send it twice`, {
    cause: error.cause,
    details: { ...error.details, outcome: 'unknown' },
  })
}

/** No answer within the limit of the destination. */
export function timeoutError(attempt: string, timeoutMs: number): ConnectivityError {
  return new ConnectivityError('BACKEND_TIMEOUT', `${attempt}: no answer in ${timeoutMs} ms`)
}

/** A server that lets nobody log on, asked by a destination that wants to. */
export function noLogonError(attempt: string): ConnectivityError {
  return new ConnectivityError(
    'OPERATION_REFUSED',
    `${attempt}: the server lets nobody log on over this connection; it may want TLS first (mail.<protocol>.starttls.required), or be a relay for everybody (mail.<protocol>.auth=false)`,
  )
}

/** A message without a sender. */
export function noSenderError(attempt: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `${attempt}: the message has no sender, and the destination has no mail.from`)
}

/** For whoever uses a client after it was disposed. */
export function closedError(name: string): ConnectivityError {
  return new ConnectivityError('ABORTED', `the client of destination "${name}" is closed`)
}

/** The server has declined, for now (4yz) or for good (5yz). */
function answerError({ attempt, secrets }: FailureContext, failure: NodemailerFailure, responseCode: number): ConnectivityError {
  const response = foreignText(text(failure.response), secrets)
  const enhancedCode = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1]
  const command = text(failure.command)
  const rejected = Array.isArray(failure.rejected) ? failure.rejected.join(' ') : undefined
  const numbers = [responseCode, enhancedCode, command === '' || command === 'CONN' ? undefined : `to ${command}`]
  return new ConnectivityError(
    codeOfAnswer(text(failure.code), responseCode),
    `${attempt}: the server declines (${numbers.filter((part) => part !== undefined).join(' ')})`,
    {
      details: {
        responseCode,
        ...(enhancedCode === undefined ? {} : { enhancedCode }),
        response,
        command,
        ...(rejected === undefined ? {} : { rejected }),
      },
    },
  )
}

function codeOfAnswer(code: string, responseCode: number): ErrorCode {
  if (responseCode >= 400 && responseCode < 500) return 'SERVICE_UNAVAILABLE'
  if (responseCode < 400 || responseCode > 599) return 'PROTOCOL_VIOLATION'
  return code === 'EAUTH' ? 'LOGON_REFUSED' : 'OPERATION_REFUSED'
}

function upgradeError(attempt: string, { code, originalCode, command }: NodemailerFailure, cause: unknown): ConnectivityError {
  if (code === 'ETLS' && command === 'STARTTLS') {
    return new ConnectivityError('CONFIGURATION_INVALID', `${attempt}: certificate, key or CA cannot be read`)
  }
  if (code === 'ETIMEDOUT') return new ConnectivityError('BACKEND_TIMEOUT', `${attempt}: the TLS handshake does not end`)
  return handshakeError(attempt, originalCode === undefined ? cause : { code: originalCode })
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
