import { connect, type LookupFunction, type Socket } from 'node:net'
import { abortedError, type Address, type Dial, formatAddress, withDeadline } from '@sallyport/core'
import { refusePrincipal, unreachableError } from './dial-errors.ts'
import { connectTimeoutMs, keepAliveDelayMs } from './limits.ts'

/** How this machine reaches an address. */
export interface DirectDialOptions {
  /** Name resolution instead of the system's. */
  readonly lookup?: LookupFunction
  /** Limit of one attempt when the caller's signal allows more; the default is ten seconds. */
  readonly timeoutMs?: number
}

/**
 * Dials over the network of this machine. All addresses of a name are tried, in both families. Location IDs mean nothing
 * here and are ignored; a principal is refused. The result is a `net.Socket`, without Nagle's delay and with keep-alive.
 */
export function createDirectDial({ lookup, timeoutMs = connectTimeoutMs }: DirectDialOptions = {}): Dial {
  return async (address, options) => {
    const attempt = `connect to ${formatAddress(address)}`
    refusePrincipal(options, attempt, 'a direct connection')
    return openSocket(address, lookup, withDeadline(timeoutMs, options.signal), attempt)
  }
}

function openSocket(address: Address, lookup: LookupFunction | undefined, signal: AbortSignal, attempt: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(abortedError(signal, attempt))
      return
    }
    const socket = connect({
      host: address.host,
      port: address.port,
      allowHalfOpen: true,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveDelayMs,
      ...(lookup === undefined ? {} : { lookup }),
    })
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort)
      socket.destroy()
      reject(error)
    }
    const onAbort = (): void => fail(abortedError(signal, attempt))
    const onError = (error: Error): void => fail(unreachableError(attempt, error))
    signal.addEventListener('abort', onAbort, { once: true })
    socket.once('error', onError)
    socket.once('connect', () => {
      signal.removeEventListener('abort', onAbort)
      // A connection that breaks before its owner listens must not end the process; the owner finds the stream destroyed.
      socket.on('error', () => {})
      socket.off('error', onError)
      resolve(socket)
    })
  })
}
