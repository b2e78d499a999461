import { ConnectivityError } from '@sallyport/core'

/** The peer closed a connection that had answered nothing yet: the one failure that is worth another try at once. */
export function isConnectionReset(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(codeOf(error))
}

/** What undici, TLS and DNS throw, as ours. The messages are shown to callers: they name the situation and neither addresses nor what was sent. */
export function outgoingError(error: unknown, deadline: AbortSignal): ConnectivityError {
  if (ConnectivityError.is(error)) return error
  if (deadline.aborted && ConnectivityError.is(deadline.reason)) return deadline.reason
  const code = codeOf(error)
  if (deadline.aborted || timeouts.has(code))
    return new ConnectivityError('DEADLINE_EXCEEDED', 'The token service did not answer in time', { cause: error })
  if (isTlsCode(code)) return new ConnectivityError('PEER_UNTRUSTED', 'Failed to create SSL connection', { cause: error })
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE' || code === 'UND_ERR_HEADERS_OVERFLOW') {
    return new ConnectivityError('PROTOCOL_VIOLATION', 'The answer of the token service is too large', { cause: error })
  }
  if (code.startsWith('HPE_') || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return new ConnectivityError('PROTOCOL_VIOLATION', 'The answer of the token service is not valid HTTP', { cause: error })
  }
  return new ConnectivityError('PEER_UNREACHABLE', 'The connection to the token service could not be established', { cause: error })
}

const timeouts: ReadonlySet<string> = new Set(['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'ETIMEDOUT'])

/** OpenSSL's alerts, the outcomes of certificate verification, and Node's own checks. */
function isTlsCode(code: string): boolean {
  return /^(?:ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE|EPROTO)/.test(code)
}

function codeOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  if (!(error instanceof Error)) return ''
  if ('code' in error && typeof error.code === 'string') return error.code
  return codeOf(error.cause)
}
