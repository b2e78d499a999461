import { type KeyObject, X509Certificate } from 'node:crypto'
import type { Keystore, KeystoreEntry } from './keystore.ts'
import { unreadable } from './keystore-errors.ts'
import { maxCertificates, maxDerBytes, maxPrivateKeys } from './limits.ts'
import type { OpenedKey } from './private-key.ts'

/** A certificate as it was found, with the name that the key store gives it. */
export interface FoundCertificate {
  readonly alias?: string | undefined
  readonly certificate: X509Certificate
}

/** @throws ConnectivityError `MESSAGE_INVALID` for anything but one certificate in DER. */
export function parseCertificate(der: Buffer, what: string): X509Certificate {
  if (der.length > maxDerBytes) throw unreadable(what, `has a certificate larger than ${maxDerBytes} bytes`)
  try {
    const certificate = new X509Certificate(der)
    // OpenSSL leaves alone what follows the certificate.
    if (certificate.raw.length === der.length) return certificate
  } catch {
    // Said below: OpenSSL's words are about its own insides.
  }
  throw unreadable(what, 'has a certificate that cannot be read')
}

/**
 * Pairs keys with certificates and orders chains. A key without certificate is left out: nothing can be proved with it. Certificates that belong to no key
 * make entries of their own, one for each that has issued no other.
 */
export function assemble(keys: readonly OpenedKey[], found: readonly FoundCertificate[], what: string): Omit<Keystore, 'locked'> {
  if (keys.length > maxPrivateKeys) throw unreadable(what, `has more than ${maxPrivateKeys} private keys`)
  if (found.length > maxCertificates) throw unreadable(what, `has more than ${maxCertificates} certificates`)
  const certificates = found.map(({ certificate }) => certificate)
  const issuers = createIssuerIndex(certificates)
  const used = new Set<X509Certificate>()
  const entries: KeystoreEntry[] = []
  for (const { alias, key } of keys) {
    const leaf = found.find(({ certificate }) => belongsTo(certificate, key))
    if (leaf === undefined) continue
    const chain = chainOf(leaf.certificate, issuers)
    for (const certificate of chain) used.add(certificate)
    entries.push({ ...named(alias ?? leaf.alias), certificates: chain.map(toPem), privateKey: formatPrivateKey(key) })
  }
  const rest = found.filter(({ certificate }) => !used.has(certificate))
  const restIssuers = createIssuerIndex(rest.map(({ certificate }) => certificate))
  const issuedAnother = new Set(rest.flatMap(({ certificate }) => restIssuers(certificate) ?? []))
  for (const { alias, certificate } of rest) {
    if (alias === undefined && issuedAnother.has(certificate)) continue
    entries.push({ ...named(alias), certificates: (alias === undefined ? chainOf(certificate, issuers) : [certificate]).map(toPem) })
  }
  return { entries, trusted: rest.map(({ certificate }) => toPem(certificate)) }
}

function named(alias: string | undefined): { readonly alias?: string } {
  return alias === undefined ? {} : { alias }
}

type IssuerIndex = (certificate: X509Certificate) => X509Certificate | undefined

/** Who of them issued a certificate: by name, then by what the two say of each other. Certificates that issued themselves have no other issuer. */
function createIssuerIndex(certificates: readonly X509Certificate[]): IssuerIndex {
  const bySubject = new Map<string, X509Certificate[]>()
  for (const certificate of certificates) {
    const same = bySubject.get(certificate.subject)
    if (same === undefined) bySubject.set(certificate.subject, [certificate])
    else same.push(certificate)
  }
  // Each is looked for once, so that many certificates of one name cost no more than their square.
  const known = new Map<X509Certificate, X509Certificate | undefined>()
  return (certificate) => {
    if (certificate.issuer === certificate.subject) return undefined
    if (!known.has(certificate)) {
      const candidates = bySubject.get(certificate.issuer) ?? []
      known.set(
        certificate,
        candidates.find((candidate) => candidate !== certificate && certificate.checkIssued(candidate)),
      )
    }
    return known.get(certificate)
  }
}

function chainOf(leaf: X509Certificate, issuerOf: IssuerIndex): X509Certificate[] {
  const chain = new Set<X509Certificate>()
  for (let next: X509Certificate | undefined = leaf; next !== undefined && !chain.has(next); next = issuerOf(next)) chain.add(next)
  return [...chain]
}

function belongsTo(certificate: X509Certificate, key: KeyObject): boolean {
  try {
    return certificate.checkPrivateKey(key)
  } catch {
    // A public key that OpenSSL cannot read belongs to no key that it could.
    return false
  }
}

/** As OpenSSL writes it. */
export function toPem(certificate: X509Certificate): string {
  return certificate.toString()
}

/** PEM of PKCS #8, not encrypted. */
export function formatPrivateKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
