import { abortedError, ConnectivityError, type ErrorCode } from '@sallyport/core'
import { destinationErrorSchema, destinationNotFoundText } from './destination-answers.ts'
import { maxQuotedErrorLength } from './limits.ts'

const codes: Readonly<Partial<Record<number, ErrorCode>>> = {
  400: 'DESTINATION_INVALID',
  401: 'TOKEN_INVALID',
  403: 'ACCESS_DENIED',
  404: 'NOT_FOUND',
  409: 'DESTINATION_INVALID',
  412: 'DESTINATION_INVALID',
  413: 'DESTINATION_INVALID',
}

/**
 * Whether a 404 says that there is no such destination or fragment. A 404 of anything else (a wrong address, a proxy on the way) must not pass for an absent
 * destination, and the text is the one sign of it; SAP's SDK compares it word for word too.
 */
export function isAbsent(status: number, body: string): boolean {
  const text = status === 404 ? destinationErrorSchema.safeParse(tryParseJson(body)).data?.ErrorMessage : undefined
  return text !== undefined && (text === destinationNotFoundText || fragmentNotFoundText.test(text))
}

/** Fragments are missed with a text of their own. */
const fragmentNotFoundText = /^The fragment with the specified name '.*' was not found$/s

/** An answer that the attempt did not hope for. The server's own sentence is quoted, so a person can act on it. */
export function refusedError(attempt: string, status: number, body: string): ConnectivityError {
  const quoted = destinationErrorSchema.safeParse(tryParseJson(body)).data?.ErrorMessage.slice(0, maxQuotedErrorLength)
  return new ConnectivityError(
    codes[status] ?? (status >= 500 ? 'SERVICE_UNAVAILABLE' : 'PROTOCOL_VIOLATION'),
    `${attempt}: the destination service answered ${status}${quoted === undefined ? '' : ` "${quoted}"`}`,
    { details: { status } },
  )
}

/** An answer with a good status whose body is not what the API promises; the body is not quoted, it may hold secrets. */
export function unreadableError(attempt: string): ConnectivityError {
  return new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the answer is not what a destination service sends; check the address`)
}

/**
 * Refuses a token that cannot stand in a header, such as one with a line break of a file in it: `fetch` would refuse it as well, but quote it in its error.
 *
 * @throws ConnectivityError `TOKEN_INVALID`.
 */
export function requireTokenText(attempt: string, token: string | undefined): void {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return
  throw new ConnectivityError('TOKEN_INVALID', `${attempt}: a token is empty or holds blanks, line breaks or characters outside ASCII`)
}

/** What the injected request function threw. */
export function unreachableError(attempt: string, signal: AbortSignal, cause: unknown): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  if (signal.aborted) return abortedError(signal, attempt)
  const reason =
    cause instanceof Error && cause.cause instanceof Error ? cause.cause.message : String(cause instanceof Error ? cause.message : cause)
  return new ConnectivityError('PEER_UNREACHABLE', `${attempt}: ${reason}`, { cause })
}

/** The JSON value of a text, `undefined` when it is none. */
export function tryParseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Whoever asks checks the outcome against a schema, which `undefined` does not pass.
    return undefined
  }
}
