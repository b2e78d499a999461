import { ConnectivityError } from '@sallyport/core'

/**
 * Codes that OpenSSL and Node give to a certificate that one side did not accept: verification results here, alerts
 * from the other side. Conformance case: "refuses a peer whose certificate another authority signed".
 */
const untrusted =
  /^(CERT_|ERR_TLS_CERT|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|ERR_SSL_.*(CERTIFICATE|UNKNOWN_CA|ACCESS_DENIED))/

/** An old TLS on the other side. */
const version = /^ERR_SSL_.*(PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|WRONG_VERSION)/

/** What dialling a lane failed with, as ours. */
export function dialError(cause: unknown, endpoint: URL, handshakeDone: boolean): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  const code = codeOf(cause)
  const details = { endpoint: endpoint.href, cause: code }
  if (untrusted.test(code)) {
    return new ConnectivityError('PEER_UNTRUSTED', `${endpoint.host} and we do not accept each other's certificates (${code})`, {
      cause,
      details,
    })
  }
  if (version.test(code)) {
    return new ConnectivityError('VERSION_UNSUPPORTED', `${endpoint.host} does not speak TLS 1.3 (${code})`, { cause, details })
  }
  // With TLS 1.3 a client learns only after its own handshake that the server did not accept its certificate.
  if (handshakeDone && (code === 'UNEXPECTED_END' || code === 'ECONNRESET' || code === 'EPIPE')) {
    const text = `${endpoint.host} closed the connection right after the handshake: check that its authority has signed our certificate`
    return new ConnectivityError('PEER_UNTRUSTED', text, { cause, details })
  }
  return new ConnectivityError('PEER_UNREACHABLE', `${endpoint.host} cannot be reached (${code}): check address, port and firewall`, {
    cause,
    details,
  })
}

/** What listening failed with, as ours. */
export function listenError(cause: unknown, endpoint: URL): ConnectivityError {
  const code = codeOf(cause)
  return code === 'EADDRINUSE'
    ? new ConnectivityError('PORT_IN_USE', `another program listens on ${endpoint.host} already`, { cause })
    : new ConnectivityError('SERVICE_UNAVAILABLE', `cannot listen on ${endpoint.host} (${code})`, { cause })
}

/** What a certificate, key or authority that cannot be used is. The text of the cause is left out: it may quote the input. */
export function materialError(cause: unknown, what: string): ConnectivityError {
  if (ConnectivityError.is(cause)) return cause
  return new ConnectivityError('CONFIGURATION_INVALID', `${what}: certificate, key or authorities cannot be used (${codeOf(cause)})`)
}

function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null | undefined)?.code
  return typeof code === 'string' ? code : 'unknown error'
}
