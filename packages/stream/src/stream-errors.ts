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

/** The private socket that leads a library to the stream. */
export function bridgeError(signal: AbortSignal, cause: unknown): ConnectivityError {
  const attempt = 'hand the connection to a library by a private socket'
  if (signal.aborted) return abortedError(signal, attempt)
  return new ConnectivityError('SERVICE_UNAVAILABLE', `${attempt}: it cannot be made`, { cause })
}
