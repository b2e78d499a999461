import { X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** Who is logged on at the demo system, and by what. */
export type Logon =
  | { readonly kind: 'user'; readonly user: string; readonly subject: string }
  | { readonly kind: 'system'; readonly subject: string }
  | { readonly kind: 'refused'; readonly reason: string }

/**
 * Logs a request on the way an SAP system behind a trusted reverse proxy does: the TLS client certificate proves the connector, the certificate in
 * `SSL_CLIENT_CERT` names the user. An empty header forbids the logon by the TLS certificate.
 */
export function logOn(
  request: IncomingMessage,
  options: { readonly principalAuthority: X509Certificate; readonly now: () => number },
): Logon {
  const peer = (request.socket as TLSSocket).getPeerX509Certificate()
  if (peer === undefined) return { kind: 'refused', reason: 'no client certificate: only the cloud connector may call' }
  const header = request.headers['ssl_client_cert']
  if (header === undefined) return { kind: 'system', subject: oneLine(peer.subject) }
  if (typeof header !== 'string' || header === '')
    return { kind: 'refused', reason: 'nobody is logged on: the request carries no user certificate' }
  let certificate: X509Certificate
  try {
    certificate = new X509Certificate(Buffer.from(header, 'base64'))
  } catch {
    return { kind: 'refused', reason: 'SSL_CLIENT_CERT is not a certificate' }
  }
  const { principalAuthority, now } = options
  if (!certificate.checkIssued(principalAuthority) || !certificate.verify(principalAuthority.publicKey)) {
    return { kind: 'refused', reason: `the user certificate was not issued by ${oneLine(principalAuthority.subject)}` }
  }
  if (now() < Date.parse(certificate.validFrom) || now() > Date.parse(certificate.validTo)) {
    return { kind: 'refused', reason: 'the user certificate is not valid now' }
  }
  const user = /(?:^|\n)CN=([^\n]*)/.exec(certificate.subject)?.[1]
  if (user === undefined || user === '') return { kind: 'refused', reason: 'the user certificate names nobody (no CN)' }
  return { kind: 'user', user, subject: oneLine(certificate.subject) }
}

function oneLine(name: string): string {
  return name.split('\n').join(', ')
}
