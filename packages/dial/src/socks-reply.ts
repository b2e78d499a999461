import { ConnectivityError, type ErrorCode } from '@sallyport/core'

/** What the reply codes of RFC 1928 §6 mean on a connectivity proxy, and what a caller gets. */
const refusals: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  1: ['SERVICE_UNAVAILABLE', 'the proxy or the connector failed; its log says why'],
  2: ['ACCESS_DENIED', 'not exposed by the cloud connector; check virtual host, port and type of its system mappings'],
  3: ['CONNECTOR_NOT_CONNECTED', 'no cloud connector is connected for this subaccount and location ID'],
  4: ['BACKEND_UNREACHABLE', 'the cloud connector could not reach the backend'],
  5: ['PROXY_AUTHORIZATION_REQUIRED', 'the proxy does not accept the token'],
  6: ['BACKEND_UNREACHABLE', 'time to live expired on the way to the backend'],
  7: ['MESSAGE_INVALID', 'the proxy does not know the command'],
  8: ['MESSAGE_INVALID', 'the proxy takes host names and IPv4 addresses only'],
}

/** The error for a reply other than success. */
export function socksRefusal(reply: number, attempt: string): ConnectivityError {
  const [code, meaning] = refusals[reply] ?? ['PROTOCOL_VIOLATION', 'no code of the SOCKS5 standard']
  return new ConnectivityError(code, `${attempt}: ${meaning} (SOCKS5 reply ${reply})`, { details: { reply } })
}
