import { readSubject } from '@sallyport/x509'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'

/** What a connection says about its client. */
export type ClientCertificate =
  | { readonly kind: 'none' }
  /** Shown, but not trusted, or without exactly one name. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'user'; readonly name: string }

/** Reads the user out of the certificate of a client, which the handshake has verified. */
export function readClientCertificate(connection: Socket, userAttribute: string): ClientCertificate {
  const socket = connection as TLSSocket
  const { raw } = socket.getPeerCertificate()
  // Without a certificate Node gives an empty object.
  if (raw === undefined) return { kind: 'none' }
  if (!socket.authorized) return { kind: 'refused', reason: `the certificate is not trusted: ${String(socket.authorizationError)}` }
  const names = namesIn(raw, userAttribute)
  const [name] = names
  if (name === undefined || names.length > 1)
    return { kind: 'refused', reason: `the subject of the certificate has ${names.length} attributes ${userAttribute} instead of one` }
  return { kind: 'user', name }
}

function namesIn(certificate: Buffer, attribute: string): readonly string[] {
  try {
    return readSubject(certificate)
      .filter(({ type }) => type === attribute)
      .map(({ value }) => value)
  } catch {
    // A subject with attributes that are not known is one without a user.
    return []
  }
}
