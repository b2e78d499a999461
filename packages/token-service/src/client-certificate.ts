import type { X509Certificate } from 'node:crypto'
import type { ClientCertificateRule } from './oauth-client.ts'

/** The certificate with which a TLS peer has proved to hold the key, as a request carries it. */
export interface PresentedCertificate {
  readonly certificate: X509Certificate
  /** Whether its chain leads to an authority that the listener was given; without any, nothing is trusted. */
  readonly trusted: boolean
}

/** `x5t#S256` of RFC 8705: SHA-256 of the DER form in Base64url. */
export function certificateThumbprint(certificate: X509Certificate): string {
  return Buffer.from(plainHex(certificate.fingerprint256), 'hex').toString('base64url')
}

/** Whether a presented certificate is one of those that a client may log on with, at this time. */
export function certificateAdmitted(presented: PresentedCertificate, rules: readonly ClientCertificateRule[], nowMs: number): boolean {
  const { certificate, trusted } = presented
  if (nowMs < certificate.validFromDate.getTime() || nowMs > certificate.validToDate.getTime()) return false
  return rules.some((rule) =>
    'thumbprintSha256' in rule
      ? plainHex(rule.thumbprintSha256) === plainHex(certificate.fingerprint256)
      : trusted && sameName(rule.subject, certificate.subject) && sameName(rule.issuer, certificate.issuer),
  )
}

/** Compares distinguished names in string form, written in either direction and with commas or line ends between the attributes. */
export function sameName(configured: string, presented: string): boolean {
  const a = attributesOf(configured)
  const b = attributesOf(presented)
  if (a.length === 0 || a.length !== b.length) return false
  return a.every((attribute, at) => attribute === b[at]) || a.toReversed().every((attribute, at) => attribute === b[at])
}

/** Whether a text is a SHA-256 thumbprint in hexadecimal. */
export function isThumbprint(text: string): boolean {
  return /^[\da-f]{64}$/.test(plainHex(text))
}

function attributesOf(name: string): string[] {
  const parts = name.includes('\n') ? name.split('\n') : name.split(/(?<!\\)[,;]/)
  return parts
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => part.replace(/^([^=]*?)\s*=\s*/, (_, type: string) => `${type.toUpperCase()}=`))
}

function plainHex(text: string): string {
  return text.replaceAll(':', '').toLowerCase()
}
