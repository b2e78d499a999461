import { z } from 'zod'

/** Path of a file, relative to the configuration file. Secrets are never values. */
export interface FileReference {
  readonly file: string
}

/** Schema of a {@link FileReference}. */
export const fileReference: z.ZodType<FileReference> = z
  .strictObject({ file: z.string().min(1).describe('Path of the file, relative to the configuration file') })
  .describe('Reference to a file')
