import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { z } from 'zod'
import { type CertificateSlot, certificateSlotSchema, type OwnedCertificate } from '../document/on-premises.ts'
import { invalidRequest } from '../rest/rest-error.ts'
import { cipherSuites, enabledSuites, isUsableWith } from './cipher-suites.ts'

/** How the administration is reached (cloud-connector.md §5.4, §5.5). */
export interface UiSettings {
  readonly certificate: CertificateSlot
  /** Names of the enabled suites; the strong ones when absent. */
  readonly cipherSuites?: readonly string[] | undefined
  readonly clientCertificates: ClientCertificateSettings
}

/** Log-on with certificates. What is changed here takes effect at the next start. */
export interface ClientCertificateSettings {
  readonly enabled: boolean
  /** Attribute of the subject that holds the name of the user, such as `CN`. */
  readonly userAttribute: string
  /** PEM, one certificate each: of authorities, or of a client that signed its own. */
  readonly allowed: readonly string[]
  /** Who shows no certificate may give user and password. */
  readonly passwordFallback: boolean
}

/** Attributes that can hold the name of a user, with their object identifiers. */
export const userAttributes: Readonly<Record<string, string>> = {
  CN: '2.5.4.3',
  SERIALNUMBER: '2.5.4.5',
  C: '2.5.4.6',
  L: '2.5.4.7',
  ST: '2.5.4.8',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  EMAIL: '1.2.840.113549.1.9.1',
  UID: '0.9.2342.19200300.100.1.1',
  DC: '0.9.2342.19200300.100.1.25',
}

/** Checks {@link UiSettings} and fills in what is missing. */
export const uiSettingsSchema: z.ZodType<UiSettings> = z.strictObject({
  certificate: certificateSlotSchema.prefault({}),
  cipherSuites: z.array(z.enum(cipherSuites.map(({ name }) => name))).optional(),
  clientCertificates: z
    .strictObject({
      enabled: z.boolean().default(false),
      userAttribute: z.string().default('CN'),
      allowed: z.array(z.string().min(1)).max(100).default([]),
      passwordFallback: z.boolean().default(true),
    })
    .prefault({}),
})

/**
 * Refuses settings that nobody could connect with: a certificate or key that TLS does not take, such as one that is too weak, or suites that do not go with it.
 * `own` is shown where no other certificate is. @throws RestError 400
 */
export function requireReachable({ certificate, cipherSuites: names }: UiSettings, own: OwnedCertificate): void {
  const shown = certificate.current ?? own
  try {
    createSecureContext({ cert: shown.certificate, key: shown.key, ciphers: openSslCiphers(names), minVersion: 'TLSv1.2' })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw invalidRequest(`TLS refuses the UI certificate or its key, so nobody could connect any more: ${reason}`)
  }
  if (names === undefined) return
  const keyType = keyTypeOf(shown)
  if (!enabledSuites(names).some((suite) => isUsableWith(suite, keyType)))
    throw invalidRequest('none of the enabled cipher suites can be used with the UI certificate, so nobody could connect any more')
}

/** Enabled suites as OpenSSL takes them. */
export function openSslCiphers(names: readonly string[] | undefined): string {
  return enabledSuites(names)
    .map(({ openSslName }) => openSslName)
    .join(':')
}

/** Kind of key of a certificate, such as `rsa` or `ec`. */
export function keyTypeOf({ certificate }: Pick<OwnedCertificate, 'certificate'>): string | undefined {
  return new X509Certificate(certificate).publicKey.asymmetricKeyType
}
