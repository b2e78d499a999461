import { createPrivateKey, X509Certificate } from 'node:crypto'
import { checkServerIdentity, createSecureContext, type PeerCertificate, type SecureContext } from 'node:tls'
import { ConnectivityError, type Secret } from '@sallyport/core'

/** A certificate chain in PEM, the own certificate first, with its key. */
export interface CertificateMaterial {
  readonly certificate: string
  readonly key: Secret
}

/** How connections to TLS backends are made. One per state of the configuration; connections keep the one they were made with. */
export interface BackendTls {
  readonly secureContext: SecureContext
  readonly rejectUnauthorized: boolean
  readonly checkServerIdentity: (host: string, certificate: PeerCertificate) => Error | undefined
  /** Type of the system certificate's key as signature algorithms name it, or `undefined` without a system certificate. */
  readonly systemKey: 'ECDSA' | 'RSA' | 'Ed25519' | 'Ed448' | undefined
}

/**
 * Builds the trust towards backends. A chain is trusted when one of the authorities is its root, one of its intermediates or the self-signed
 * server certificate itself; without authorities nothing is.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` for certificates or keys that cannot be used.
 */
export function createBackendTls(options: {
  readonly authorities: readonly string[]
  readonly trustAll: boolean
  readonly verifyHostName: boolean
  readonly systemCertificate: CertificateMaterial | undefined
}): BackendTls {
  const { authorities, systemCertificate, trustAll, verifyHostName } = options
  let secureContext: SecureContext
  try {
    secureContext = createSecureContext({
      // An empty list trusts nothing; no list at all would trust every public authority.
      ca: [...authorities],
      allowPartialTrustChain: true,
      minVersion: 'TLSv1.2',
      ...(systemCertificate === undefined ? {} : { cert: systemCertificate.certificate, key: systemCertificate.key.reveal() }),
    })
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', 'the system certificate, its key or an authority cannot be used for TLS', {
      cause,
    })
  }
  return {
    secureContext,
    rejectUnauthorized: !trustAll,
    checkServerIdentity: verifyHostName && !trustAll ? checkServerIdentity : () => undefined,
    systemKey: systemCertificate === undefined ? undefined : keyFamily(systemCertificate.key.reveal()),
  }
}

/**
 * Checks a certificate with its key before anything uses them.
 *
 * @throws ConnectivityError `CONFIGURATION_INVALID` when either cannot be read or they do not belong together.
 */
export function checkCertificateMaterial(material: CertificateMaterial): X509Certificate {
  try {
    const certificate = new X509Certificate(material.certificate)
    if (certificate.checkPrivateKey(createPrivateKey(material.key.reveal()))) return certificate
  } catch (cause) {
    throw new ConnectivityError('CONFIGURATION_INVALID', 'the certificate or its key is not readable PEM', { cause })
  }
  throw new ConnectivityError('CONFIGURATION_INVALID', 'the key does not belong to the certificate')
}

function keyFamily(pem: string): BackendTls['systemKey'] {
  switch (createPrivateKey(pem).asymmetricKeyType) {
    case 'ec':
      return 'ECDSA'
    case 'ed25519':
      return 'Ed25519'
    case 'ed448':
      return 'Ed448'
    default:
      return 'RSA'
  }
}
