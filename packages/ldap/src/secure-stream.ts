import { isIP } from 'node:net'
import type { Duplex } from 'node:stream'
import { connect, getCACertificates, type TLSSocket } from 'node:tls'
import { abortedError, type Secret } from '@sallyport/core'
import { handshakeError } from './ldap-errors.ts'

/** TLS towards the target. */
export interface LdapTlsOptions {
  /** PEM certificates of authorities to trust besides Node's own. */
  readonly ca?: readonly string[]
  /** PEM certificate (with chain) and key that the client presents. */
  readonly certificate?: string
  readonly key?: Secret
  /** Name that is asked for and verified, where the host of the destination is a virtual one. */
  readonly servername?: string
}

/** Whom a TLS handshake is made with, and on what terms. */
export interface SecureStreamOptions {
  readonly host: string
  readonly tls: LdapTlsOptions
  readonly signal: AbortSignal
  readonly attempt: string
}

/** Adds TLS to a stream of a dial. On failure the stream is destroyed. */
export function secureStream(stream: Duplex, { host, tls, signal, attempt }: SecureStreamOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const name = tls.servername ?? host
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
      secured = connect({
        socket: stream,
        // What is verified; a server name indication must not be an address (RFC 6066 §3).
        host: name,
        ...(isIP(name) === 0 ? { servername: name } : {}),
        ...(tls.ca === undefined ? {} : { ca: [...getCACertificates('default'), ...tls.ca] }),
        ...(tls.certificate === undefined ? {} : { cert: tls.certificate, key: tls.key?.reveal() }),
        minVersion: 'TLSv1.2',
        rejectUnauthorized: true,
      })
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
