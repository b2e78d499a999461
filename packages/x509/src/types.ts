import type { KeyObject } from 'node:crypto'

/** One attribute of a distinguished name, in the order of the string form (most specific first, RFC 4514). */
export interface NameAttribute {
  readonly type: 'CN' | 'EMAIL' | 'L' | 'OU' | 'O' | 'ST' | 'C' | 'SERIALNUMBER' | 'DC' | 'UID'
  readonly value: string
}

/** What a certificate says, apart from who signs it. Extensions that are not named are left out. */
export interface CertificateProfile {
  readonly subject: readonly NameAttribute[]
  readonly publicKey: KeyObject
  readonly notBefore: Date
  readonly notAfter: Date
  /** Random positive, at most 20 octets (RFC 5280 §4.1.2.2); the default is 16 random octets. */
  readonly serialNumber?: Buffer
  readonly extensions: {
    readonly basicConstraints?: { readonly ca: boolean; readonly pathLength?: number }
    readonly keyUsage?: readonly ('digitalSignature' | 'keyEncipherment' | 'keyCertSign' | 'cRLSign')[]
    readonly extendedKeyUsage?: readonly ('serverAuth' | 'clientAuth')[]
    readonly subjectAltNames?: readonly (
      | { readonly dns: string }
      | { readonly ip: string }
      | { readonly email: string }
      | { readonly uri: string }
    )[]
    readonly authorityKeyIdentifier?: boolean
    readonly subjectKeyIdentifier?: boolean
  }
}

/** Who signs: a CA certificate (DER) with its private key. RSA signs with SHA-256, EC with SHA-256 (P-256) or SHA-384 (P-384). */
export interface CertificateAuthority {
  readonly certificate: Buffer
  readonly privateKey: KeyObject
}

/** A certification request (RFC 2986) whose self-signature has been verified. */
export interface CertificationRequest {
  readonly subject: readonly NameAttribute[]
  readonly publicKey: KeyObject
}
