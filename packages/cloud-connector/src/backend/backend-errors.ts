import { ConnectivityError } from '@sallyport/core'

/** What kept a connection to a backend from coming up, in words that name neither internal hosts nor addresses. */
const situations: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the connection was refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the name service does not answer',
  EHOSTUNREACH: 'there is no route to the host',
  ENETUNREACH: 'there is no route to the network',
  EHOSTDOWN: 'the host is down',
  ETIMEDOUT: 'the host does not answer',
  EADDRNOTAVAIL: 'no local port is free',
  EMFILE: 'the connector has too many open files',
  ENFILE: 'the system has too many open files',
}

/** OpenSSL's and Node's codes for a server certificate that is not accepted. */
const untrusted =
  /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED_CERT$|SELF_SIGNED_CERT_IN_CHAIN$|ERR_TLS_CERT_ALTNAME_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|PATH_LENGTH_EXCEEDED$)/

/**
 * Turns a failure of `net` or `tls` into ours. The text goes to the cloud; the cause, with addresses, stays in the connector.
 */
export function backendError(system: string, cause: Error): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  const text = `Unable to open connection to backend system ${system}`
  const details = { cause: code }
  if (untrusted.test(code)) {
    return new ConnectivityError('BACKEND_UNTRUSTED', `${text}: its certificate is not trusted (${code})`, { cause, details })
  }
  if (code.startsWith('ERR_SSL_') || code === 'EPROTO') {
    return new ConnectivityError('BACKEND_UNREACHABLE', `${text}: the TLS handshake failed`, { cause, details })
  }
  return new ConnectivityError('BACKEND_UNREACHABLE', `${text}: ${situations[code] ?? 'the connection failed'}`, { cause, details })
}

/** The deadline for connecting has passed. */
export function backendConnectTimeout(system: string): ConnectivityError {
  return new ConnectivityError('BACKEND_UNREACHABLE', `Unable to open connection to backend system ${system}: no answer in time`, {
    details: { cause: 'timeout' },
  })
}
