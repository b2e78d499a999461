import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type Clock, ConnectivityError, createSecret, type Logger, type Sealer, type Secret } from '@sallyport/core'
import {
  type CertificateProfile,
  createIssuer,
  createSelfSignedCertificate,
  formatPem,
  type Issuer,
  parsePemCertificates,
} from '@sallyport/x509'
import { authorityLifetimeMs, authorityRemainderMs, certificateBackdatingMs, certificateLifetimeMs } from './limits.ts'
import { authorityContext } from './migrations.ts'
import type { ConnectivityRepository, StoredAuthority } from './repository.ts'

/** Signs the certificates with which connectors and the tunnel listener show who they are. */
export interface ConnectorAuthority {
  /** PEM of every authority that is trusted now, newest first. */
  bundle(): string
  /** A client certificate for one connector, valid from an hour ago. */
  issueForConnector(subject: { readonly subaccount: string; readonly connectorId: string }, publicKey: KeyObject): NewCertificate
  /**
   * Certificate and key for our own tunnel listener, with the authorities that its clients come from: the bundle is then all that a connector needs to trust.
   * `names` are DNS names and IP addresses. The same until a third of its life is left, then a new one; ask for it at every connect.
   */
  serverMaterial(names: readonly string[]): ServerMaterial
  /** Whether one of the trusted authorities signed it and it is valid now. */
  hasSigned(certificate: X509Certificate): boolean
}

/** What a TLS listener for connectors needs, PEM. */
export interface ServerMaterial {
  readonly certificate: string
  readonly key: Secret
  readonly ca: string
}

/** A certificate that was just signed. */
export interface NewCertificate {
  readonly pem: string
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string
  readonly expiresAtMs: number
}

interface Generation {
  readonly certificate: X509Certificate
  readonly pem: string
  readonly issuer: Issuer
  readonly expiresAtMs: number
}

/**
 * Opens the authorities of the repository. The first start makes one; when the newest is so old that it would not outlive what it signs, a successor is made,
 * and the bundle holds both until the old one has expired.
 *
 * @throws ConnectivityError `STORE_FAILED` when a key does not open with the sealing key at hand.
 */
export async function openConnectorAuthority(options: {
  readonly repository: ConnectivityRepository
  readonly sealer: Sealer
  readonly clock: Clock
  readonly log: Logger
}): Promise<ConnectorAuthority> {
  const { repository, sealer, clock, log } = options
  const generations = (await openGenerations()).toReversed()
  const servers = new Map<string, { readonly identity: Pick<ServerMaterial, 'certificate' | 'key'>; readonly renewAtMs: number }>()

  async function openGenerations(): Promise<Generation[]> {
    let stored = await repository.authorities()
    let newest = stored.at(-1)
    if (newest === undefined || clock.now() > newest.createdAtMs + authorityLifetimeMs - authorityRemainderMs) {
      const made = makeAuthority((newest?.generation ?? 0) + 1, clock.now(), sealer)
      if (await repository.addAuthority(made)) log.info({ generation: made.generation }, 'a new authority for connectors was made')
      stored = await repository.authorities()
      newest = stored.at(-1)
    }
    return stored.map((authority) => openGeneration(authority, sealer))
  }

  function trusted(): Generation[] {
    return generations.filter((generation) => generation.expiresAtMs > clock.now())
  }

  function issue(profile: Pick<CertificateProfile, 'subject' | 'publicKey' | 'extensions'>): NewCertificate {
    const signer = trusted()[0]
    if (signer === undefined)
      throw new ConnectivityError('SERVICE_UNAVAILABLE', 'the authority for connectors has expired; restart the service')
    const now = clock.now()
    const expiresAtMs = Math.min(now + certificateLifetimeMs, signer.expiresAtMs)
    const der = signer.issuer.issue({ ...profile, notBefore: new Date(now - certificateBackdatingMs), notAfter: new Date(expiresAtMs) })
    return { pem: formatPem('CERTIFICATE', der), fingerprint: createHash('sha256').update(der).digest('hex'), expiresAtMs }
  }

  function bundle(): string {
    return trusted()
      .map((generation) => generation.pem)
      .join('')
  }

  return {
    bundle,
    issueForConnector: ({ subaccount, connectorId }, publicKey) =>
      issue({
        publicKey,
        subject: [
          { type: 'CN', value: subaccount },
          { type: 'OU', value: connectorId },
          { type: 'O', value: 'Sallyport' },
        ],
        extensions: {
          basicConstraints: { ca: false },
          keyUsage: ['digitalSignature'],
          extendedKeyUsage: ['clientAuth'],
          authorityKeyIdentifier: true,
          subjectKeyIdentifier: true,
        },
      }),
    serverMaterial(names) {
      const name = names.join(' ')
      const known = servers.get(name)
      if (known !== undefined && known.renewAtMs > clock.now()) return { ...known.identity, ca: bundle() }
      const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const issued = issue({
        publicKey,
        subject: [
          { type: 'CN', value: names[0] ?? 'localhost' },
          { type: 'O', value: 'Sallyport' },
        ],
        extensions: {
          basicConstraints: { ca: false },
          keyUsage: ['digitalSignature'],
          extendedKeyUsage: ['serverAuth'],
          subjectAltNames: names.map((text) => (isIP(text) === 0 ? { dns: text } : { ip: text })),
          authorityKeyIdentifier: true,
          subjectKeyIdentifier: true,
        },
      })
      const identity = { certificate: issued.pem, key: createSecret(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()) }
      servers.set(name, { identity, renewAtMs: clock.now() + ((issued.expiresAtMs - clock.now()) * 2) / 3 })
      return { ...identity, ca: bundle() }
    },
    hasSigned(certificate) {
      const now = clock.now()
      if (certificate.validFromDate.getTime() > now || certificate.validToDate.getTime() <= now) return false
      return trusted().some(({ certificate: authority }) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey))
    },
  }
}

function makeAuthority(generation: number, nowMs: number, sealer: Sealer): StoredAuthority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const der = createSelfSignedCertificate(
    {
      // The number keeps generations apart for software that picks an authority by name.
      subject: [
        { type: 'CN', value: `Sallyport Connector CA ${generation}` },
        { type: 'O', value: 'Sallyport' },
      ],
      publicKey,
      notBefore: new Date(nowMs - certificateBackdatingMs),
      notAfter: new Date(nowMs + authorityLifetimeMs),
      extensions: { basicConstraints: { ca: true, pathLength: 0 }, keyUsage: ['keyCertSign', 'cRLSign'], subjectKeyIdentifier: true },
    },
    privateKey,
  )
  const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  return {
    generation,
    certificate: formatPem('CERTIFICATE', der),
    sealedKey: sealer.seal(key, authorityContext(generation)),
    createdAtMs: nowMs,
  }
}

function openGeneration(stored: StoredAuthority, sealer: Sealer): Generation {
  const [der] = parsePemCertificates(stored.certificate)
  if (der === undefined)
    throw new ConnectivityError('STORE_FAILED', `the stored authority ${stored.generation} for connectors has no certificate`)
  const privateKey = createPrivateKey(sealer.open(stored.sealedKey, authorityContext(stored.generation)))
  const certificate = new X509Certificate(der)
  return {
    certificate,
    pem: stored.certificate,
    issuer: createIssuer({ certificate: der, privateKey }),
    expiresAtMs: certificate.validToDate.getTime(),
  }
}
