import { ConnectivityError, type DialOptions } from '@sallyport/core'

/** What Node says about a connection that did not come about. The message names the target and the system's code, nothing else. */
export function unreachableError(attempt: string, error: unknown): ConnectivityError {
  return new ConnectivityError('BACKEND_UNREACHABLE', `${attempt}: ${systemCode(error) ?? 'the connection failed'}`, { cause: error })
}

/** The way to a proxy is not the far connection: callers tell "my proxy is down" from "the backend is down" by the code. */
export function proxyUnreachableError(attempt: string, error: unknown): unknown {
  if (!ConnectivityError.is(error, 'BACKEND_UNREACHABLE')) return error
  return new ConnectivityError('PEER_UNREACHABLE', `${attempt}: the proxy is not reachable`, { cause: error })
}

/** Whatever kept the token source from giving a token, unless it says so itself. */
export function tokenError(attempt: string, error: unknown): ConnectivityError {
  if (ConnectivityError.is(error)) return error
  return new ConnectivityError('TOKEN_NOT_ISSUED', `${attempt}: there is no token for the proxy`, { cause: error })
}

/** A proxy or a connector that hung up in the middle of the negotiation. */
export function hungUpError(attempt: string, error?: unknown): ConnectivityError {
  const code = systemCode(error)
  return new ConnectivityError('PEER_UNREACHABLE', `${attempt}: the proxy closed the connection${code === undefined ? '' : ` (${code})`}`, {
    cause: error,
  })
}

/**
 * Fails for an attempt on behalf of a user where the dial has no means to carry the user. Going on would reach the backend
 * as nobody, which some backends take for a guest.
 */
export function refusePrincipal({ principal }: DialOptions, attempt: string, way: string): void {
  if (principal === undefined) return
  throw new ConnectivityError('DESTINATION_INVALID', `${attempt}: ${way} carries no principal; use HTTP through the connectivity proxy`)
}

function systemCode(error: unknown): string | undefined {
  if (error instanceof AggregateError) return error.errors.map(systemCode).find((code) => code !== undefined)
  const code = (error as { code?: unknown } | undefined)?.code
  return typeof code === 'string' ? code : undefined
}
