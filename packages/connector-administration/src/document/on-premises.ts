import {
  type SubjectRule,
  checkSubjectRules,
  defaultSubjectRules,
  defaultToleranceHours,
  defaultValidityMinutes,
} from '@sallyport/principal-propagation'
import { z } from 'zod'
import { type AdministeredKerberos, administeredKerberosSchema } from './kerberos.ts'
import { type TrustedCertificate, trustedCertificatesSchema } from './trust-store.ts'

/** A certificate that this installation owns: PEM of the certificate with its chain, and of its key (PKCS #8). */
export interface OwnedCertificate {
  readonly certificate: string
  readonly key: string
  /** Made here, and to be made anew before it ends. */
  readonly autoRenewal?: boolean | undefined
}

/** Where an owned certificate goes. A newer request for a certificate replaces the key of the one before. */
export interface CertificateSlot {
  readonly current?: OwnedCertificate | undefined
  /** PEM of the key for which a certificate has been requested last. */
  readonly requestedKey?: string | undefined
}

/** Certificates, trust and principal propagation towards the backends of all subaccounts (cloud-connector.md §1.17, §8.6). */
export interface OnPremisesSettings {
  readonly systemCertificate: CertificateSlot
  readonly ppCaCertificate: CertificateSlot
  readonly trustAllBackends: boolean
  /** What backends are trusted by. */
  readonly trustedBackends: readonly TrustedCertificate[]
  /** Number of the next upload, which becomes part of aliases and is never used again. */
  readonly nextTrustedBackend: number
  readonly expirationToleranceInHr: number
  readonly certificateValidityInMin: number
  readonly subjectPatternRules: readonly SubjectRule[]
  readonly kerberos?: AdministeredKerberos | undefined
}

/** Checks a {@link CertificateSlot}. */
export const certificateSlotSchema: z.ZodType<CertificateSlot> = z.strictObject({
  current: z.strictObject({ certificate: z.string().min(1), key: z.string().min(1), autoRenewal: z.boolean().optional() }).optional(),
  requestedKey: z.string().min(1).optional(),
})

const subjectPatternRules: z.ZodType<readonly SubjectRule[]> = z.custom<readonly SubjectRule[]>(
  (value) => Array.isArray(value) && checkSubjectRules(value).length === 0,
  'is no list of subject pattern rules',
)

/** Checks {@link OnPremisesSettings} and fills in what is missing. */
export const onPremisesSchema: z.ZodType<OnPremisesSettings> = z.strictObject({
  systemCertificate: certificateSlotSchema.prefault({}),
  ppCaCertificate: certificateSlotSchema.prefault({}),
  trustAllBackends: z.boolean().default(false),
  trustedBackends: trustedCertificatesSchema.default([]),
  nextTrustedBackend: z.int().min(0).default(0),
  expirationToleranceInHr: z.int().min(1).max(336).default(defaultToleranceHours),
  certificateValidityInMin: z.int().min(1).max(43_200).default(defaultValidityMinutes),
  subjectPatternRules: subjectPatternRules.default([...defaultSubjectRules]),
  kerberos: administeredKerberosSchema.optional(),
})
