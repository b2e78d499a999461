import type { Duplex } from 'node:stream'
import { connect, type TLSSocket } from 'node:tls'
import { abortedError } from '@sallyport/core'
import { handshakeError } from './stream-errors.ts'
import { tlsConnectionOptions, type TlsTerms } from './tls-terms.ts'

/** One handshake. */
export interface SecureStreamOptions extends TlsTerms {
  readonly signal: AbortSignal
  readonly attempt: string
}

/** Adds TLS to a stream of a dial. On failure the stream is destroyed. @throws ConnectivityError, see {@link handshakeError}. */
export function secureStream(stream: Duplex, { signal, attempt, ...terms }: SecureStreamOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    let secured: TLSSocket | undefined
    const fail = (error: Error): void => {
      signal.removeEventListener('abort', onAbort)
      secured?.destroy()
      stream.destroy()
      reject(error)
    }
    const onAbort = (): void => fail(abortedError(signal, attempt))
    const onError = (error: unknown): void => fail(handshakeError(attempt, error))
    const onClose = (): void => onError(undefined)
    if (signal.aborted) {
      onAbort()
      return
    }
    try {
      secured = connect({ ...tlsConnectionOptions(terms), socket: stream })
    } catch (error) {
      onError(error)
      return
    }
    signal.addEventListener('abort', onAbort, { once: true })
    const socket = secured
    socket.once('error', onError)
    socket.once('close', onClose)
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', onAbort)
      socket.off('close', onClose)
      socket.on('error', () => {})
      socket.off('error', onError)
      resolve(socket)
    })
  })
}
