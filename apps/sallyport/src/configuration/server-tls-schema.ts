import { z } from 'zod'
import { fileReference } from './text-reference.ts'

type File = typeof fileReference

/** How a server of somebody else is trusted over TLS, and what it is shown, wherever the configuration names one. */
export const serverTlsFields: {
  readonly authorities: z.ZodOptional<z.ZodArray<File>>
  readonly clientCertificate: z.ZodOptional<z.ZodObject<{ readonly certificate: File; readonly key: File }, z.core.$strict>>
} = {
  authorities: z
    .array(fileReference)
    .min(1)
    .max(50)
    .optional()
    .describe('Who vouches for the server, PEM; without them those that the system trusts'),
  clientCertificate: z
    .strictObject({ certificate: fileReference, key: fileReference })
    .optional()
    .describe('What we show to the server, PEM'),
}
