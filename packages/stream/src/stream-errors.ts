import { abortedError, ConnectivityError } from '@sallyport/core'

/** A TLS handshake that failed: distrust is not the same as an unreachable backend, and nobody should repeat it. */
export function handshakeError(attempt: string, error: unknown): ConnectivityError {
  const { code } = (error ?? {}) as { code?: unknown }
  const text = typeof code === 'string' ? code : ''
  if (/^(CERT_|ERR_TLS_CERT|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH)/.test(text)) {
    return new ConnectivityError('BACKEND_UNTRUSTED', `${attempt}: the certificate is not trusted (${text}); check name and CA`, {
      cause: error,
    })
  }
  if (text.startsWith('ERR_SSL') || text === 'EPROTO') {
    return new ConnectivityError('PROTOCOL_VIOLATION', `${attempt}: the TLS handshake failed (${text})`, { cause: error })
  }
  if (text.startsWith('ERR_OSSL')) {
    return new ConnectivityError('CONFIGURATION_INVALID', `${attempt}: certificate, key or CA cannot be read (${text})`)
  }
  return new ConnectivityError(
    'BACKEND_UNREACHABLE',
    `${attempt}: the connection broke in the TLS handshake${text === '' ? '' : ` (${text})`}`,
    { cause: error },
  )
}

/** A private socket or port that cannot be made, or that the library has not come to. */
export function bridgeError(signal: AbortSignal, attempt: string, cause: unknown): ConnectivityError {
  if (signal.aborted) return abortedError(signal, attempt)
  if (cause instanceof DOMException && cause.name === 'TimeoutError')
    return new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: the library has not connected to its private socket`, { cause })
  return new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: its private socket cannot be made`, { cause })
}

/** A connection that ended before it should. Errors of a dial or a tunnel pass as they are; `code` is shown, and only an error becomes the cause. */
export function connectionError(attempt: string, error?: unknown): ConnectivityError {
  if (ConnectivityError.is(error)) return error
  const { code } = (error ?? {}) as { code?: unknown }
  const message = `${attempt}: the connection broke${typeof code === 'string' ? ` (${code})` : ''}`
  return new ConnectivityError('BACKEND_UNREACHABLE', message, error instanceof Error ? { cause: error } : {})
}
