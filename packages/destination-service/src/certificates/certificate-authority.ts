import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import type { Clock } from '@sallyport/core'
import { createIssuer, createSelfSignedCertificate, formatPem, type Issuer, issueCertificate, type NameAttribute } from '@sallyport/x509'
import type { KeyPair, KeyPairs } from '../keys/key-pairs.ts'
import { authorityReserveMs, backdatingMs, issuingAuthorityMs, rootAuthorityMs } from '../limits.ts'
import type { AuthorityGeneration, AuthorityKey, AuthorityKeys, AuthorityRepository } from './authority-repository.ts'

/** What is to be certified. */
interface IssueRequest {
  readonly subject: readonly NameAttribute[]
  readonly publicKey: KeyObject
  readonly notAfterMs: number
}

/** Issues certificates for clients. */
export interface CertificateAuthority {
  /** PEM: the certificate, the authority that has issued it, the root. */
  issue(request: IssueRequest): Promise<readonly [string, string, string]>
}

/**
 * The built-in authority of a landscape: a root and an issuing authority, made when the first certificate is wanted, kept sealed. Long before the issuing
 * authority ends another one takes over, and another root with it when that is due; certificates that have been issued stay what they are.
 */
export function createCertificateAuthority(deps: {
  readonly landscape: string
  readonly authorities: AuthorityRepository
  readonly keyPairs: KeyPairs
  readonly clock: Clock
}): CertificateAuthority {
  const { landscape, authorities, keyPairs, clock } = deps
  let known: { readonly generation: number; readonly keys: AuthorityKeys; readonly issuer: Issuer } | undefined
  let making: Promise<AuthorityGeneration> | undefined

  async function current(): Promise<{ readonly keys: AuthorityKeys; readonly issuer: Issuer }> {
    if (known !== undefined && endOf(known.keys.issuing) - clock.now() > authorityReserveMs) return known
    const latest = await authorities.latest(landscape)
    if (latest !== undefined && endOf(latest.keys.issuing) - clock.now() > authorityReserveMs) return remember(latest)
    // Everybody who waits for the first certificate waits for the same authority.
    making ??= make(latest).finally(() => (making = undefined))
    return remember(await making)
  }

  function remember({ generation, keys }: AuthorityGeneration): NonNullable<typeof known> {
    known = { generation, keys, issuer: createIssuer(signerOf(keys.issuing)) }
    return known
  }

  async function make(previous: AuthorityGeneration | undefined): Promise<AuthorityGeneration> {
    const nowMs = clock.now()
    const keepsRoot = previous !== undefined && endOf(previous.keys.root) - nowMs > issuingAuthorityMs
    // Two at a time, as each takes seconds.
    const [issuingPair, root] = await Promise.all([keyPairs.generate(), keepsRoot ? previous.keys.root : makeRoot(nowMs)])
    const keys = { root, issuing: makeIssuing(issuingPair, root, nowMs) }
    return authorities.add(landscape, { generation: (previous?.generation ?? 0) + 1, keys }, { nowMs })
  }

  async function makeRoot(nowMs: number): Promise<AuthorityKey> {
    const { publicKey, privateKey } = await keyPairs.generate()
    const certificate = createSelfSignedCertificate(
      {
        subject: authorityName('Sallyport Destination Root CA', landscape),
        publicKey,
        ...times(nowMs, nowMs + rootAuthorityMs),
        extensions: { basicConstraints: { ca: true }, keyUsage: ['keyCertSign', 'cRLSign'], subjectKeyIdentifier: true },
      },
      privateKey,
    )
    return { certificate: formatPem('CERTIFICATE', certificate), privateKey: exported(privateKey) }
  }

  function makeIssuing({ publicKey, privateKey }: KeyPair, root: AuthorityKey, nowMs: number): AuthorityKey {
    const certificate = issueCertificate(
      {
        subject: authorityName('Sallyport Destination Client CA', landscape),
        publicKey,
        ...times(nowMs, nowMs + issuingAuthorityMs),
        extensions: {
          basicConstraints: { ca: true, pathLength: 0 },
          keyUsage: ['keyCertSign', 'cRLSign'],
          authorityKeyIdentifier: true,
          subjectKeyIdentifier: true,
        },
      },
      signerOf(root),
    )
    return { certificate: formatPem('CERTIFICATE', certificate), privateKey: exported(privateKey) }
  }

  return {
    async issue({ subject, publicKey, notAfterMs }) {
      const { keys, issuer } = await current()
      const certificate = issuer.issue({
        subject,
        publicKey,
        ...times(clock.now(), notAfterMs),
        extensions: {
          basicConstraints: { ca: false },
          // An EC key signs only; it cannot encipher another one.
          keyUsage: publicKey.asymmetricKeyType === 'rsa' ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
          extendedKeyUsage: ['clientAuth'],
          authorityKeyIdentifier: true,
          subjectKeyIdentifier: true,
        },
      })
      return [formatPem('CERTIFICATE', certificate), keys.issuing.certificate, keys.root.certificate]
    },
  }
}

function authorityName(commonName: string, landscape: string): NameAttribute[] {
  return [
    { type: 'CN', value: commonName },
    { type: 'OU', value: landscape },
    { type: 'O', value: 'Sallyport' },
  ]
}

/** Valid from a little before now, for peers whose clocks are late. */
function times(nowMs: number, endMs: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(nowMs - backdatingMs), notAfter: new Date(endMs) }
}

function endOf({ certificate }: AuthorityKey): number {
  return new X509Certificate(certificate).validToDate.getTime()
}

function signerOf({ certificate, privateKey }: AuthorityKey): { readonly certificate: Buffer; readonly privateKey: KeyObject } {
  return { certificate: new X509Certificate(certificate).raw, privateKey: createPrivateKey(privateKey) }
}

function exported(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
