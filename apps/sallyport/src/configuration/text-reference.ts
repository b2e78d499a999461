import { z } from 'zod'

/** A text that may be kept elsewhere: `{ file }` relative to the configuration file, or `{ env }`. */
export type TextOrReference = string | { readonly file: string } | { readonly env: string }

/** A text that is kept elsewhere, because it is secret. */
export type SecretReference = Exclude<TextOrReference, string>

interface FileReference {
  readonly file: string
}

export const fileReference: z.ZodType<FileReference> = z.strictObject({
  file: z.string().min(1).describe('File that holds the text, relative to the configuration file'),
})

export const secretReference: z.ZodType<SecretReference> = z.union([
  fileReference,
  z.strictObject({ env: z.string().min(1).describe('Environment variable that holds the text') }),
])

export const reference: z.ZodType<TextOrReference> = z.union([z.string(), secretReference])
