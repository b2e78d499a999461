import { ConnectivityError, type ErrorCode, foreignText } from '@sallyport/core'
import type { Status } from './status-line.ts'

/** Extended response codes of RFC 2449 §8.1 and RFC 3206 §4. */
const codes: Readonly<Record<string, ErrorCode>> = {
  AUTH: 'LOGON_REFUSED',
  'IN-USE': 'SERVICE_UNAVAILABLE',
  'LOGIN-DELAY': 'SERVICE_UNAVAILABLE',
  'SYS/TEMP': 'SERVICE_UNAVAILABLE',
  'SYS/PERM': 'OPERATION_REFUSED',
}

/** How a refusal is told. */
export interface Refusal {
  readonly attempt: string
  readonly status: Status
  /** What it means when the server gives no code. */
  readonly otherwise?: ErrorCode
  /** Cut out of what the server says. */
  readonly secrets?: readonly string[]
}

/** `-ERR`. `details` keeps `responseCode` where there is one, and `response`. */
export function refusedError({ attempt, status, otherwise = 'OPERATION_REFUSED', secrets = [] }: Refusal): ConnectivityError {
  const response = foreignText(status.text, secrets)
  return new ConnectivityError(
    codes[status.code] ?? otherwise,
    `${attempt}: the server refuses${response === '' ? '' : `: "${response}"`}`,
    {
      details: { response, ...(status.code === '' ? {} : { responseCode: foreignText(status.code) }) },
    },
  )
}

/** Bytes that are not POP3, or no answer to what was asked. */
export function violationError(attempt: string, what: string): ConnectivityError {
  return new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: ${what}; is this the port of a POP3 server, with or without TLS?`)
}

/** No answer within the limit of the destination. */
export function timeoutError(attempt: string, timeoutMs: number): ConnectivityError {
  return new ConnectivityError('BACKEND_TIMEOUT', `${attempt}: no byte in ${timeoutMs} ms`)
}

/** The destination insists on TLS, and the server has none. Nothing has been said that somebody in between should not hear. */
export function noTlsError(attempt: string): ConnectivityError {
  return new ConnectivityError('BACKEND_UNTRUSTED', `${attempt}: the server offers no STLS, and the destination requires it`)
}

/** The server offers no way to log on that the client knows, or that the destination allows. Nothing secret was sent. */
export function noMechanismError(attempt: string, offered: string): ConnectivityError {
  const hint = 'perhaps it wants TLS first (mail.pop3.starttls.enable), or mail.pop3.auth.mechanisms is too narrow'
  return new ConnectivityError('LOGON_REFUSED', `${attempt}: no way to log on fits, the server offers ${foreignText(offered)}; ${hint}`)
}

/** The session is gone; a new one has other message numbers, so nobody begins it unasked. */
export function lostError(attempt: string, failure: ConnectivityError): ConnectivityError {
  return new ConnectivityError(failure.code, `${attempt}: the session is lost, open() begins a new one with new message numbers`, {
    cause: failure,
  })
}

/** One command at a time, and a message that is being read is one. */
export function busyError(attempt: string): ConnectivityError {
  return new ConnectivityError('MESSAGE_INVALID', `${attempt}: the message before has not been read to its end; read or destroy its stream`)
}

/** For whoever uses a client after it was disposed. */
export function closedError(name: string): ConnectivityError {
  return new ConnectivityError('ABORTED', `the client of destination "${name}" is closed`)
}

/** For commands that are under way when the session is closed. */
export function endedError(name: string): ConnectivityError {
  return new ConnectivityError('ABORTED', `the POP3 session with destination "${name}" has been closed`)
}
