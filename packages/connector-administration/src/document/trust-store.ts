import { z } from 'zod'

/** A certificate that others are trusted by. */
export interface TrustedCertificate {
  /** Names it in paths; never used again. */
  readonly alias: string
  /** PEM, one certificate. */
  readonly certificate: string
}

/** Certificates that have been uploaded. */
export interface TrustStore {
  readonly certificates: readonly TrustedCertificate[]
  /** Number of the next upload, which becomes part of aliases. */
  readonly nextUpload: number
}

/** Checks a list of {@link TrustedCertificate}. */
export const trustedCertificatesSchema: z.ZodType<readonly TrustedCertificate[]> = z
  .array(z.strictObject({ alias: z.string().min(1).max(100), certificate: z.string().min(1) }))
  .max(1000)

/** Checks a {@link TrustStore} and fills in what is missing. */
export const trustStoreSchema: z.ZodType<TrustStore> = z.strictObject({
  certificates: trustedCertificatesSchema.default([]),
  nextUpload: z.int().min(0).default(0),
})
