import { isIP } from 'node:net'
import { checkServerIdentity, type ConnectionOptions, getCACertificates } from 'node:tls'
import { type Secret, strictTlsRules, type TlsRules } from '@sallyport/core'

/** TLS towards the target. */
export interface TlsOptions {
  /** PEM certificates of authorities to trust besides Node's own. */
  readonly ca?: readonly string[]
  /** PEM certificate (with chain) and key that the client presents. */
  readonly certificate?: string
  readonly key?: Secret
  /** The same in one PKCS #12 file. */
  readonly pkcs12?: { readonly content: Secret<Buffer>; readonly password: Secret }
  /** Name that is asked for and verified, where the host of the destination is a virtual one. */
  readonly servername?: string
}

/** Whom a handshake is made with, and on what terms. */
export interface TlsTerms {
  readonly host: string
  readonly tls: TlsOptions
  /** What the destination waives; the default is nothing. */
  readonly rules?: TlsRules
  /** Protocols for ALPN; none are offered without it. */
  readonly alpn?: readonly string[]
}

/** What `tls.connect` has to be given besides the stream; for libraries that make the handshake themselves. */
export function tlsConnectionOptions({ host, tls, rules = strictTlsRules, alpn }: TlsTerms): ConnectionOptions {
  const name = tls.servername ?? host
  return {
    // What is verified; a server name indication must not be an address (RFC 6066 §3).
    host: name,
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.ca === undefined ? {} : { ca: [...getCACertificates('default'), ...tls.ca] }),
    ...(tls.certificate === undefined ? {} : { cert: tls.certificate, key: tls.key?.reveal() }),
    ...(tls.pkcs12 === undefined ? {} : { pfx: tls.pkcs12.content.reveal(), passphrase: tls.pkcs12.password.reveal() }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    minVersion: rules.minVersion,
    maxVersion: rules.maxVersion,
    rejectUnauthorized: rules.checkAuthority,
    checkServerIdentity(_asked, certificate) {
      if (!rules.checkName) return undefined
      const mismatch = checkServerIdentity(name, certificate)
      return rules.acceptedNames.some((accepted) => checkServerIdentity(accepted, certificate) === undefined) ? undefined : mismatch
    },
  }
}
