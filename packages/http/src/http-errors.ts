import { abortedError, ConnectivityError, type ErrorCode } from '@sallyport/core'

/** undici's codes, and what they mean to a caller. */
const undiciCodes: Readonly<Record<string, readonly [ErrorCode, string]>> = {
  UND_ERR_CONNECT_TIMEOUT: ['BACKEND_TIMEOUT', 'no connection in time'],
  UND_ERR_HEADERS_TIMEOUT: ['BACKEND_TIMEOUT', 'no answer in time'],
  UND_ERR_BODY_TIMEOUT: ['BACKEND_TIMEOUT', 'the answer stopped'],
  UND_ERR_SOCKET: ['BACKEND_UNREACHABLE', 'the connection broke'],
  UND_ERR_DESTROYED: ['ABORTED', 'the client is closed'],
  UND_ERR_CLOSED: ['ABORTED', 'the client is closed'],
  UND_ERR_HEADERS_OVERFLOW: ['PROTOCOL_VIOLATION', 'the head of the answer is too large'],
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: ['PROTOCOL_VIOLATION', 'the answer has another length than it says'],
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: ['MESSAGE_INVALID', 'the body has another length than its header says'],
  UND_ERR_INVALID_ARG: ['MESSAGE_INVALID', 'this request cannot be written'],
  UND_ERR_NOT_SUPPORTED: ['MESSAGE_INVALID', 'this request cannot be written'],
}

/**
 * Turns whatever ended a request into our error. Errors of a dial pass as they are. The cause is kept except for parser
 * errors, which carry bytes of the answer, and invalid arguments, which may quote a header.
 */
export function requestError(attempt: string, error: unknown, signal: AbortSignal | undefined): ConnectivityError {
  if (signal?.aborted === true) return abortedError(signal, attempt)
  if (ConnectivityError.is(error)) return error
  const code = codeOf(error)
  if (isParserError(error)) {
    return new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer is not HTTP${code === '' ? '' : ` (${code})`}`)
  }
  const [ours, meaning] = undiciCodes[code] ?? ['BACKEND_UNREACHABLE', 'the connection failed']
  const message = `${attempt}: ${meaning}${code === '' || code.startsWith('UND_ERR') ? '' : ` (${code})`}`
  return ours === 'MESSAGE_INVALID' ? new ConnectivityError(ours, message) : new ConnectivityError(ours, message, { cause: error })
}

/** undici's parser errors often have no code, and always the bytes. */
function isParserError(error: unknown): boolean {
  return (error instanceof Error && error.name === 'HTTPParserError') || (typeof error === 'object' && error !== null && 'data' in error)
}

function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown }
  return typeof code === 'string' ? code : ''
}
