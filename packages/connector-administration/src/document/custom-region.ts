import { z } from 'zod'

/** A region that an administrator has added: one that is newer than this version, or one that is hosted by oneself. */
export interface CustomRegion {
  readonly name: string
  /** Such as `cf.eu10.hana.ondemand.com`. */
  readonly host: string
  /** Where the connectivity service is, `https:`; without it the usual prefix before the host leads there. */
  readonly url?: string | undefined
  /** PEM of the authorities that sign the service; without it those that this machine trusts. */
  readonly authority?: string | undefined
}

/** A host name as regions have it. */
export const regionHostSchema: z.ZodType<string> = z
  .string()
  .max(253)
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?$/, 'is not a host name')

/** Checks a {@link CustomRegion}. */
export const customRegionSchema: z.ZodType<CustomRegion> = z.strictObject({
  name: z.string().min(1).max(200),
  host: regionHostSchema,
  url: z
    .url({ protocol: /^https$/ })
    .max(500)
    .optional(),
  authority: z
    .string()
    .max(100_000)
    .regex(/-----BEGIN CERTIFICATE-----/, 'is not a certificate in PEM')
    .optional(),
})
