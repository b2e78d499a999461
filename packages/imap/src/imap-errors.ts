import { ConnectivityError, type ErrorCode, foreignText } from '@sallyport/core'
import { handshakeError } from '@sallyport/stream'

/** What imapflow has on its errors. */
interface LibraryError {
  readonly code?: unknown
  readonly message?: unknown
  readonly authenticationFailed?: unknown
  readonly tlsFailed?: unknown
  readonly responseStatus?: unknown
  readonly responseText?: unknown
  readonly serverResponseCode?: unknown
  readonly mailboxMissing?: unknown
  readonly reason?: unknown
}

/** What is known besides the error. */
export interface Circumstances {
  readonly attempt: string
  /** Why the connection ended, where that is known from below. */
  readonly failure?: ConnectivityError | undefined
  /** Cut out of what the server says. */
  readonly secrets?: readonly string[]
  /** The logon is not done yet. */
  readonly loggingOn?: boolean
}

/** The library's own codes, and those of Node that it passes on. */
const codes: Readonly<Record<string, ErrorCode>> = {
  CONNECT_TIMEOUT: 'BACKEND_TIMEOUT',
  GREETING_TIMEOUT: 'BACKEND_TIMEOUT',
  UPGRADE_TIMEOUT: 'BACKEND_TIMEOUT',
  ETIMEOUT: 'BACKEND_TIMEOUT',
  LockTimeout: 'BACKEND_TIMEOUT',
  NoConnection: 'BACKEND_UNREACHABLE',
  EConnectionClosed: 'BACKEND_UNREACHABLE',
  ClosedAfterConnectText: 'BACKEND_UNREACHABLE',
  ClosedAfterConnectTLS: 'BACKEND_UNREACHABLE',
  StateLogout: 'BACKEND_UNREACHABLE',
  ECONNRESET: 'BACKEND_UNREACHABLE',
  EPIPE: 'BACKEND_UNREACHABLE',
  ERR_STREAM_PREMATURE_CLOSE: 'BACKEND_UNREACHABLE',
  ETHROTTLE: 'SERVICE_UNAVAILABLE',
  NotFound: 'NOT_FOUND',
  STARTTLS_INJECTION: 'PROTOCOL_VIOLATION',
  UnexpectedTag: 'PROTOCOL_VIOLATION',
  MissingTag: 'PROTOCOL_VIOLATION',
  InvalidResponse: 'PROTOCOL_VIOLATION',
  ResponseProcessingFailed: 'PROTOCOL_VIOLATION',
  LineTooLarge: 'PROTOCOL_VIOLATION',
  LiteralTooLarge: 'PROTOCOL_VIOLATION',
  ResponseTooLarge: 'PROTOCOL_VIOLATION',
  TooManyTokens: 'PROTOCOL_VIOLATION',
  TooManyResponses: 'PROTOCOL_VIOLATION',
  MAX_IMAP_NESTING_REACHED: 'PROTOCOL_VIOLATION',
}

/** Response codes of RFC 5530 that make a refusal something else than a matter of the user. */
const responseCodes: Readonly<Record<string, ErrorCode>> = {
  UNAVAILABLE: 'SERVICE_UNAVAILABLE',
  INUSE: 'SERVICE_UNAVAILABLE',
  SERVERBUG: 'SERVICE_UNAVAILABLE',
  LIMIT: 'SERVICE_UNAVAILABLE',
  OVERQUOTA: 'OPERATION_REFUSED',
  NOPERM: 'OPERATION_FORBIDDEN',
  NONEXISTENT: 'NOT_FOUND',
  TRYCREATE: 'NOT_FOUND',
}

/**
 * Translates what imapflow throws. Its errors hold the server's words and the command, so they become a `cause` only where
 * neither can hold a secret. What is no error of the library or the connection comes back as it is.
 */
export function imapError(error: unknown, { attempt, failure, secrets = [], loggingOn = false }: Circumstances): unknown {
  if (ConnectivityError.is(error)) return error
  const { code, message, authenticationFailed, tlsFailed, responseStatus, responseText, serverResponseCode, mailboxMissing, reason } =
    (error ?? {}) as LibraryError
  const word = typeof code === 'string' ? code : ''
  const own = (text: unknown): string => (typeof text === 'string' ? foreignText(text, secrets) : '')
  // A command that was under way when the server said BYE or the connection broke: the reason is what counts.
  if (codes[word] === 'BACKEND_UNREACHABLE') {
    if (failure !== undefined) return new ConnectivityError(failure.code, `${attempt}: the connection ended`, { cause: failure })
    const farewell = own(reason)
    return farewell === ''
      ? new ConnectivityError('BACKEND_UNREACHABLE', `${attempt}: the connection ended (${word})`)
      : refused('SERVICE_UNAVAILABLE', attempt, farewell, '')
  }
  if (responseStatus === 'NO' || responseStatus === 'BAD') {
    const response = own(responseText)
    const responseCode = own(serverResponseCode) || (/^\[([A-Z-]+)/.exec(response)?.[1] ?? '')
    if (mailboxMissing === true) return refused('NOT_FOUND', attempt, response, responseCode)
    const otherwise = loggingOn && authenticationFailed === true ? 'LOGON_REFUSED' : 'OPERATION_REFUSED'
    return refused(responseCodes[responseCode] ?? otherwise, attempt, response, responseCode)
  }
  if (word in codes || word.startsWith('ParserError')) {
    return new ConnectivityError(codes[word] ?? 'PROTOCOL_VIOLATION', `${attempt}: ${word}; is this the port of an IMAP server?`)
  }
  if (tlsFailed === true && word === '') return noTlsError(attempt)
  if (tlsFailed === true || /^(?:CERT_|ERR_TLS|ERR_SSL|ERR_OSSL|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_)/.test(word))
    return handshakeError(attempt, error)
  // Without a code, before the logon, the library has found no way to log on. It has sent nothing then.
  if (loggingOn) {
    const hint = 'perhaps the server wants TLS first (mail.imap4.starttls.enable), or takes no password or no token'
    return new ConnectivityError('LOGON_REFUSED', `${attempt}: no way to log on fits (${own(message)}); ${hint}`)
  }
  return error
}

/** The destination insists on TLS, and the server has none. Nothing has been said that somebody in between should not hear. */
function noTlsError(attempt: string): ConnectivityError {
  return new ConnectivityError('BACKEND_UNTRUSTED', `${attempt}: the server offers no STARTTLS, and the destination requires it`)
}

function refused(code: ErrorCode, attempt: string, response: string, responseCode: string): ConnectivityError {
  return new ConnectivityError(code, `${attempt}: the server refuses${response === '' ? '' : `: "${response}"`}`, {
    details: { response, ...(responseCode === '' ? {} : { responseCode }) },
  })
}

/** What is behind the port is no IMAP server; the library would wait for one. */
export function violationError(attempt: string): ConnectivityError {
  return new ConnectivityError(
    'PROTOCOL_VIOLATION',
    `${attempt}: no greeting of IMAP; is this the port of an IMAP server, with or without TLS?`,
  )
}

/** For whoever uses a client after it was disposed. */
export function closedError(name: string): ConnectivityError {
  return new ConnectivityError('ABORTED', `the client of destination "${name}" is closed`)
}
