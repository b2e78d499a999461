import { ConnectivityError } from '@sallyport/core'

/** Where the destination sets `tcp.socket.timeout`. */
export function idleError(name: string, idleMs: number): ConnectivityError {
  return new ConnectivityError('BACKEND_TIMEOUT', `destination "${name}": no byte in either direction for ${idleMs} ms`)
}

/** For whoever uses a client after it was disposed. */
export function closedError(name: string): ConnectivityError {
  return new ConnectivityError('ABORTED', `the client of destination "${name}" is closed`)
}

/** A local port that cannot be listened on. */
export function listenError(where: string, error: unknown): ConnectivityError {
  const { code } = error as { code?: unknown }
  return code === 'EADDRINUSE'
    ? new ConnectivityError('PORT_IN_USE', `listen on ${where}: another program has this port`, { cause: error })
    : new ConnectivityError('CONFIGURATION_INVALID', `listen on ${where}: ${typeof code === 'string' ? code : 'not possible'}`, {
        cause: error,
      })
}
